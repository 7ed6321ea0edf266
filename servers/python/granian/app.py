"""The endpoint as a bare ASGI application."""

BODY_LIMIT = 1024 * 1024  # bytes
GREETING = b"Hello, visitor! You've requested: %b\n"
TYPE = (b"content-type", b"text/plain; charset=utf-8")
LENGTH = b"content-length"


async def endpoint(scope, receive, send):
    method = scope["method"]
    if method in ("GET", "HEAD"):
        body = GREETING % scope["raw_path"]
        length = LENGTH, b"%d" % len(body)
        # Over HTTP/2, granian would send the body in the answer to HEAD too.
        await answer(send, 200, [TYPE, length], body if method == "GET" else b"")
    elif declared(scope) <= BODY_LIMIT and await discard(receive):
        await answer(send, 405, [(b"allow", b"GET, HEAD"), (LENGTH, b"0")])
    else:
        await answer(send, 413, [(b"connection", b"close"), (LENGTH, b"0")])


async def answer(send, status, headers, body=b""):
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def declared(scope):
    """Content-Length, or 0 without one; uvicorn's parser has checked that it is a number."""
    return int(dict(scope["headers"]).get(LENGTH, 0))


async def discard(receive):
    """Reads a body and drops it. Returns whether it is within the limit."""
    left = BODY_LIMIT
    more = True
    while more and left >= 0:
        message = await receive()
        left -= len(message.get("body", b""))
        more = message.get("more_body", False)
    return left >= 0
