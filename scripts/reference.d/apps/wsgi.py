"""Answers each path with a greeting, `/slow` after a second. Rejects methods other than GET and HEAD."""

import re
import time


def app(environ, start_response):
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        start_response("405 Method Not Allowed", [("Allow", "GET, HEAD"), ("Content-Length", "0")])
        return [b""]
    # The path as the client sent it, if the server passes it on.
    path = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
    path = re.sub("^[a-zA-Z]+://[^/?]*", "", path).split("?")[0] or "/"
    if path == "/slow":
        time.sleep(1)
    body = f"Hello, visitor! You've requested: {path}\n".encode("latin-1")
    head = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("200 OK", head)
    return [body]
