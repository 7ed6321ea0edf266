// The protocol of a worker: HTTP/1.1, that and HTTP/2, or the one that a client agrees on over TLS.
import fs from "node:fs";

// The number of TLS 1.3 in TLS messages, by which Bun identifies the version.
const TLS_1_3 = 0x0304;

// The options of Bun.serve for the protocol.
export function protocol({ tlsCert, tlsKey, h2c }) {
  if (!tlsCert) {
    return h2c ? { http2: true } : {};
  }
  const [cert, key] = [tlsCert, tlsKey].map((path) => fs.readFileSync(path, "utf8"));
  return { http2: true, tls: { cert, key, minVersion: TLS_1_3 } };
}

// Returns what is wrong with the TLS files, in one line. Bun can check them only by serving.
export async function check(flags) {
  try {
    await Bun.serve({ hostname: "localhost", port: 0, ...protocol(flags), fetch: () => undefined }).stop();
    return undefined;
  } catch (error) {
    return error.path ? `${error.path}: ${error.code}` : `${flags.tlsCert} with the key ${flags.tlsKey}: ${error.message}`;
  }
}
