#!/usr/bin/env bash
# nginx answers a long path with 414 over HTTP/1.1. Over HTTP/2 it ends the connection, and all other
# requests on it.
#
# `large_client_header_buffers` limits a request line to 8 KiB by default; its documentation says that a
# longer one gets 414. Over HTTP/2 a field whose HPACK encoding is that long is a connection error: nginx
# sends GOAWAY with ENHANCE_YOUR_CALM and closes the connection, without an answer to the request and in the
# middle of the answers to others. GOAWAY names the long request as the last one that was processed, so the
# client may not treat the interrupted requests as unprocessed and send them again (RFC 9113, section 6.8).
# A browser, or a proxy whose users' requests share a connection, loses all of them to one long link.
#
# Seen with nginx 1.22.1 (Debian 1.22.1-9+deb12u11) and h2 4.3.0 as the client. Needs apt-get (Debian), dpkg
# and python3 with pip, and no root. Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap '[ -s "$folder/pid" ] && kill "$(cat "$folder/pid")"; rm -rf "$folder"' EXIT
chmod 755 "$folder" && cd "$folder"

apt-get download -qq nginx=1.22.1-9+deb12u11 >/dev/null 2>&1
dpkg -x ./nginx_*.deb unpacked
python3 -m pip install -q --root-user-action ignore --target packages h2==4.3.0 hpack==4.1.0 hyperframe==6.1.0
unpacked/usr/sbin/nginx -V 2>&1 | head -1

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
head -c 100000 /dev/zero >large
cat >nginx.conf <<CONF
pid $folder/pid;
error_log $folder/error.log;
events {}
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    # The large file takes two seconds.
    limit_rate 50k;
    server { listen 127.0.0.1:$port; root $folder; }
    server { listen 127.0.0.1:$((port + 1)) http2; root $folder; }
}
CONF
unpacked/usr/sbin/nginx -p "$folder" -c "$folder/nginx.conf" -e "$folder/error.log"

cat >client.py <<'PYTHON'
import socket
import sys

import h2.config
import h2.connection
import h2.events

port = int(sys.argv[1])


def over_http_1(path):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        return client.makefile("rb").readline().split()[1].decode()


def over_http_2(paths):
    """Returns the result of each request. All requests are on one connection."""
    outcomes = {}
    with socket.create_connection(("127.0.0.1", port + 1)) as client:
        h2_client = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        h2_client.initiate_connection()
        h2_client.increment_flow_control_window(1 << 20)
        for number, path in enumerate(paths):
            stream = 2 * number + 1
            head = [(":method", "GET"), (":scheme", "http"), (":authority", "h"), (":path", path)]
            h2_client.send_headers(stream, head, end_stream=True)
            h2_client.increment_flow_control_window(1 << 20, stream)
            outcomes[stream] = ["no answer", 0, "cut"]
        client.sendall(h2_client.data_to_send())
        while any(end == "cut" for _, _, end in outcomes.values()):
            data = client.recv(65536)
            if not data:
                break
            for event in h2_client.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    outcomes[event.stream_id][0] = dict(event.headers)[":status"]
                elif isinstance(event, h2.events.DataReceived):
                    outcomes[event.stream_id][1] += len(event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    outcomes[event.stream_id][2] = "whole"
                elif isinstance(event, h2.events.ConnectionTerminated):
                    print(f"GOAWAY: code {int(event.error_code)}, last stream {event.last_stream_id}")
        return [f"{status}, {end}" for status, _, end in outcomes.values()]


# HPACK's Huffman code for a `p` has six bits.
fits, too_long = "/" + "p" * 8000, "/" + "p" * 12000
print("HTTP/1.1:", over_http_1(fits), over_http_1(too_long))
print("HTTP/2, a file beside a path that fits: ", over_http_2(["/large", fits]))
print("HTTP/2, a file beside a longer path:    ", over_http_2(["/large", too_long]))
PYTHON
said=$(PYTHONPATH=packages python3 client.py "$port")
echo "$said"
if [[ $said == *"HTTP/1.1: 404 414"* && $said == *"fits:  ['200, whole', '404, whole']"* &&
    $said == *"longer path:     ['200, cut', 'no answer, cut']"* ]]; then
    echo "as described"
else
    echo "this has changed"
    exit 1
fi
