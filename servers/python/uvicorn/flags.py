"""The flags of the process contract, and the environment variables that stand for them."""

import argparse
import os
import sys


class OneLine(argparse.ArgumentParser):
    """A parser that prints errors as one line, without the usage."""

    def error(self, message):
        print(f"error: {message}", file=sys.stderr)
        sys.exit(2)


def read_flags():
    """Returns the values of the flags, times in seconds.

    For an invalid flag it prints one line and exits with 2.
    """
    parser = OneLine(description="The endpoint on uvicorn")
    parser.add_argument("--version", action="store_true", help="print the version")
    standard = {}

    def add(name, otherwise, read, about):
        parser.add_argument(f"--{name}", type=read, help=f"{about} [default: {otherwise}]")
        standard[name.replace("-", "_")] = otherwise, read

    add("host", "127.0.0.1", str, "address or name to listen on")
    add("port", "8080", port, "port to listen on; 0 takes a free one")
    add("workers", str(len(os.sched_getaffinity(0))), at_least_one, "processes that answer requests")
    add("max-connections", None, at_least_one, "connections open at once; further ones are answered with 503")
    add("idle-timeout", "60", seconds, "time for a client to send the next request")
    add("drain-timeout", "10", seconds, "time for open connections to finish after SIGTERM")
    add("tls-cert", None, str, "serve https with the certificate in this file (PEM)")
    add("tls-key", None, str, "the certificate's key (PEM)")
    flags = parser.parse_args()
    for name, (otherwise, read) in standard.items():
        # An empty variable counts as unset.
        text = os.environ.get(name.upper()) or otherwise
        if getattr(flags, name) is None and text is not None:
            try:
                setattr(flags, name, read(text))
            except ValueError:
                parser.error(f"variable {name.upper()}: invalid {read.__name__} value: {text!r}")
    if flags.tls_cert and not flags.tls_key:
        parser.error("--tls-cert needs --tls-key, the file with the certificate's key")
    if flags.tls_key and not flags.tls_cert:
        parser.error("--tls-key needs --tls-cert, the file with the key's certificate")
    return flags


def port(text):
    number = int(text)
    if not 0 <= number <= 65535:
        raise ValueError
    return number


def at_least_one(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def seconds(text):
    number = float(text)
    if not 0 < number < 1e9:
        raise ValueError
    return number


at_least_one.__name__ = "number above 0"
seconds.__name__ = "number of seconds above 0"
