"""The endpoint on granian, with uvloop. The main process starts the workers, and ends them."""

import importlib.metadata
import multiprocessing
import os
import platform
import resource
import signal
import sys
import threading
from pathlib import Path

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from app import endpoint
from flags import read_flags
from listening import is_listened_on, reserve
from tls import check

BACKLOG = 4096  # connections; the kernel caps it at net.core.somaxconn, 4,096 by default
HEAD_BYTES = 16 * 1024
STREAMS = 128  # streams that an HTTP/2 client may have open
RESERVED = 100  # descriptors that a worker keeps for uses other than connections


class Server(MPServer):
    """granian's server, which announces when all workers listen, and ends at once at a second signal."""

    def __init__(self, reserved, flags, announce):
        host, port = reserved.getsockname()[:2]
        super().__init__(
            endpoint.__name__,
            address=host,
            port=port,
            interface=Interfaces.ASGINL,
            workers=flags.workers,
            loop=Loops.uvloop,
            http=mode(flags),
            websockets=False,
            backlog=BACKLOG,
            # Connections that a worker has at once. It accepts another when one of them is closed.
            backpressure=connections_per_worker(flags),
            http1_settings=HTTP1Settings(
                header_read_timeout=round(flags.head_timeout * 1000), max_buffer_size=HEAD_BYTES
            ),
            http2_settings=HTTP2Settings(max_concurrent_streams=STREAMS, max_headers_size=HEAD_BYTES),
            # By default, granian accepts only TLS 1.3, and offers the protocols of its mode.
            ssl_cert=flags.tls_cert and Path(flags.tls_cert),
            ssl_key=flags.tls_key and Path(flags.tls_key),
            log_level=LogLevels.error,
            workers_kill_timeout=flags.drain_timeout,
        )
        self.reserved = reserved
        self.announce = announce
        self.parent, self.lives = os.pipe()

    def load(self):
        """Returns the application in a worker. The worker now exits with the process that started it."""
        os.close(self.lives)
        threading.Thread(target=self.exit_with_parent, daemon=True).start()
        return endpoint

    def exit_with_parent(self):
        # The kernel closes the other end when the parent ends, even if the parent is killed.
        os.read(self.parent, 1)
        os._exit(1)

    def startup(self, spawn_target, target_loader):
        super().startup(spawn_target, target_loader)
        is_failing = lambda: self.interrupt_children or self.interrupt_signal
        if is_listened_on(self.reserved, self.workers, is_failing):
            self.announce()
        self.reserved.close()

    def signal_handler_interrupt(self, number, _frame):
        if self.interrupt_signal:
            for worker in self.wrks:
                worker.kill()
            os._exit(128 + number)
        super().signal_handler_interrupt()


def main():
    # A parent may have blocked SIGTERM and ignored SIGCHLD. This process inherits both.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    flags = read_flags()
    if flags.version:
        print(version())
        return
    if flags.tls_cert:
        check(flags.tls_cert, flags.tls_key)
    try:
        reserved = reserve(flags.host, flags.port)
    except OSError as error:
        sys.exit(f"error: cannot listen on {flags.host}:{flags.port}: {error.strerror}")
    host, port = reserved.getsockname()[:2]
    scheme = "https" if flags.tls_cert else "http"
    line = f"listening on {scheme}://[{host}]:{port}" if ":" in host else f"listening on {scheme}://{host}:{port}"
    # Workers inherit what has been set up so far.
    multiprocessing.set_start_method("fork")
    server = Server(reserved, flags, lambda: print(line, flush=True))
    server.serve(target_loader=server.load, wrap_loader=False)


def mode(flags):
    """The protocol that granian speaks: either version with TLS, HTTP/2 with --h2c, and otherwise HTTP/1."""
    if flags.tls_cert:
        return HTTPModes.auto
    return HTTPModes.http2 if flags.h2c else HTTPModes.http1


def version():
    parts = [f"{name} {importlib.metadata.version(name)}" for name in ("granian", "uvloop")]
    return f"server-granian 0.1.0 ({', '.join(parts)}, python {platform.python_version()})"


def connections_per_worker(flags):
    """Returns the number of connections that a worker may have. Raises the limit of open files, which workers inherit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    available = max(hard - RESERVED, 0)
    each = -(-flags.max_connections // flags.workers) if flags.max_connections else available
    if each > available or not available:
        sys.exit(
            f"error: {flags.max_connections or 1} connections: the limit of {hard} open files leaves "
            f"{available} per worker; raise it (`ulimit -n`) or ask for fewer"
        )
    return each


if __name__ == "__main__":
    main()
