"""The endpoint on uvicorn, with httptools and uvloop. The main process starts the workers."""

import importlib.metadata
import platform
import resource
import signal
import socket
import sys

from flags import read_flags
from tls import context
from workers import BACKLOG, lead

RESERVED = 100  # descriptors that a worker keeps for uses other than connections


def main():
    # A parent may have blocked SIGTERM and ignored SIGCHLD. This process inherits both.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    flags = read_flags()
    if flags.version:
        print(version())
        return
    check_descriptors(flags)
    tls = context(flags.tls_cert, flags.tls_key) if flags.tls_cert else None
    listener = listen(flags)
    host, port = listener.getsockname()[:2]
    scheme = "https" if tls else "http"
    line = f"listening on {scheme}://[{host}]:{port}" if ":" in host else f"listening on {scheme}://{host}:{port}"
    lead(flags, listener, tls, lambda: print(line, flush=True))


def version():
    parts = [f"{name} {importlib.metadata.version(name)}" for name in ("uvicorn", "httptools", "uvloop")]
    return f"server-uvicorn 0.1.0 ({', '.join(parts)}, python {platform.python_version()})"


def check_descriptors(flags):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if flags.max_connections and flags.max_connections / flags.workers > hard - RESERVED:
        sys.exit(
            f"error: --max-connections {flags.max_connections}: the limit of {hard} open files leaves "
            f"{max(hard - RESERVED, 0)} per worker; raise it (`ulimit -n`) or ask for fewer"
        )


def listen(flags):
    """Listens on the first of the host's addresses that is available."""
    try:
        found = socket.getaddrinfo(flags.host.strip("[]"), flags.port, type=socket.SOCK_STREAM)
        for number, (family, _, _, _, address) in enumerate(found, 1):
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(address)
                listener.listen(BACKLOG)
                return listener
            except OSError:
                listener.close()
                if number == len(found):
                    raise
    except OSError as error:
        sys.exit(f"error: cannot listen on {flags.host}:{flags.port}: {error.strerror}")


if __name__ == "__main__":
    main()
