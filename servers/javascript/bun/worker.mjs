// A worker: one event loop, and a socket of its own on the port.
import process from "node:process";

import { protocol } from "./protocol.mjs";

// The limit of a body.
const BODY_BYTES = 1024 * 1024;

// Milliseconds for which the worker still accepts connections once a drain has begun, so that it
// answers requests that are on their way.
const DRAIN_GRACE = 500;

// Bun's longest timeout, in seconds.
const LONGEST_TIMEOUT = 255;

// Stands for the host of a request that names none: the URL of such a request is only a path.
const NO_HOST = "http://localhost";

const TYPE = { "Content-Type": "text/plain; charset=utf-8" };

let draining = false;

// Serves until the main process sends a message.
export function work(flags) {
  let server;
  try {
    server = Bun.serve({
      hostname: flags.host,
      port: flags.port,
      reusePort: true,
      // Bun counts whole seconds.
      idleTimeout: Math.min(Math.ceil(flags.idleTimeout / 1000), LONGEST_TIMEOUT),
      maxRequestBodySize: BODY_BYTES,
      development: false,
      ...protocol(flags),
      fetch: answer,
    });
  } catch (error) {
    process.send({ failed: error.code });
    return;
  }

  // A terminal sends these signals to the whole process group. The main process handles them for its
  // workers.
  ["SIGTERM", "SIGINT"].forEach((signal) => process.on(signal, () => {}));
  process.on("message", () => drain(server, flags.drainTimeout));
  process.on("disconnect", () => process.exit(1));
  process.send({});
}

function answer(request) {
  if (request.method === "GET" || request.method === "HEAD") {
    const body = `Hello, visitor! You've requested: ${new URL(request.url, NO_HOST).pathname}\n`;
    return new Response(body, { headers: { ...closing(), ...TYPE } });
  }
  return refuse(request);
}

// Reads a body and drops it, and then answers. Bun itself answers a malformed one, or one over
// the limit.
async function refuse(request) {
  await request.blob();
  return new Response(null, { status: 405, headers: { ...closing(), Allow: "GET, HEAD" } });
}

function closing() {
  return draining ? { Connection: "close" } : {};
}

// From now on answers close their connections. After a grace period Bun stops, which closes idle
// connections, and at the limit all connections are closed.
function drain(server, limit) {
  draining = true;
  setTimeout(() => server.stop().then(() => process.exit(0)), Math.min(DRAIN_GRACE, limit));
  setTimeout(() => process.exit(0), limit);
}
