#!/usr/bin/env python3
"""The article's Python server: http.server with its defaults, one request at a time.

It adds to the article's program: the port, the ready line, --version, and a graceful shutdown.
"""

import argparse
import os
import platform
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

DRAIN_LIMIT = 10  # seconds
VERSION = f"server-http-server 0.1.0 (python {platform.python_version()})"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"Hello, visitor! You've requested: {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def port(text):
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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


def listen(host, port):
    """Returns a server on the first of the host's addresses that is available."""
    failed = None
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        HTTPServer.address_family = family
        try:
            return HTTPServer(address, Handler)
        except OSError as error:
            failed = error
    raise failed


def end_on_signal(server):
    """The first SIGTERM or SIGINT ends the loop after the current request; a second one exits."""

    def first(number, _):
        for again in (signal.SIGTERM, signal.SIGINT):
            signal.signal(again, lambda number, _: os._exit(128 + number))
        # On another thread: `shutdown` waits for the loop, which runs on this one.
        threading.Thread(target=server.shutdown, daemon=True).start()
        limit = threading.Timer(DRAIN_LIMIT, os._exit, [0])
        limit.daemon = True
        limit.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, first)


def main():
    # A parent may have blocked SIGTERM, and this process inherits the signal mask.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    arguments = parse_arguments()
    try:
        server = listen(arguments.host.strip("[]"), arguments.port)
    except OSError as error:
        sys.exit(f"error: cannot listen on {arguments.host}:{arguments.port}: {error.strerror}")
    end_on_signal(server)
    host = server.server_address[0]
    print(f"listening on http://{f'[{host}]' if ':' in host else host}:{server.server_port}", flush=True)
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
