"""The behaviour that a person who runs a server meets, tested over raw connections."""

import re
import selectors
import socket
import time

TIMEOUT = 3  # seconds for an answer
QUIET = 0.3  # seconds without a byte, after which no more is expected
IN_FLIGHT = 0.3  # seconds after which a slow request has reached its handler
IDLE_LIMIT = 130  # seconds; longer than the limit of some servers, two minutes

COLUMNS = [
    "server", "HEAD with a body", "`Date`", "two pipelined requests", "HTTP/1.0 keep-alive",
    "half-closed client", "SIGTERM with a request in flight", "silent connection", "kept connection",
]


class Client:
    """A connection that counts answers whatever their bodies are."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, TIMEOUT)
        self.socket.settimeout(TIMEOUT)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode())
        return self

    def answers(self):
        """The number of answers so far, by their status lines, which may directly follow a body."""
        return len(re.findall(rb"HTTP/1\.[01] \d{3}[ \r]", self.received))

    def read(self, enough=1):
        """Reads until there are `enough` answers and nothing follows, or the connection ends.

        Returns the state of the connection: `open`, `closed`, `reset` or `silent`."""
        while True:
            self.socket.settimeout(QUIET if self.answers() >= enough else TIMEOUT)
            try:
                received = self.socket.recv(65536)
            except TimeoutError:
                return "open" if self.answers() >= enough else "silent"
            except OSError:
                return "reset"
            if not received:
                return "closed"
            self.received += received

    def head(self):
        """The first answer's head, in lower case."""
        return self.received.partition(b"\r\n\r\n")[0].lower().decode("latin-1")

    def status(self):
        found = re.match(rb"HTTP/1\.[01] (\d{3})", self.received)
        return found[1].decode() if found else None


def get(path, *fields, version="1.1", method="GET"):
    return f"{method} {path} HTTP/{version}\r\n" + "".join(f"{field}\r\n" for field in ("Host: host", *fields)) + "\r\n"


def head_body(address, path):
    with Client(address) as client:
        client.send(get(path, "Connection: close", method="HEAD")).read()
        if client.status() != "200":
            return f"no, {client.status() or 'no answer'}"
        return "**yes**" if client.received.partition(b"\r\n\r\n")[2] else "no"


def date(address, path):
    with Client(address) as client:
        client.send(get(path)).read()
        return "yes" if "\r\ndate:" in client.head() else "**no**"


def pipelining(address, path):
    with Client(address) as client:
        end = client.send(get(path) * 2).read(enough=2)
        if client.answers() == 2:
            return "answered"
        return f"{client.answers()} answered, then {end}"


def old_keep_alive(address, path):
    with Client(address) as client:
        request = get(path, "Connection: keep-alive", version="1.0")
        if client.send(request).read() != "open":
            return "closed"
        says_so = re.search(r"\r\nconnection: *keep-alive", client.head())
        try:
            client.send(request).read(enough=2)
        except OSError:
            return "closed"
        if client.answers() < 2:
            return "not answered again"
        return "kept" if says_so else "kept, and does not say so"


def half_close(address, path):
    with Client(address) as client:
        client.send(get(path)).socket.shutdown(socket.SHUT_WR)
        end = client.read()
        if client.answers():
            return "answered" + (", and then not closed" if end == "open" else "")
        return {"silent": "no answer"}.get(end, f"{end} without an answer")


def end_in_flight(process, is_slow, timeout):
    """Sends SIGTERM while a request waits in its handler, and waits for the process to end."""
    if not is_slow:
        started, what = time.monotonic(), "–"
        process.terminate()
    else:
        with Client(process.address) as client:
            client.send(get("/slow"))
            time.sleep(IN_FLIGHT)
            started = time.monotonic()
            process.terminate()
            end = client.read()
            what = "answered" if client.status() == "200" else client.status() or f"{end} without an answer"
        what = {"silent without an answer": "no answer"}.get(what, what)
    while not process.has_ended():
        if time.monotonic() - started > timeout:
            return what + f", still runs after {timeout} s"
        time.sleep(0.02)
    took = time.monotonic() - started
    return what + f", ends after {took:.1f} s" if is_slow else f"idle: ends after {took:.1f} s"


def ask(address, path):
    """The facts that need no waiting, in the order of the columns."""
    return [fact(address, path) for fact in (head_body, date, pipelining, old_keep_alive, half_close)]


def idle_limits(servers):
    """Measures how long each server, a `(name, address, path)`, keeps a silent and an answered connection.

    All connections wait at the same time. Returns two cells by name, each `None` if no connection could be opened."""
    found = {name: {} for name, _, _ in servers}
    waiting = selectors.DefaultSelector()
    started = time.monotonic()
    for name, address, path in servers:
        for kind in ("silent", "kept"):
            try:
                client = Client(address)
            except OSError:
                continue
            if kind == "kept" and client.send(get(path)).read() != "open":
                found[name][kind] = "closed at once"
                continue
            client.socket.setblocking(False)
            client.received = b""
            waiting.register(client.socket, selectors.EVENT_READ, (name, kind, client, time.monotonic()))
    while waiting.get_map() and time.monotonic() < started + IDLE_LIMIT:
        for key, _ in waiting.select(1):
            name, kind, client, since = key.data
            took = time.monotonic() - since
            try:
                received = client.socket.recv(65536)
            except OSError:
                received = b""
            client.received += received
            if not received:
                told = f", {client.status()}" if client.status() else ""
                found[name][kind] = f"{took:.0f} s{told}"
                waiting.unregister(client.socket)
                client.socket.close()
    for key in list(waiting.get_map().values()):
        name, kind, client, _ = key.data
        found[name][kind] = f"> {IDLE_LIMIT} s"
        client.socket.close()
    return {name: [cells.get("silent"), cells.get("kept")] for name, cells in found.items()}
