#!/usr/bin/env bash
# Three load tools report two different 90th percentiles of the same hundred answers.
#
# A server answers 90 requests at once and the last 10 after 300 ms. By the nearest-rank definition
# the 90th percentile is the 90th value in order, a fast one. autocannon reports this value. ab and
# hey take the value at index 90 of the sorted hundred, which is the 91st, a slow one. At a step in
# the distribution their p90 differs from autocannon's by the whole step, so that percentiles of two
# tools cannot be compared, even for equal answers.
#
# Seen with ab 2.3 (Debian apache2-utils 2.4.71), hey 0.1.4 (Debian) and autocannon 9.0.0 (npm).
# Needs apt-get (Debian), dpkg, npm and python3, and no root. Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

apt-get download -qq apache2-utils=2.4.71-1~deb12u1 libapr1 libaprutil1 hey=0.1.4-2+b4 >/dev/null 2>&1
for package in ./*.deb; do dpkg -x "$package" unpacked; done
export PATH="$folder/unpacked/usr/bin:$PATH" LD_LIBRARY_PATH
LD_LIBRARY_PATH=$(dirname "$(find unpacked -name 'libapr-1.so.0')")
LD_LIBRARY_PATH=$folder/$LD_LIBRARY_PATH
npm install --silent --prefix npm autocannon@9.0.0 >/dev/null

cat >server.py <<'PYTHON'
import http.server, itertools, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    number = itertools.count(1)

    def do_GET(self):
        if self.path == "/again":
            Handler.number = itertools.count(1)
        elif next(Handler.number) > 90:
            time.sleep(0.3)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
coproc SERVER { exec python3 server.py; }
server=$SERVER_PID
read -r port <&"${SERVER[0]}"
url=http://127.0.0.1:$port
again() { python3 -c "import urllib.request; urllib.request.urlopen('$url/again').read()"; }

ab -V | head -n 1
again
ab_p90=$(ab -q -n 100 -c 1 "$url/" | awk '$1 == "90%" { print $2 }')
again
hey_p90=$(hey -n 100 -c 1 -cpus 1 "$url/" | awk '/90% in/ { print $3 * 1000 }')
again
autocannon_p90=$(npm/node_modules/.bin/autocannon -c 1 -a 100 -j "$url/" 2>/dev/null |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["latency"]["p90"])')
echo "90th percentile in ms: ab $ab_p90, hey $hey_p90, autocannon $autocannon_p90"
python3 - "$ab_p90" "$hey_p90" "$autocannon_p90" <<'PYTHON'
import sys
ab, hey, autocannon = map(float, sys.argv[1:])
as_described = ab >= 300 and hey >= 300 and autocannon < 300
print("as described" if as_described else "this has changed")
sys.exit(not as_described)
PYTHON
