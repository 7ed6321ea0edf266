// The endpoint on Deno.serve: one worker per core, like `deno serve --parallel`. The main thread
// starts the workers, which share the port, and ends them.
import { lookup } from "node:dns/promises";
import os from "node:os";

import { readFlags } from "./flags.mjs";

// The value of SIG_SETMASK on Linux, and the size of a signal set in bytes.
const SIG_SETMASK = 2;
const SIGNAL_SET_BYTES = 128;

const flags = readFlags();
if (flags.version) {
  console.log(`server-deno 0.1.0 (deno ${Deno.version.deno}, v8 ${Deno.version.v8})`);
} else {
  unblockSignals();
  const encryption = flags.tlsCert ? readFiles() : {};
  lead({ ...(await find()), ...encryption });
}

// A parent may have blocked SIGTERM, and this process inherits the signal mask. Deno has no other
// way to change it.
function unblockSignals() {
  const types = { parameters: ["i32", "buffer", "pointer"], result: "i32" };
  const libc = Deno.dlopen("libc.so.6", { pthread_sigmask: types });
  libc.symbols.pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGNAL_SET_BYTES), null);
  libc.close();
}

// Starts the workers, prints the ready line once all of them listen, and ends when they have ended.
function lead(address) {
  const workers = Array.from({ length: flags.workers }, () => {
    const worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
    worker.postMessage(address);
    return worker;
  });

  let listening = 0;
  let ended = 0;
  for (const worker of workers) {
    worker.onmessage = ({ data }) => {
      if (data.failed) {
        fail(cannotListen(data.failed));
      } else if (data.ended) {
        ended += 1;
        if (ended === flags.workers) {
          Deno.exit(0);
        }
      } else {
        listening += 1;
        if (listening === flags.workers) {
          const scheme = flags.tlsCert ? "https" : "http";
          const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
          Deno.stdout.writeSync(new TextEncoder().encode(`listening on ${scheme}://${host}:${address.port}\n`));
        }
      }
    };
  }

  let draining = false;
  for (const signal of ["SIGTERM", "SIGINT"]) {
    Deno.addSignalListener(signal, () => {
      if (draining) {
        Deno.exit(128 + os.constants.signals[signal]);
      }
      draining = true;
      workers.forEach((worker) => worker.postMessage("drain"));
      setTimeout(() => Deno.exit(0), flags.drainTimeout);
    });
  }
}

// Returns the first address of the host that is available, with its port. Listens on it for a moment
// without sharing the port: the workers would share it even with another server.
async function find() {
  let failed;
  try {
    for (const { address } of await lookup(flags.host.replace(/^\[|\]$/g, ""), { all: true })) {
      try {
        const listener = Deno.listen({ hostname: address, port: flags.port });
        const { hostname, port } = listener.addr;
        listener.close();
        return { hostname, port };
      } catch (error) {
        failed = error.code ?? error.name;
      }
    }
  } catch (error) {
    failed = error.code;
  }
  return fail(cannotListen(failed));
}

// Returns the certificate and its key. Deno can check them only by listening.
function readFiles() {
  const [cert, key] = [flags.tlsCert, flags.tlsKey].map((path) => {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      return fail(`${path}: ${error.code ?? error.name}`);
    }
  });
  try {
    Deno.listenTls({ hostname: "localhost", port: 0, cert, key }).close();
  } catch (error) {
    fail(`${flags.tlsCert} with the key ${flags.tlsKey}: ${error.message}`);
  }
  return { cert, key };
}

function cannotListen(code) {
  return `cannot listen on ${flags.host}:${flags.port}: ${code}`;
}

function fail(why) {
  console.error(`error: ${why}`);
  Deno.exit(1);
}
