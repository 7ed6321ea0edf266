// What a worker and its clients speak: HTTP/1.1, HTTP/2 beside it, or what they agree on over TLS.
import fs from "node:fs";

// The number of TLS 1.3 in its messages, by which Bun calls it.
const TLS_1_3 = 0x0304;

// The options of Bun.serve for it.
export function protocol({ tlsCert, tlsKey, h2c }) {
  if (!tlsCert) {
    return h2c ? { http2: true } : {};
  }
  const [cert, key] = [tlsCert, tlsKey].map((path) => fs.readFileSync(path, "utf8"));
  return { http2: true, tls: { cert, key, minVersion: TLS_1_3 } };
}

// What is wrong with the files of TLS, in one line. Bun has no other check than to serve.
export async function check(flags) {
  try {
    await Bun.serve({ hostname: "localhost", port: 0, ...protocol(flags), fetch: () => undefined }).stop();
    return undefined;
  } catch (error) {
    return error.path ? `${error.path}: ${error.code}` : `${flags.tlsCert} with the key ${flags.tlsKey}: ${error.message}`;
  }
}
