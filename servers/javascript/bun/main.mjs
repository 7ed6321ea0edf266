// The main process: it finds the address, starts the workers, and ends them.
import dns from "node:dns/promises";
import net from "node:net";
import os from "node:os";
import process from "node:process";

import { check } from "./protocol.mjs";

// Starts the workers, and prints the ready line once all of them listen.
export async function lead(flags, variable) {
  const wrong = flags.tlsCert && (await check(flags));
  if (wrong) {
    fail(wrong);
  }
  const address = await find(flags);
  const scheme = flags.tlsCert ? "https" : "http";
  const told = JSON.stringify({ ...flags, ...address });
  const workers = new Set();
  let listening = 0;
  let ending = false;

  const hear = ({ failed }) => {
    if (failed) {
      workers.forEach((worker) => worker.kill("SIGKILL"));
      fail(cannotListen(flags, failed));
    }
    listening += 1;
    if (listening === flags.workers) {
      const host = address.host.includes(":") ? `[${address.host}]` : address.host;
      process.stdout.write(`listening on ${scheme}://${host}:${address.port}\n`);
    }
  };
  const start = () => {
    const worker = Bun.spawn([process.execPath, "server.mjs"], {
      env: { ...process.env, [variable]: told },
      stdio: ["ignore", "ignore", "inherit"],
      ipc: hear,
      // A worker that dies is replaced, unless the server is draining.
      onExit: () => {
        workers.delete(worker);
        if (!ending) {
          start();
        } else if (workers.size === 0) {
          process.exit(0);
        }
      },
    });
    workers.add(worker);
  };
  for (let number = 0; number < flags.workers; number += 1) {
    start();
  }

  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
      if (ending) {
        workers.forEach((worker) => worker.kill("SIGKILL"));
        process.exit(128 + os.constants.signals[signal]);
      }
      ending = true;
      workers.forEach((worker) => worker.send("drain"));
    });
  }
}

// Returns the first address of the host that is available, with its port.
async function find(flags) {
  let failed;
  try {
    for (const { address } of await dns.lookup(flags.host.replace(/^\[|\]$/g, ""), { all: true })) {
      const { port, code } = await trial(address, flags.port);
      if (port) {
        return { host: address, port };
      }
      failed = code;
    }
  } catch (error) {
    failed = error.code;
  }
  return fail(cannotListen(flags, failed));
}

// Listens for a moment without sharing the port: workers would share it even with another server.
// Returns the port, or the code of the error.
function trial(host, port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", ({ code }) => resolve({ code }));
    server.listen({ host, port }, () => {
      const found = server.address();
      server.close(() => resolve(found));
    });
  });
}

function cannotListen(flags, code) {
  return `cannot listen on ${flags.host}:${flags.port}: ${code}`;
}

function fail(why) {
  process.stderr.write(`error: ${why}\n`);
  process.exit(1);
}
