"""What a night is struck with: each kind finds its part of the night and strikes it, or says that it is not there yet."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from crw.local.postgres import Server
from tests.chaos import clock
from tests.homes import Home

HANGS = 45  # seconds: longer than an API is waited for (crw.connections.API_TIMEOUT)
WITHOUT_CONNECTIONS = 10  # seconds
HOUR, DAY = 3600, 86400  # seconds


def strike(kind: str, home: Home, night: psutil.Process) -> bool:
    """Strike. Returns False while the part is not there."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        return STRIKES[kind](home, night)
    return False


def _task(home: Home, night: psutil.Process) -> bool:
    """What runs the task's own code: the child of a worker."""
    return _kill([task for worker in _busy_workers(night) for task in worker.children()][:1])


def _worker(home: Home, night: psutil.Process) -> bool:
    """A worker with its task, so that nobody reports how the task ended."""
    return _kill(_busy_workers(night)[:1])


def _scheduler(home: Home, night: psutil.Process) -> bool:
    return _kill(_part(night, "scheduler"))


def _api_server(home: Home, night: psutil.Process) -> bool:
    return _kill(_part(night, "execution-api"))


def _postmaster(home: Home, night: psutil.Process) -> bool:
    return _kill(_postmasters(home))


def _backend(home: Home, night: psutil.Process) -> bool:
    """One of the warehouse's sessions at work: PostgreSQL ends all others too, and recovers."""
    at_work = (
        "select pid from pg_stat_activity where datname = 'warehouse' and backend_type = 'client backend' "
        "and pid <> pg_backend_pid() order by state = 'active' desc, pid limit 1"
    )
    with suppress(psycopg.OperationalError, FileNotFoundError):
        return _kill([psutil.Process(pid) for (pid,) in home.query(at_work)])
    return False


def _tree(home: Home, night: psutil.Process) -> bool:
    """All at once, as with the machine."""
    return _kill([*_postmasters(home), *night.children(recursive=True), night])


def _command(home: Home, night: psutil.Process) -> bool:
    return _kill([night])


def _interrupt(home: Home, night: psutil.Process) -> bool:
    night.send_signal(signal.SIGINT)
    return True


def _terminate(home: Home, night: psutil.Process) -> bool:
    night.send_signal(signal.SIGTERM)
    return True


def _source_hangs(home: Home, night: psutil.Process) -> bool:
    found = _sources(home) if _busy_workers(night) else []  # the sample is waited for before there are tasks
    for process in found:
        process.suspend()
        threading.Timer(HANGS, _resume, [process]).start()
    return bool(found)


def _no_connection(home: Home, night: psutil.Process) -> bool:
    """Every connection is taken, the superuser's too, and given back after a while."""
    taken = []
    try:
        while True:
            taken.append(psycopg.connect(Server(home.folder / "postgres").dsn(), connect_timeout=5))
    except (psycopg.OperationalError, FileNotFoundError):
        threading.Timer(WITHOUT_CONNECTIONS, lambda: [connection.close() for connection in taken]).start()
    return bool(taken)


def _full_disk(home: Home, night: psutil.Process) -> bool:
    """The rest of the disk is taken, until `undo`."""
    with _filler(home).open("wb", buffering=0) as taken, suppress(OSError):  # until there is no room
        while True:
            taken.write(bytes(2**20))
    return True


def _clock_jumps(seconds: int) -> Callable[[Home, psutil.Process], bool]:
    def jump(home: Home, night: psutil.Process) -> bool:
        clock.put_ahead(home, seconds)
        return True

    return jump


def undo(home: Home) -> None:
    """Take back what a strike may have done to the home's disk, clock and sources."""
    _filler(home).unlink(missing_ok=True)
    clock.put_ahead(home, 0)
    for process in _sources(home):
        _resume(process)


def _filler(home: Home) -> Path:
    return home.folder / "filler"


STRIKES: dict[str, Callable[[Home, psutil.Process], bool]] = {
    "task": _task,
    "worker": _worker,
    "scheduler": _scheduler,
    "API server": _api_server,
    "postmaster": _postmaster,
    "backend": _backend,
    "whole tree": _tree,
    "command": _command,
    "Ctrl-C": _interrupt,
    "SIGTERM": _terminate,
    "source hangs": _source_hangs,
    "no connection": _no_connection,
    "full disk": _full_disk,
    "clock an hour ahead": _clock_jumps(HOUR),
    "clock an hour back": _clock_jumps(-HOUR),
    "clock a day ahead": _clock_jumps(DAY),
    "clock a day back": _clock_jumps(-DAY),
}

OUTCOMES = {
    "scheduler": {"told and ended"},
    "API server": {"told and ended"},
    "postmaster": {"told and ended"},
    "backend": {"told and ended"},
    "full disk": {"told and ended"},
    "whole tree": {"ended at once"},
    "command": {"ended at once"},
    "Ctrl-C": {"ended at once"},
    "SIGTERM": {"ended at once"},
}
"""How a night must end that these strike. It may outlive the other kinds: each outcome is right that leaves nothing behind."""


def _part(night: psutil.Process, name: str) -> list[psutil.Process]:
    """The night's own process that writes logs/<name>.log: as forks of one program they are alike otherwise."""
    found = []
    for process in night.children():
        with suppress(OSError):
            if str(Path(f"/proc/{process.pid}/fd/1").readlink()).endswith(f"/logs/{name}.log"):
                found.append(process)
    return found


def _busy_workers(night: psutil.Process) -> list[psutil.Process]:
    return [worker for family in _part(night, "scheduler") for worker in family.children() if worker.children()]


def _postmasters(home: Home) -> list[psutil.Process]:
    try:
        lines = (home.folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [psutil.Process(int(lines[0]))]


def _sources(home: Home) -> list[psutil.Process]:
    """The sample's API, by the record of who runs in a home."""
    record = home.folder / "run" / "crm-api.pid"
    pids = [int(record.read_text().split()[0])] if record.exists() else []
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def _kill(processes: list[psutil.Process]) -> bool:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return bool(processes)


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()
