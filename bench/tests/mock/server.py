#!/usr/bin/env python3
"""A server that keeps the process contract and misbehaves as its first argument says.

good     answers as the endpoint does, and dies of SIGTERM
tidy     answers as the endpoint does, and ends well: it can be asked the conformance cases, of which it fails many
wrong    answers something else
dead     ends before it is ready
mortal   ends at its second request for the workload's path, /abc: the first is the harness's own
mute     has no version
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 1
    asked = 0

    def do_GET(self):
        if self.path == "/abc":
            Handler.asked += 1
        if mode == "mortal" and Handler.asked == 2:
            print("killed by the test", file=sys.stderr, flush=True)
            os._exit(3)
        body = b"Nobody is here\n" if mode == "wrong" else f"Hello, visitor! You've requested: {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


mode = sys.argv[1]
if "--version" in sys.argv:
    print("" if mode == "mute" else f"server-{mode} 1 (mock 1)")
elif mode == "dead":
    sys.exit("no luck today")
else:
    # The test finds out by this file which processes have to be gone.
    with open(os.path.join(os.environ["MOCK_PIDS"], f"server-{os.getpid()}"), "w"):
        pass
    if mode == "tidy":
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
