// The protocol of a worker: HTTP/1.1, HTTP/2, or the one that a client agrees on over TLS.
import fs from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import tls from "node:tls";

// Streams that a client of HTTP/2 may have open.
const STREAMS = 128;

// nghttp2, within Node, limits a head to 64 KiB, which has no room for this many fields.
const MOST_FIELDS = 2048;

// The number of fields that replace the request line in HTTP/2.
const PSEUDO_FIELDS = 4;

// The highest last stream of a GOAWAY: all streams that the client has begun are answered.
const ALL_STREAMS = 2 ** 31 - 1;

// The limits of a head.
export const HEAD_BYTES = 16 * 1024;
export const HEAD_FIELDS = 100;

// Returns a server that does not listen yet. The options are those of node:http.
export function create(flags, options, answer) {
  if (!flags.tlsCert && !flags.h2c) {
    return http.createServer(options, answer);
  }
  const further = {
    settings: { maxConcurrentStreams: STREAMS, maxHeaderListSize: HEAD_BYTES },
    // More fields than this would end the stream without an answer.
    maxHeaderListPairs: MOST_FIELDS,
    noDelay: true,
  };
  const server = flags.h2c
    ? http2.createServer(further, answer)
    : http2.createSecureServer({ ...further, ...encryption(flags), allowHTTP1: true }, answer);
  // For HTTP/1.1 clients, this server has the options only as properties, without their defaults.
  Object.assign(server, { requireHostHeader: true, ...options });
  server.on("session", (session) => begin(session, flags.idleTimeout));
  return server;
}

// Returns what is wrong with the TLS files, in one line.
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

// The open HTTP/2 connections.
const sessions = new Set();

// A session has a single timeout, whatever it waits for.
function begin(session, timeout) {
  sessions.add(session);
  session.once("close", () => sessions.delete(session));
  session.setTimeout(timeout, () => session.destroy());
}

// Tells clients of HTTP/2 to begin no further streams. Streams on their way are answered.
export function announceEnd() {
  for (const session of sessions) {
    // A session that has ended stays in the set until it says so.
    if (!session.destroyed) {
      session.goaway(http2.constants.NGHTTP2_NO_ERROR, ALL_STREAMS);
    }
  }
}

// Ends each HTTP/2 connection once its open streams have ended.
export function end() {
  sessions.forEach((session) => session.close());
}

// Whether a request with more than HEAD_FIELDS fields has too many. Pseudo-fields do not count.
export function hasTooMany(request) {
  return request.httpVersionMajor < 2 || request.rawHeaders.length > 2 * (HEAD_FIELDS + PSEUDO_FIELDS);
}
