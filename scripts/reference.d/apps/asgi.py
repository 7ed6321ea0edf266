"""Answers each path with a greeting, `/slow` after a second. Rejects methods other than GET and HEAD."""

import asyncio


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["method"] not in ("GET", "HEAD"):
        refusal = [(b"allow", b"GET, HEAD"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 405, "headers": refusal})
        await send({"type": "http.response.body"})
        return
    # The path as the client sent it, if the server passes it on.
    path = scope.get("raw_path") or scope["path"].encode("latin-1")
    path = path.split(b"?")[0]
    if path == b"/slow":
        await asyncio.sleep(1)
    body = b"Hello, visitor! You've requested: " + path + b"\n"
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})
