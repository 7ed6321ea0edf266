"""Foreign servers. Each has a file in `servers/`, which says how to install it and how to start it.

    # The comment at the head of the file says what the server does.
    from = "Debian"             # or "PyPI" or "npm"
    packages = ["haproxy"]      # the first one's version is the server's
    command = ["{root}/usr/sbin/haproxy", "-f", "{folder}/haproxy.cfg"]
    built_with = ["libev-dev"]  # the Debian packages that pip needs to build it here
    runtime = ["Ruby", "ruby", "--version"]  # its runtime, and the command that prints the version
    environment = { NAME = "value" }
    path = "/hello"             # for a server that cannot greet: this path has
    body = "Hello, world!\\n"    # this body
    slow = true                 # `/slow` is answered after a second
    [files]                     # files that are written into its folder before it starts
    "haproxy.cfg" = "..."

`{root}` is the folder of the packages, `{libraries}` the folder of their Debian libraries, `{folder}`
the server's own folder, `{apps}` the folder of applications that servers share, and `{port}` its port.
`{backend}` is the port of a backend that answers after a second: a server without a handler forwards
`/slow` to it.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import backend

HERE = Path(__file__).parent
KEYS = {"from", "packages", "built_with", "command", "runtime", "environment", "path", "body", "slow", "files"}
# Every server of this repository prints this line once all of its workers listen. Its port may be open before that.
READY_LINE = "listening on http://"
READY_TIMEOUT = 30  # seconds; a JVM that compiles its source first takes a few
END_TIMEOUT = 40  # seconds; gunicorn and others give the requests in flight 30


class LeftOut(Exception):
    """A server cannot be installed or started. The message says why."""


class Server:
    """A server as its file describes it, and where it is installed."""

    def __init__(self, name, target):
        with open(HERE / "servers" / f"{name}.toml", "rb") as file:
            self.spec = tomllib.load(file)
        unknown = self.spec.keys() - KEYS
        if unknown:
            raise SystemExit(f"reference: {name}.toml: unknown keys: {', '.join(sorted(unknown))}")
        self.name, self.source, self.packages = name, self.spec["from"], self.spec["packages"]
        self.built_with = self.spec.get("built_with", [])
        self.folder = target / name
        self.root = self.folder / "root"
        self.is_slow = self.spec.get("slow", False)
        self.version = None

    def expectation(self):
        """The options of `bench verify` for a server that cannot greet."""
        if "path" not in self.spec:
            return []
        return ["--path", self.spec["path"], "--expect-body", self.spec["body"]]

    @property
    def path(self):
        """A path that is answered with 200."""
        return self.spec.get("path", "/abc")

    def install(self, is_upgraded):
        """Installs the packages, unless they are there, and sets the version."""
        stamp = self.folder / "installed.json"
        wanted = {"from": self.source, "packages": self.packages, "built_with": self.built_with}
        installed = json.loads(stamp.read_text()) if stamp.exists() else {}
        runtime = self._runtime()
        if is_upgraded or any(installed.get(key) != wanted[key] for key in wanted):
            stamp.unlink(missing_ok=True)
            shutil.rmtree(self.root, ignore_errors=True)
            self.root.mkdir(parents=True)
            say(f"{self.name}: installs {' '.join(self.packages)} from {self.source}")
            if self.built_with:
                from_debian(self.root, self.built_with)
            version = INSTALLERS[self.source](self.root, self.packages)
            installed = {**wanted, "version": version}
            stamp.write_text(json.dumps(installed))
        self.version = installed["version"] + (f", {runtime}" if runtime else "")

    def _runtime(self):
        if self.source == "PyPI":
            return "Python %d.%d.%d" % sys.version_info[:3]
        command = self.spec.get("runtime")
        if not command:
            return None
        name, *asked = command
        return f"{name} " + re.search(r"\d[\d.]*", output(asked))[0]

    def start(self, port=0):
        """Starts the server, and waits until it accepts connections."""
        port = port or free_port()
        places = {"root": self.root, "folder": self.folder, "apps": HERE / "apps", "port": port}
        places["backend"] = backend.port()
        places["libraries"] = debian_libraries(self.root)

        def placed(text):
            for place, value in places.items():
                text = text.replace("{%s}" % place, str(value))
            return text

        for name, text in self.spec.get("files", {}).items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(placed(text))
        own = {name: placed(value) for name, value in self.spec.get("environment", {}).items()}
        command = [placed(word) for word in self.spec["command"]]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **own}
        return Process(self.name, command, environment, self.folder, port)


class OwnServer:
    """A server of this repository, which the harness builds and starts."""

    source, path, is_slow = "here", "/abc", False

    def __init__(self, name, target, bench):
        self.name, self.bench, self.folder = name, bench, target / "own" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        told = output([bench, "serve", name, "--version"]).strip().splitlines()[-1]
        # `server-puma 0.1.0 (puma 5.6.5, ruby 3.1.2)`
        self.version = told.partition("(")[2].rstrip(")") or told

    def start(self):
        port = free_port()
        command = [self.bench, "serve", self.name, "--port", str(port)]
        return Process(self.name, command, os.environ, HERE, port, self.folder, READY_LINE)


class Process:
    """A running server in a process group of its own. `kill` ends the whole group."""

    running = set()

    def __init__(self, name, command, environment, folder, port, logs=None, ready_line=""):
        self.address = ("127.0.0.1", port)
        self.log = (logs or folder) / "output.log"
        with open(self.log, "wb") as log:
            try:
                self.process = subprocess.Popen(
                    command, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True,
                )
            except OSError as error:
                raise LeftOut(f"{command[0]} cannot be started: {error.strerror}") from None
        Process.running.add(self)
        self._wait_until_ready(name, ready_line)

    def _wait_until_ready(self, name, ready_line):
        deadline = time.monotonic() + READY_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.kill()
                raise LeftOut(f"it ended with {self.process.returncode} as it started; {self.log} says why")
            if ready_line not in self.log.read_text(errors="replace"):
                time.sleep(0.01)
                continue
            try:
                socket.create_connection(self.address, 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.kill()
        raise LeftOut(f"it does not listen after {READY_TIMEOUT} s; {self.log} may say why")

    def has_ended(self):
        return self.process.poll() is not None

    def terminate(self):
        """Sends SIGTERM as an init system does: to the process that was started."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """Ends all of its processes at once."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        Process.running.discard(self)


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def debian_libraries(root):
    return next(iter(root.glob("usr/lib/*-linux-gnu")), root)


