// A worker: one event loop, and the connections that the main process has given it.
import process from "node:process";

import { announceEnd, create, end, hasTooMany, HEAD_BYTES, HEAD_FIELDS } from "./protocol.mjs";

// The limit of a body.
const BODY_BYTES = 1024 * 1024;

// Milliseconds for which the worker still accepts connections once a drain has begun, so that it
// answers requests that are on their way.
const DRAIN_GRACE = 500;

// Connections that the kernel holds until the main process accepts them.
const BACKLOG = 4096;

// The path of a target, which may have the absolute form.
const PATH = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i;

let draining = false;
let idleTimeout;

// Serves on the address until the main process sends a message.
export function work(flags) {
  idleTimeout = flags.idleTimeout;
  const options = {
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: flags.headTimeout,
    keepAliveTimeout: idleTimeout,
    // A whole request has no timeout: a body has no time limit while its client keeps sending.
    requestTimeout: 0,
    // The interval in which Node looks for late heads, in milliseconds.
    connectionsCheckingInterval: Math.min(500, flags.headTimeout / 2),
    noDelay: true,
  };
  const server = create(flags, options, answer);
  server.timeout = flags.writeTimeout;
  server.maxRequestsPerSocket = 0;
  // Node silently drops fields beyond this number. One too many is kept, so that `answer` sees it.
  server.maxHeadersCount = HEAD_FIELDS + 1;
  server.on("error", (error) => process.send(error.code));
  server.listen({ host: process.env.ADDRESS, port: flags.port, backlog: BACKLOG });

  // A terminal sends these signals to the whole process group. The main process handles them for its
  // workers.
  ["SIGTERM", "SIGINT"].forEach((signal) => process.on(signal, () => {}));
  process.on("message", () => drain(server, flags.drainTimeout));
}

function answer(request, response) {
  if (draining) {
    response.shouldKeepAlive = false;
  }
  if (request.rawHeaders.length > 2 * HEAD_FIELDS && hasTooMany(request)) {
    refuse(response, 431);
  } else if (request.method === "GET" || request.method === "HEAD") {
    greet(request, response);
  } else {
    discard(request, response);
  }
}

function greet(request, response) {
  const body = `Hello, visitor! You've requested: ${PATH.exec(request.url)[1] || "/"}\n`;
  // Node decodes the bytes of a target as Latin-1.
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": body.length });
  response.end(body, "latin1");
}

// Reads a body up to the limit, drops it, and then answers. Node answers a malformed body itself.
function discard(request, response) {
  let left = BODY_BYTES;
  if (request.headers["content-length"] > left) {
    refuse(response, 413);
    return;
  }
  request.socket.setTimeout(idleTimeout);
  request.on("data", (piece) => {
    left -= piece.length;
    if (left < 0 && !response.headersSent) {
      refuse(response, 413);
    }
  });
  request.on("end", () => {
    if (!response.headersSent) {
      response.writeHead(405, { Allow: "GET, HEAD", "Content-Length": 0 }).end();
    }
  });
}

function refuse(response, status) {
  const length = { "Content-Length": 0 };
  if (response.stream) {
    // Over HTTP/2 only the stream ends, without the rest of its body.
    response.stream.respond({ ":status": status, ...length }, { endStream: true });
    if (!response.stream.endAfterHeaders) {
      response.stream.close();
    }
  } else {
    response.writeHead(status, { Connection: "close", ...length }).end();
  }
}

// From now on answers close their connections. After a grace period idle connections are closed,
// and at the limit all connections.
function drain(server, limit) {
  draining = true;
  announceEnd();
  setTimeout(() => {
    server.close(() => process.exit(0));
    end();
    server.closeIdleConnections?.();
  }, Math.min(DRAIN_GRACE, limit));
  setTimeout(() => process.exit(0), limit);
}
