// The flags of the process contract, and the environment variables that stand for them.
import os from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";

const HELP = `The endpoint on Node's http

  --host HOST               address or name to listen on [default: 127.0.0.1]
  --port PORT               port to listen on; 0 takes a free one [default: 8080]
  --workers N               processes that answer requests [default: one per core]
  --head-timeout SECONDS    time from a head's first byte to its last [default: 10]
  --idle-timeout SECONDS    time for a client to send the next request [default: 60]
  --write-timeout SECONDS   time for a client to read what it was sent [default: 30]
  --drain-timeout SECONDS   time for open connections to finish after SIGTERM [default: 10]
  --tls-cert FILE           serve https with the certificate in this file (PEM)
  --tls-key FILE            the certificate's key (PEM)
  --h2c                     speak HTTP/2 with clients that begin with it, without TLS
  --version                 print the version
  --help                    print this`;

// Each flag with its default and the function that parses its text.
const FLAGS = {
  host: ["127.0.0.1", (text) => text],
  port: ["8080", number(0, 65535)],
  workers: [String(os.availableParallelism?.() ?? os.cpus().length), number(1, 1000)],
  "head-timeout": ["10", milliseconds],
  "idle-timeout": ["60", milliseconds],
  "write-timeout": ["30", milliseconds],
  "drain-timeout": ["10", milliseconds],
  "tls-cert": [undefined, (text) => text],
  "tls-key": [undefined, (text) => text],
};

// Returns the values of the flags, times in milliseconds. For an invalid flag it prints one line
// and exits with 2.
export function readFlags() {
  try {
    const options = { version: { type: "boolean" }, help: { type: "boolean" }, h2c: { type: "boolean" } };
    Object.keys(FLAGS).forEach((name) => (options[name] = { type: "string" }));
    const { values } = parseArgs({ options });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const flags = { version: values.version, h2c: values.h2c };
    for (const [name, [standard, read]] of Object.entries(FLAGS)) {
      const variable = name.replace("-", "_").toUpperCase();
      const key = name.replace(/-./, (letters) => letters[1].toUpperCase());
      // An empty variable counts as unset.
      flags[key] =
        values[name] === undefined
          ? read(process.env[variable] || standard, variable)
          : read(values[name], `--${name}`);
    }
    checkProtocol(flags);
    return flags;
  } catch (error) {
    process.stderr.write(`error: ${error.message.split("\n")[0]}\n`);
    process.exit(2);
  }
}

function checkProtocol({ tlsCert, tlsKey, h2c }) {
  if (tlsCert && !tlsKey) {
    throw new Error("--tls-cert needs --tls-key, the file with the certificate's key");
  }
  if (tlsKey && !tlsCert) {
    throw new Error("--tls-key needs --tls-cert, the file with the key's certificate");
  }
  if (tlsCert && h2c) {
    throw new Error("--h2c cannot be used with --tls-cert, with which clients agree on HTTP/2");
  }
}

function number(least, most) {
  return (text, origin) => {
    if (!/^\d+$/.test(text) || Number(text) < least || Number(text) > most) {
      throw new Error(`${origin} ${text}: not a number from ${least} to ${most}`);
    }
    return Number(text);
  };
}

function milliseconds(text, origin) {
  const time = Math.round(Number(text) * 1000);
  // Node's timers have 31 bits.
  if (!(time > 0 && time < 2 ** 31)) {
    throw new Error(`${origin} ${text}: not a number of seconds above 0`);
  }
  return time;
}
