#!/usr/bin/env bash
# Where no server listens, h2load reports 10 of 10 requests as failed in a run by count, and 0 in a run by duration.
#
# With `-n 10` h2load counts every request that it could not send as failed and errored. With `-D 1`,
# and the same clients, address and refused connections, it reports 0 failed, 0 errored and 0 timeout:
# a request without a connection is never "started", and a timed run counts only started requests. The
# exit code is 0 in both cases. A script that looks for failures of a timed run finds none: it has to
# look for `0 done` instead.
#
# Seen with h2load of nghttp2 1.52.0 (Debian nghttp2-client 1.52.0-1+deb12u3).
# Needs apt-get (Debian), dpkg and python3, and no root. Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

apt-get download -qq nghttp2-client=1.52.0-1+deb12u3 libnghttp2-14 libev4 libc-ares2 libjansson4 >/dev/null 2>&1
for package in ./*.deb; do dpkg -x "$package" unpacked; done
LD_LIBRARY_PATH=$(find "$folder/unpacked" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH
h2load=unpacked/usr/bin/h2load
$h2load --version

# The program binds a port and does not listen on it: every connect is refused while the program runs.
coproc HELD { exec python3 -c 'import socket, sys
held = socket.socket()
held.bind(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
sys.stdin.read()'; }
read -r port <&"${HELD[0]}"
url=http://127.0.0.1:$port/

by_count=$($h2load --h1 -c 2 -n 10 "$url" | grep '^requests:') && count_exit=$?
by_time=$($h2load --h1 -c 2 -D 1 "$url" | grep '^requests:') && time_exit=$?
echo "-n 10: $by_count (exit $count_exit)"
echo "-D 1:  $by_time (exit $time_exit)"
if [[ $by_count == *" 10 failed, 10 errored"* && $by_time == *" 0 failed, 0 errored, 0 timeout"* ]]; then
    echo "as described"
else
    echo "this has changed"
    exit 1
fi
