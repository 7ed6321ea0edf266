#!/usr/bin/env bash
# wrk counts twice as many requests as it sends, if the server sends 103 Early Hints before each answer.
#
# An interim answer (RFC 9110, section 15.2) does not complete a request: the final answer follows. wrk
# counts both as answers. Its number of requests and its rate include the interim answers, and it
# reports no error.
#
# Seen with wrk 4.1.0 (Debian 4.1.0-3+b2). Needs apt-get (Debian), dpkg and python3, and no root.
# Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

apt-get download -qq wrk=4.1.0-3+b2 libluajit-5.1-2 libluajit-5.1-common >/dev/null 2>&1
for package in ./*.deb; do dpkg -x "$package" unpacked; done
LD_LIBRARY_PATH=$(find "$folder/unpacked" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH
wrk=unpacked/usr/bin/wrk
{ $wrk --version || true; } | head -n 1

cat >server.py <<'PYTHON'
import http.server, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    requests = 0
    lock = threading.Lock()

    def do_GET(self):
        with Handler.lock:
            Handler.requests += self.path == "/load"
        body = str(Handler.requests).encode()
        if self.path == "/load":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
coproc SERVER { exec python3 server.py; }
server=$SERVER_PID
read -r port <&"${SERVER[0]}"

counted=$($wrk -t1 -c1 -d2s "http://127.0.0.1:$port/load" | awk '/requests in/ { print $1 }')
asked=$(python3 -c "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:$port/').read().decode())")
echo "requests that the server received: $asked"
echo "requests that wrk counts:          $counted"
# The last requests were on their way when the time was over.
if python3 -c "import sys; asked, counted = map(int, sys.argv[1:]); sys.exit(not (asked > 100 and 1.9 < counted / asked < 2.1))" "$asked" "$counted"; then
    echo "as described"
else
    echo "this has changed"
    exit 1
fi
