#!/usr/bin/env node
// The endpoint on node:http, in one process.
'use strict';

const http = require('node:http');
const { parseArgs } = require('node:util');

// The endpoint: replace this function, `handle` and `pathOf`.
function answer(request, response) {
  const path = pathOf(request.url);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD', 'Content-Length': 0 }).end();
  } else if (!path) {
    response.writeHead(400, { Connection: 'close', 'Content-Length': 0 }).end();
  } else {
    const body = `Hello, visitor! You've requested: ${path}\n`;
    response.writeHead(200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(body);
  }
}

// Answers once the body, if there is one, has been read and dropped.
function handle(request, response) {
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
  if (hasBody) request.resume().on('end', () => answer(request, response));
  else answer(request, response);
}

// The path of a request target as the client sent it: not decoded, not cleaned, without query and
// fragment.
function pathOf(target) {
  const found = /^(?:(\/[^?#]*)|http:\/\/[^/?#@]+(\/[^?#]*)?)(?:[?#]|$)/i.exec(target);
  return found && (found[1] || found[2] || '/');
}

// The process contract: flags, a ready line, a version, and a graceful shutdown.
function main() {
  const { host, port, version } = flags();
  if (version) {
    console.log(`server-NAME 0.1.0 (node ${process.versions.node})`);
    return;
  }
  const server = http.createServer({ maxHeaderSize: 16384, headersTimeout: 10000, keepAliveTimeout: 60000 }, handle);
  server.on('error', (error) => fail(error.message));
  server.listen({ host, port, backlog: 4096 }, () => {
    console.log(`listening on http://${host.includes(':') ? `[${host}]` : host}:${server.address().port}`);
  });
  for (const [name, number] of [['SIGTERM', 15], ['SIGINT', 2]]) {
    process.once(name, () => {
      for (const again of ['SIGTERM', 'SIGINT']) process.on(again, () => process.exit(128 + number));
      server.close(() => process.exit(0)); // idle connections are closed at once
      setTimeout(() => process.exit(0), 10000).unref();
    });
  }
}

function flags() {
  const { HOST, PORT } = process.env; // empty variables count as unset
  const options = { host: { type: 'string' }, port: { type: 'string' }, version: { type: 'boolean' } };
  try {
    const { host = HOST || '127.0.0.1', port = PORT || '8080', version } = parseArgs({ options }).values;
    if (!/^\d+$/.test(port) || Number(port) > 65535) throw new Error(`port ${port}: it is a number up to 65535`);
    return { host, port: Number(port), version };
  } catch (error) {
    return fail(error.message, 2);
  }
}

function fail(message, code = 1) {
  console.error(`error: ${message}`);
  process.exit(code);
}

main();
