// A worker: one event loop, and the connections that the main process has dealt to it.
import http from "node:http";
import process from "node:process";

// The limits of the endpoint, where Node does not count for itself.
const HEAD_BYTES = 16 * 1024;
const HEAD_FIELDS = 100;
const BODY_BYTES = 1024 * 1024;

// How long connections are still taken once a shutdown has begun, so that a request on its way is answered.
const DRAIN_GRACE = 500;

// As many connections as the main process holds until a worker takes them.
const BACKLOG = 4096;

// The path of a target, which may be of the absolute form.
const PATH = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/i;

let draining = false;
let idleTimeout;

// Serves on the address until the main process says otherwise.
export function work(flags) {
  idleTimeout = flags.idleTimeout;
  const options = {
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: flags.headTimeout,
    keepAliveTimeout: idleTimeout,
    // That of a whole request. A body may take its time, as long as its client is not silent.
    requestTimeout: 0,
    // How often it is looked whether a head is late.
    connectionsCheckingInterval: Math.min(500, flags.headTimeout / 2),
    noDelay: true,
  };
  const server = http.createServer(options, answer);
  server.timeout = flags.writeTimeout;
  server.maxRequestsPerSocket = 0;
  // Those beyond it are dropped without a word, so there is room for one that is too many.
  server.maxHeadersCount = HEAD_FIELDS + 1;
  server.on("error", (error) => process.send(error.code));
  server.listen({ host: process.env.ADDRESS, port: flags.port, backlog: BACKLOG });

  // A terminal sends these to all of the group. It is the main process that says what comes of them.
  ["SIGTERM", "SIGINT"].forEach((signal) => process.on(signal, () => {}));
  process.on("message", () => drain(server, flags.drainTimeout));
}

function answer(request, response) {
  if (draining) {
    response.shouldKeepAlive = false;
  }
  if (request.rawHeaders.length > 2 * HEAD_FIELDS) {
    refuse(response, 431);
  } else if (request.method === "GET" || request.method === "HEAD") {
    greet(request, response);
  } else {
    discard(request, response);
  }
}

function greet(request, response) {
  const body = `Hello, visitor! You've requested: ${PATH.exec(request.url)[1] || "/"}\n`;
  // Targets are bytes, of which Node makes a character each.
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": body.length });
  response.end(body, "latin1");
}

// Reads a body and drops it, up to the limit, and answers then: a body that is broken is answered by Node.
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
  response.writeHead(status, { Connection: "close", "Content-Length": 0 }).end();
}

// Answers close their connections from now on; in a moment those that wait are closed as well, and in the end all.
function drain(server, limit) {
  draining = true;
  setTimeout(() => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  }, Math.min(DRAIN_GRACE, limit));
  setTimeout(() => process.exit(0), limit);
}
