#!/usr/bin/env bash
# Node answers one of 400 valid requests that are pipelined over HTTPS, and ends the connection. Over
# HTTP the same bytes get 400 answers.
#
# A server that has 16 KiB of answers to send (64 KiB since node 22) pauses the socket and the parser
# until they are sent. It reads nothing more from a paused TCP socket. It reads nothing more from a
# paused TLS socket either, but it still decrypts the records that came in the same read as the first
# one, and passes them to the parser (`ClearOut` in src/crypto/crypto_tls.cc). The paused parser returns
# the error HPE_PAUSED, which the server takes for a malformed request: it emits 'clientError', and by
# default ends the connection.
#
# All requests are answered if they fit into one record (16 KiB), if the answers are short in total, or
# if the client reads the answers to one record before it sends the next. Other connections are served
# as before. A load tool that sends more than 16 KiB at once measures this.
#
# Seen with node 20.20.2 and 26.10.0 (npm): over HTTPS, 1 of 400 requests answered, with and without a
# listener for 'clientError'. Needs npm and openssl, and no root. Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
    -subj /CN=localhost -keyout key.pem -out certificate.pem 2>/dev/null

cat >program.js <<'JAVASCRIPT'
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');
const tls = require('tls');

/** A request of `bytes` bytes for an answer with a body of `body` bytes. */
function request(bytes, body) {
  const [start, end] = [`GET /${body} HTTP/1.1\r\nHost: localhost\r\nX: `, '\r\n\r\n'];
  return start + 'x'.repeat(bytes - start.length - end.length) + end;
}

const small = request(50, 1000);
// Each case lists the parts that the client sends. It sends a part when the parts before are answered.
const cases = [
  ['http, 400 requests in 20000 bytes', [small.repeat(400)], '400 answered'],
  ['https, 1 request in 50 bytes', [small], '1 answered'],
  ['https, 327 requests in 16350 bytes, 1 record', [small.repeat(327)], '327 answered'],
  ['https, 400 requests in 20000 bytes, 2 records', [small.repeat(400)], '1 answered, then the end, HPE_PAUSED'],
  ['https, twice 200 requests in 10000 bytes', [small.repeat(200), small.repeat(200)], '400 answered'],
  ['https, 20 requests in 20000 bytes, short answers', [request(1000, 0).repeat(20)], '20 answered'],
  ['https, another connection', [small], '1 answered'],
];

/** Returns the number of a client's answers, whether the connection ends before the last, and the errors. */
function seen(server, parts, errors) {
  errors.clear();
  const isSecure = server instanceof https.Server;
  let sent = 0, expected = 0, text = '';
  const answers = () => text.split('HTTP/1.1 200 OK').length - 1;
  return new Promise(resolve => {
    const address = { host: '127.0.0.1', port: server.address().port };
    const socket = isSecure ? tls.connect({ ...address, rejectUnauthorized: false }) : net.connect(address);
    // The client and the server share a thread, so a whole part has arrived when the server reads.
    const send = () => {
      expected += parts[sent].split('GET ').length - 1;
      socket.write(parts[sent++]);
    };
    socket.on(isSecure ? 'secureConnect' : 'connect', send);
    socket.on('data', data => {
      text += data;
      if (answers() < expected) return;
      if (sent < parts.length) send();
      else socket.destroy();
    });
    socket.setTimeout(30000, () => socket.destroy(new Error('timeout')));
    socket.on('error', error => errors.add(error.message));
    socket.on('close', () => {
      const isWhole = sent === parts.length && answers() === expected;
      resolve([`${answers()} answered`, ...(isWhole ? [] : ['then the end']), ...errors].join(', '));
    });
  });
}

async function main() {
  const hasListener = process.argv[2] === 'listener';
  const answer = (request, response) => response.end('x'.repeat(Number(request.url.slice(1))));
  const options = { key: fs.readFileSync('key.pem'), cert: fs.readFileSync('certificate.pem') };
  const servers = { http: http.createServer(answer), https: https.createServer(options, answer) };
  const errors = new Set();
  for (const server of Object.values(servers)) {
    if (hasListener) {
      server.on('clientError', (error, socket) => {
        errors.add(error.code);
        socket.destroy();
      });
    }
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  }
  console.log(`node ${process.version}, ${hasListener ? 'a' : 'no'} listener for 'clientError'`);
  let isAsDescribed = true;
  for (const [name, parts, described] of cases) {
    const result = await seen(servers[name.split(',')[0]], parts, errors);
    console.log(`  ${name}: ${result}`);
    isAsDescribed &&= result === (hasListener ? described : described.replace(', HPE_PAUSED', ''));
  }
  process.exit(isAsDescribed ? 0 : 1);
}

main();
JAVASCRIPT

changed=0
for version in 20.20.2 26.10.0; do
    npm install --silent --prefix "$version" "node@$version" >/dev/null
    node=$version/node_modules/node/bin/node
    "$node" program.js listener || changed=1
    "$node" program.js none || changed=1
done
if ((changed == 0)); then
    echo "as described"
else
    echo "this has changed"
    exit 1
fi
