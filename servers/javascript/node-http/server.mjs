// The endpoint on Node's http: a main process starts workers, and listens for them.
import cluster from "node:cluster";
import process from "node:process";

import { readFlags } from "./flags.mjs";
import { lead } from "./main.mjs";
import { work } from "./worker.mjs";

const flags = readFlags();
if (flags.version) {
  console.log(`server-node-http 0.1.0 (node ${process.versions.node})`);
} else if (cluster.isPrimary) {
  lead(flags);
} else {
  work(flags);
}