def output(command, folder=None, environment=None):
    """Returns what a command prints. Fails with its first error, or else its last line, on standard error."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise LeftOut(f"there is no {command[0]} on this machine") from None
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.strip()]
        marked = [line for mark in ("fatal error", "rror:") for line in errors if mark in line]
        told = (marked or errors[-1:] or ["no message"])[0]
        raise LeftOut(f"`{' '.join(map(str, command[:3]))}` failed: {told.strip()}")
    return done.stdout


def from_debian(root, packages):
    """Unpacks the packages, and their dependencies that the system lacks. Installs nothing."""
    plan = output(["apt-get", "--simulate", "--no-install-recommends", "install", *packages])
    lacking = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    archives = root / "archives"
    archives.mkdir()
    archives.chmod(0o777)  # apt downloads as a user of its own
    output(["apt-get", "download", *sorted({*packages, *lacking})], archives)
    for archive in archives.iterdir():
        output(["dpkg-deb", "--extract", archive, root])
    named = next(archives.glob(f"{packages[0]}_*.deb"))
    return output(["dpkg-deb", "--field", named, "Version"]).strip()


def from_pypi(root, packages):
    """Installs today's versions into a virtual environment."""
    # The environment gets no pip, since that needs ensurepip, a separate package in Debian.
    output([sys.executable, "-m", "venv", "--without-pip", root])
    python = root / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    # The folders where the C compiler finds the libraries that a package is built with.
    unpacked = {"C_INCLUDE_PATH": str(root / "usr/include"), "LIBRARY_PATH": str(debian_libraries(root))}
    output([*pip, "install", "--quiet", "--no-cache-dir", *packages], environment={**os.environ, **unpacked})
    ask = f"import importlib.metadata as m; print(m.version('{packages[0]}'))"
    return output([python, "-c", ask]).strip()


def from_npm(root, packages):
    """Installs today's versions into the folder."""
    output(["npm", "install", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix", root, *packages])
    return json.loads((root / "node_modules" / packages[0] / "package.json").read_text())["version"]


INSTALLERS = {"Debian": from_debian, "PyPI": from_pypi, "npm": from_npm}
