#!/usr/bin/env python3
"""The endpoint on asyncio's streams, in one process with one thread."""

import argparse
import asyncio
import email.utils
import http
import os
import platform
import re
import signal
import sys

VERSION = f"server-NAME 0.1.0 (python {platform.python_version()})"
HEAD_BYTES, TARGET_BYTES, HEAD_FIELDS, BODY_BYTES = 16 * 1024, 8 * 1024, 100, 1024 * 1024
IDLE_SECONDS, WRITE_SECONDS, LINGER_SECONDS, GRACE_SECONDS, DRAIN_SECONDS = 60, 30, 1, 0.5, 10

# The server rejects every head that does not match, so that a client cannot hide one request within
# another.
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
HEAD = re.compile(
    rb"(?:\r\n)*(?P<method>" + TOKEN + rb") (?P<target>[!-~]+) HTTP/1\.(?P<minor>[01])\r\n"
    rb"(?P<fields>(?:" + TOKEN + rb":[\t -~\x80-\xff]*\r\n)*)\r\n"
)
# A path, after a host in the absolute form. The answer leaves out the query and the fragment that follow.
TARGET = re.compile(rb"(?:(?i:http)://[^/?#@]+)?(?P<path>/[^?#]*|(?<!^)(?=[?#]|$))(?:[?#].*)?")
HOST = re.compile(rb"(?:[a-z0-9._~!$&'()*+,;=%-]*|\[[0-9a-f:.]+\])(?::[0-9]*)?", re.IGNORECASE)


# The endpoint: replace the code from here to `Server`.


class Refused(Exception):
    """A request that is answered with a status alone, after which the connection is closed."""


def answer(request, keep):
    """The answer to a request; `keep` says whether the connection stays open after it."""
    if request["method"] not in (b"GET", b"HEAD"):
        return head(405, 0, keep, "Allow: GET, HEAD\r\n")
    path = TARGET.fullmatch(request["target"])["path"] or b"/"
    body = b"Hello, visitor! You've requested: " + path + b"\n"
    return head(200, len(body), keep) + (body if request["method"] == b"GET" else b"")


def head(status, length, keep, more=""):
    reason = http.HTTPStatus(status).phrase
    more += "" if keep else "Connection: close\r\n"
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n"
        f"Date: {email.utils.formatdate(usegmt=True)}\r\n{more}\r\n"
    ).encode()


def parse(text):
    """The parts of a request's first line, and the values of its fields by lower-case name."""
    request = HEAD.fullmatch(text)
    if not request:
        raise Refused(400)
    if len(request["target"]) > TARGET_BYTES:
        raise Refused(414)
    fields = {}
    lines = request["fields"].split(b"\r\n")[:-1]
    for line in lines:
        name, value = line.split(b":", 1)
        fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
    if len(text) > HEAD_BYTES or len(lines) > HEAD_FIELDS:
        raise Refused(431)
    hosts = fields.get(b"host", [] if request["minor"] == b"1" else [b""])
    if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
        raise Refused(400)
    of_the_server = request["method"] == b"OPTIONS" and request["target"] == b"*"
    if not of_the_server and not TARGET.fullmatch(request["target"]):
        raise Refused(400)
    return request, fields


def body_length(fields):
    if b"transfer-encoding" in fields:
        raise Refused(501)
    lengths = fields.get(b"content-length", [b"0"])
    if len(lengths) != 1 or not re.fullmatch(rb"[0-9]+", lengths[0]):
        raise Refused(400)
    digits = lengths[0].lstrip(b"0") or b"0"
    if len(digits) > 19:  # more than 64 bits
        raise Refused(400)
    if int(digits) > BODY_BYTES:
        raise Refused(413)
    return int(digits)


def may_stay_open(request, fields):
    options = b",".join(fields.get(b"connection", [])).lower().split(b",")
    return request["minor"] == b"1" and b"close" not in (option.strip(b" \t") for option in options)


class Server:
    """The open connections, and how they are closed."""

    def __init__(self):
        self.ending = False
        self.tasks = set()
        self.idle = set()

    async def talk(self, reader, writer):
        """Serves a connection, request after request, until the client or the server closes it."""
        # Past this limit a client has to read before its next request is answered.
        writer.transport.set_write_buffer_limits(HEAD_BYTES)
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            while await self.serve_one(task, reader, writer):
                pass
            # If the socket were closed with unread input, the kernel would send a reset, and the
            # last answer could be lost.
            writer.write_eof()
            await asyncio.wait_for(reader.read(BODY_BYTES), LINGER_SECONDS)
        except (OSError, EOFError, asyncio.TimeoutError, asyncio.CancelledError):
            pass  # the client has closed or is too slow, or the server shuts down
        finally:
            self.tasks.discard(task)
            writer.transport.abort()

    async def serve_one(self, task, reader, writer):
        """Reads a request and answers it. Returns whether the connection stays open."""
        self.idle.add(task)
        try:
            text = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
            self.idle.discard(task)
            request, fields = parse(text)
            await asyncio.wait_for(reader.readexactly(body_length(fields)), IDLE_SECONDS)
            keep = may_stay_open(request, fields) and not self.ending
            writer.write(answer(request, keep))
        except (Refused, asyncio.LimitOverrunError) as error:
            keep = False
            writer.write(head(error.args[0] if isinstance(error, Refused) else 431, 0, keep))
        finally:
            self.idle.discard(task)
        await asyncio.wait_for(writer.drain(), WRITE_SECONDS)
        return keep

    async def end(self, listener):
        """Makes answers close their connections, closes idle ones after a grace period, and all at the limit."""
        self.ending = True
        await asyncio.sleep(GRACE_SECONDS)
        listener.close()
        for task in self.idle:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=DRAIN_SECONDS - GRACE_SECONDS)


# The process contract: flags, a ready line, a version, and a graceful shutdown.


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=port, help="0 takes a free one")
    parser.add_argument("--version", action="version", version=VERSION)
    arguments = parser.parse_args()
    if arguments.port is None:
        try:
            arguments.port = port(os.environ.get("PORT") or "8080")
        except ValueError:
            parser.error(f"variable PORT: invalid port value: {os.environ['PORT']!r}")
    return arguments


def port(text):
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


async def serve(arguments):
    server = Server()
    signalled = asyncio.Event()

    def first(number):
        for again in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(again, os._exit, 128 + number)
        signalled.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, first, number)
    listener = await asyncio.start_server(
        server.talk, arguments.host.strip("[]"), arguments.port, limit=HEAD_BYTES, backlog=4096
    )
    address, number = listener.sockets[0].getsockname()[:2]
    print(f"listening on http://{f'[{address}]' if ':' in address else address}:{number}", flush=True)
    await signalled.wait()
    await server.end(listener)


def main():
    # A parent may have blocked SIGTERM, and this process inherits the signal mask.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    arguments = parse_arguments()
    try:
        asyncio.run(serve(arguments))
    except OSError as error:
        sys.exit(f"error: cannot listen: {error.strerror}")


if __name__ == "__main__":
    main()
