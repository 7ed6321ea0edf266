"""Worker processes, each with a uvicorn server on the shared socket, and their main process."""

import asyncio
import os
import signal
import sys

import uvicorn

from app import endpoint

BACKLOG = 4096  # connections; the kernel caps it at net.core.somaxconn, 4,096 by default


class Worker(uvicorn.Server):
    """A server that reports when it listens, and that exits with the process that started it."""

    def __init__(self, config, ready, parent):
        super().__init__(config)
        self.ready = ready
        self.parent = parent

    async def startup(self, sockets=None):
        await super().startup(sockets)
        os.write(self.ready, b".")
        # The kernel closes the other end when the parent ends, even if the parent is killed.
        asyncio.get_running_loop().add_reader(self.parent, os._exit, 1)


def lead(flags, listener, tls, announce):
    """Starts the workers, calls `announce` once all listen, and returns when all have ended."""
    ready, says_ready = os.pipe()
    parent, lives = os.pipe()

    def start():
        pid = os.fork()
        if pid == 0:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.close(ready)
            os.close(lives)
            work(flags, listener, tls, says_ready, parent)
        return pid

    workers = {start() for _ in range(flags.workers)}
    ending = end_on_signal(workers, listener)
    os.close(says_ready)
    for _ in range(flags.workers):
        if not os.read(ready, 1):
            sys.exit("error: no worker could be started")
    announce()
    while workers:
        pid, _ = os.wait()
        workers.discard(pid)
    if not ending:
        sys.exit("error: all workers have ended")


def work(flags, listener, tls, ready, parent):
    """Serves until a signal comes. Does not return."""
    config = uvicorn.Config(
        endpoint,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="error",
        access_log=False,
        # No proxy in front of the server knows the client's address.
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=flags.max_connections and -(-flags.max_connections // flags.workers) + 1,
        timeout_keep_alive=flags.idle_timeout,
        timeout_graceful_shutdown=flags.drain_timeout,
        ssl_context_factory=tls and (lambda _config, _default: tls),
    )
    Worker(config, ready, parent).run(sockets=[listener])
    os._exit(0)


def end_on_signal(workers, listener):
    """The first SIGTERM or SIGINT makes workers drain, the second kills them. Returns the signals so far."""
    seen = []

    def take(number, _):
        for pid in workers:
            os.kill(pid, signal.SIGKILL if seen else signal.SIGTERM)
        if seen:
            os._exit(128 + number)
        seen.append(number)
        listener.close()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, take)
    return seen
