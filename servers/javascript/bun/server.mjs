// The endpoint on Bun.serve. The main process starts workers, which share the port, and ends them.
import process from "node:process";

import { readFlags } from "./flags.mjs";
import { lead } from "./main.mjs";
import { work } from "./worker.mjs";

// A worker is this program, started with its flags in this variable.
const WORKER = "BUN_SERVER_WORKER";

if (process.env[WORKER]) {
  work(JSON.parse(process.env[WORKER]));
} else {
  const flags = readFlags();
  if (flags.version) {
    console.log(`server-bun 0.1.0 (bun ${Bun.version})`);
  } else {
    lead(flags, WORKER);
  }
}
