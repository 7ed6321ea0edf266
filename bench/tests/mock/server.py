#!/usr/bin/env python3
"""A mock server that keeps the process contract and misbehaves as its first argument says.

good     answers rightly, and is killed by SIGTERM
stubborn answers rightly, and ignores SIGTERM
tidy     answers rightly, and exits with 0 on SIGTERM: it can run the conformance cases, of which it fails many
wrong    answers with another body
dead     exits before it is ready
mortal   exits at the second request for /abc, the path of the workload: the first request is made by the harness
brief    exits at the second request for /last, which is in no conformance case
mute     has no version
keeps    keeps a connection open that the client asks to close
restless uses CPU time when nothing is asked of it
slow     takes 50 ms per answer
patient  waits for its clients as long as it takes, and for ever with an answer to /held: from the second request for it on,
         while HOME has a file called hold; it then makes one called held, and gives the answer after all once there is one
         called release
once     closes each connection after an answer, and says so

and under a real load tool, where only requests for /abc count:

expires  exits at its hundredth request
turns    answers with another body from its hundredth request
wavers   answers with another body from its second request, and exits with 0 on SIGTERM
capped   has 5 connections at most: further ones are closed before they are read
busy     answers every thousandth request with 503
stops    stops itself for a second at its thousandth request

With --tls-cert and --tls-key each speaks TLS 1.3. A key that other users could read ends it before it is ready.
"""

import math
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 600 if sys.argv[1] == "patient" else 1
    wbufsize = -1  # head and body in one write, or each answer would wait for an acknowledgement
    asked = 0

    def do_GET(self):
        with lock:
            Handler.asked += self.path == {"brief": "/last", "patient": "/held"}.get(mode, "/abc")
            asked = Handler.asked
        if asked == {"mortal": 2, "brief": 2, "expires": 100}.get(mode):
            print("killed by the test", file=sys.stderr, flush=True)
            os._exit(3)
        if mode == "stops" and asked == 1000:
            subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {os.getpid()}"])
            os.kill(os.getpid(), signal.SIGSTOP)
        if mode == "patient" and asked > 1 and self.path == "/held" and os.path.exists(os.path.join(home, "hold")):
            open(os.path.join(home, "held"), "w").close()
            release = os.path.join(home, "release")
            for _ in range(12000):
                if os.path.exists(release):
                    break
                time.sleep(0.05)
        if mode == "slow":
            time.sleep(0.05)
        is_wrong = mode == "wrong" or asked >= {"turns": 100, "wavers": 2}.get(mode, math.inf)
        body = b"Nobody is here\n" if is_wrong else f"Hello, visitor! You've requested: {self.path}\n".encode()
        self.send_response(503 if mode == "busy" and asked % 1000 == 0 else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if mode == "once":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        if mode == "keeps":
            self.close_connection = False

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 100
    connections = 0

    def process_request_thread(self, *connection):
        with lock:
            self.connections += 1
            refused = mode == "capped" and self.connections > 5
        if refused:
            self.shutdown_request(connection[0])
        else:
            super().process_request_thread(*connection)
        with lock:
            self.connections -= 1


def encrypted(socket, certificate, key):
    """The listening socket over TLS. Handshakes are those of the threads of connections."""
    if os.stat(os.path.dirname(key)).st_mode & 0o077 and os.stat(key).st_mode & 0o077:
        sys.exit(f"other users can read {key}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    return context.wrap_socket(socket, server_side=True, do_handshake_on_connect=False)


def argument(name, default):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


lock = threading.Lock()
mode = sys.argv[1]
if "--version" in sys.argv:
    print("" if mode == "mute" else f"server-{mode} 1 (mock 1)")
elif mode == "dead":
    sys.exit("no luck today")
else:
    home = os.environ["HOME"]
    # By this file the test knows which processes must have ended.
    with open(os.path.join(home, "pids", f"server-{os.getpid()}"), "w"):
        pass
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode in ("tidy", "wavers"):
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if mode == "restless":
        threading.Thread(target=lambda: all(True for _ in iter(int, 1)), daemon=True).start()
    host = argument("--host", "127.0.0.1")
    server = Server((host, int(argument("--port", "0"))), Handler)
    key = argument("--tls-key", None)
    if key:
        server.socket = encrypted(server.socket, argument("--tls-cert", None), key)
    print(f"listening on {'https' if key else 'http'}://{host}:{server.server_port}", flush=True)
    server.serve_forever()
