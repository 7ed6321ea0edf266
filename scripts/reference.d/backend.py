"""The backend of a server that has no handler of its own. It answers each request after a second."""

import functools
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Slow(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one write

    def do_GET(self):
        time.sleep(1)
        body = f"Hello, visitor! You've requested: {self.path}\n".encode("latin-1")
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Backend(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Ignores the error: the server in front of the backend has ended on SIGTERM."""


@functools.cache
def port():
    """Starts the backend in a thread of this process, once, and returns its port."""
    backend = Backend(("127.0.0.1", 0), Slow)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    return backend.server_port
