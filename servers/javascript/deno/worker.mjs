// A worker: a thread with an event loop, and a socket of its own on the port.

// The limit of a body.
const BODY_BYTES = 1024 * 1024;

// Milliseconds for which the worker still accepts connections once a drain has begun, so that it
// answers requests that are on their way.
const DRAIN_GRACE = 500;

const TYPE = { "content-type": "text/plain; charset=utf-8" };

let server;
let draining = false;

// The first message is the address, the second asks for the drain.
self.onmessage = ({ data }) => {
  if (server) {
    drain();
  } else {
    serve(data);
  }
};

function serve(address) {
  try {
    server = Deno.serve({ ...address, reusePort: true, onListen: () => self.postMessage({}) }, answer);
  } catch (error) {
    self.postMessage({ failed: error.code ?? error.name });
  }
}

function answer(request) {
  if (request.method === "GET" || request.method === "HEAD") {
    const body = `Hello, visitor! You've requested: ${new URL(request.url).pathname}\n`;
    if (request.method === "GET") {
      return new Response(body, { headers: { ...closing(), ...TYPE } });
    }
    // Over HTTP/2, Deno would send the body. The path of a URL is ASCII, one byte per character.
    return new Response(null, { headers: { ...closing(), ...TYPE, "content-length": body.length } });
  }
  return refuse(request);
}

// Reads a body up to the limit and drops it, and then answers.
async function refuse(request) {
  let left = BODY_BYTES;
  if (request.headers.get("content-length") > left) {
    return error(413);
  }
  try {
    for await (const piece of request.body ?? []) {
      left -= piece.length;
      if (left < 0) {
        return error(413);
      }
    }
  } catch {
    // The body is malformed, or the client has left. Deno itself would answer with 500.
    return error(400);
  }
  return new Response(null, { status: 405, headers: { ...closing(), allow: "GET, HEAD" } });
}

function error(status) {
  return new Response(null, { status, headers: { connection: "close" } });
}

function closing() {
  return draining ? { connection: "close" } : {};
}

// From now on answers ask clients to close their connections. After a grace period Deno shuts down, which closes
// idle connections.
function drain() {
  draining = true;
  setTimeout(() => server.shutdown().then(() => self.postMessage({ ended: true })), DRAIN_GRACE);
}
