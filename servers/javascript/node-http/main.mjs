// The main process: it has the listening socket, distributes connections to its workers in turn,
// and ends them.
import cluster from "node:cluster";
import dns from "node:dns/promises";
import net from "node:net";
import os from "node:os";
import process from "node:process";

import { check } from "./protocol.mjs";

// Starts the workers, and prints the ready line once all of them listen.
export async function lead(flags) {
  const wrong = flags.tlsCert && check(flags);
  if (wrong) {
    fail(wrong);
  }
  const address = await find(flags);
  const scheme = flags.tlsCert ? "https" : "http";
  const start = () => cluster.fork({ ADDRESS: address });
  let listening = 0;
  let ending = false;
  cluster.on("listening", (_, { port }) => {
    listening += 1;
    if (listening === flags.workers) {
      const host = address.includes(":") ? `[${address}]` : address;
      process.stdout.write(`listening on ${scheme}://${host}:${port}\n`);
    }
  });
  cluster.on("message", (_, code) => fail(cannotListen(flags, code)));
  // A worker that dies is replaced, unless the server is draining.
  cluster.on("exit", () => ending || start());
  for (let number = 0; number < flags.workers; number += 1) {
    start();
  }

  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
      if (ending) {
        Object.values(cluster.workers).forEach((worker) => worker.process.kill("SIGKILL"));
        process.exit(128 + os.constants.signals[signal]);
      }
      ending = true;
      // Once the workers have ended this process has nothing to wait for, and Node ends it.
      Object.values(cluster.workers).forEach((worker) => worker.send("drain"));
    });
  }
}

// Returns the first address of the host that is available.
async function find(flags) {
  let failed;
  try {
    for (const { address } of await dns.lookup(flags.host.replace(/^\[|\]$/g, ""), { all: true })) {
      failed = await trial(address, flags.port);
      if (!failed) {
        return address;
      }
    }
  } catch (error) {
    failed = error.code;
  }
  return fail(cannotListen(flags, failed));
}

// Listens for a moment. Returns the code of the error if that fails.
function trial(host, port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", (error) => resolve(error.code));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}

function cannotListen(flags, code) {
  return `cannot listen on ${flags.host}:${flags.port}: ${code}`;
}

function fail(why) {
  process.stderr.write(`error: ${why}\n`);
  process.exit(1);
}
