"""Reserves the port before the workers start. Each worker opens its own socket on the port."""

import socket
import time

INTERVAL = 0.002  # seconds between two checks of the sockets
LISTENS = "0A"  # the state of a listening socket in the kernel's tables


def reserve(host, port):
    """Returns a socket that is bound to the first available address of the host, and does not listen.

    Workers can listen on the same port (SO_REUSEPORT). Fails if the port is in use.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    for number, (family, _, _, _, address) in enumerate(found, 1):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as first:
                # Without SO_REUSEPORT, since another server of this user would share the port silently.
                first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                first.bind(address)
                first.listen()
                address = first.getsockname()
            reserved = socket.socket(family, socket.SOCK_STREAM)
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind(address)
            return reserved
        except OSError:
            if number == len(found):
                raise


def is_listened_on(reserved, workers, is_failing):
    """Waits until as many sockets as workers listen on the port. Returns false if `is_failing` before that."""
    table = "/proc/net/tcp6" if reserved.family == socket.AF_INET6 else "/proc/net/tcp"
    port = f":{reserved.getsockname()[1]:04X}"
    while not is_failing():
        with open(table) as rows:
            fields = [row.split()[:4] for row in rows]
        if sum(local.endswith(port) and state == LISTENS for _, local, _, state in fields) >= workers:
            return True
        time.sleep(INTERVAL)
    return False
