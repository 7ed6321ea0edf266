// What a worker and its clients speak: HTTP/1.1, HTTP/2, or what they agree on over TLS.
import fs from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import tls from "node:tls";

// Streams that a client of HTTP/2 may have open.
const STREAMS = 128;

// More fields than the 64 KiB have room for to which nghttp2, within Node, limits a head.
const MOST_FIELDS = 2048;

// The fields of a request that HTTP/2 has for the request line.
const PSEUDO_FIELDS = 4;

// The greatest last stream of a GOAWAY: all that the client has begun are answered.
const ALL_STREAMS = 2 ** 31 - 1;

// The limits of a head.
export const HEAD_BYTES = 16 * 1024;
export const HEAD_FIELDS = 100;

// A server that is not listening yet, with options as those of node:http.
export function create(flags, options, answer) {
  if (!flags.tlsCert && !flags.h2c) {
    return http.createServer(options, answer);
  }
  const further = {
    settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: HEAD_BYTES },
    // Further fields would end the stream without an answer.
    maxHeaderListPairs: MOST_FIELDS,
    noDelay: true,
  };
  const server = flags.h2c
    ? http2.createServer(further, answer)
    : http2.createSecureServer({ ...further, ...encryption(flags), allowHTTP1: true }, answer);
  // For clients of HTTP/1.1 it has the options only as properties, without their defaults.
  Object.assign(server, { requireHostHeader: true, ...options });
  server.on("session", (session) => begin(session, flags.idleTimeout));
  return server;
}

// What is wrong with the files of TLS, in one line.
export function check(flags) {
  try {
    tls.createSecureContext(encryption(flags));
    return undefined;
  } catch (error) {
    return error.path ? `${error.path}: ${error.code}` : `${flags.tlsCert} with the key ${flags.tlsKey}: ${error.message}`;
  }
}

function encryption(flags) {
  return {
    cert: fs.readFileSync(flags.tlsCert),
    key: fs.readFileSync(flags.tlsKey),
    minVersion: "TLSv1.3",
    handshakeTimeout: flags.headTimeout,
  };
}

// The connections of HTTP/2.
const sessions = new Set();

// A session has one timeout, for all waiting.
function begin(session, timeout) {
  sessions.add(session);
  session.once("close", () => sessions.delete(session));
  session.setTimeout(timeout, () => session.destroy());
}

// Tells clients of HTTP/2 to begin no further streams. Those on their way are answered.
export function announceEnd() {
  for (const session of sessions) {
    // One that has ended is here until it says so.
    if (!session.destroyed) {
      session.goaway(http2.constants.NGHTTP2_NO_ERROR, ALL_STREAMS);
    }
  }
}

// Ends each connection of HTTP/2 after the streams that it has.
export function end() {
  sessions.forEach((session) => session.close());
}

// Whether a request whose names and values are too many has too many fields.
export function hasTooMany(request) {
  return request.httpVersionMajor < 2 || request.rawHeaders.length > 2 * (HEAD_FIELDS + PSEUDO_FIELDS);
}
