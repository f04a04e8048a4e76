"""One attempt at a night that is struck, and what must hold of it; what must hold of all nights once they are through."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass, field
from datetime import date

import psutil

from crw import contracts
from tests.chaos import strikes
from tests.homes import Home

PATIENCE = 900  # seconds from the strike to the end of the command: it may go on, and then has a whole night before it
ENDS = 30  # seconds for the family of a command that was killed to end
LINES = 2 * len(contracts.tables()) + 4 * len(contracts.sources()) + 8
"""What a night prints while it is at work: each table twice, each task once, and its start."""
SMALL = 16 * 2**30  # bytes; a disk that may be filled is one of the homes' own


@dataclass
class Struck:
    """What became of one attempt."""

    kind: str
    line: int
    """After how many printed lines it was struck."""
    outcome: str = "over before"
    seconds: float = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = "".join(f"\n    {fault}" for fault in self.faults)
        return f"{self.kind}, line {self.line}: {self.outcome} after {self.seconds:.0f} s{told}"


def not_here(home: Home) -> dict[str, str]:
    """Kinds that cannot be struck where this home is, each with its reason."""
    home.folder.mkdir(parents=True, exist_ok=True)
    room = os.statvfs(home.folder)
    if room.f_blocks * room.f_frsize > SMALL:
        return {"full disk": "HOMES is no small disk of its own (as root: mount -t tmpfs -o size=6g tmpfs <folder>)"}
    return {}


def run(home: Home, night: date, kind: str, line: int, delay: float) -> Struck:
    """Start the night, strike it `delay` seconds after it has printed that many lines, and wait for its end."""
    result, printed = Struck(kind, line), []
    command = home.start(night.isoformat())
    process = psutil.Process(command.pid)
    reader = threading.Thread(target=lambda: printed.extend(command.stdout))
    reader.start()
    while len(printed) < line and command.poll() is None:
        time.sleep(0.05)
    time.sleep(delay)
    while command.poll() is None and not strikes.strike(kind, home, process):
        time.sleep(0.05)
    struck_at, was_struck = time.monotonic(), command.poll() is None or command.returncode != 0
    with contextlib.suppress(Exception):
        command.wait(timeout=PATIENCE)
    result.seconds = time.monotonic() - struck_at
    if command.poll() is None:
        result.faults.append(f"{kind}: the command has not ended for {PATIENCE} s")
        command.kill()
        command.wait()
    strikes.filler(home).unlink(missing_ok=True)
    reader.join(timeout=ENDS)
    result.faults += [f"{kind}: pid {orphan.pid} outlived the command" for orphan in _orphans(home)]
    text = "".join(printed)
    if "Traceback" in text:
        result.faults.append(f"{kind}: {text[text.index('Traceback') :][-3000:]}")
    if was_struck:
        result.outcome = _outcome(command.returncode, text)
    return result


def _outcome(status: int, printed: str) -> str:
    if status == 0:
        return "went on"
    if status < 0 or status == 130:
        return "ended at once"
    return "told and ended" if "start the same command again" in printed else "red"


def _orphans(home: Home) -> list[psutil.Process]:
    """Processes of the home that outlive its command for long, but for what `crw down` stops."""
    stays = {int(record.read_text().split()[0]) for record in (home.folder / "run").glob("*.pid")}
    until = time.monotonic() + ENDS
    while orphans := [
        process for process in psutil.process_iter() if process.pid not in stays and _is_of(home, process)
    ]:
        if time.monotonic() > until:
            break
        time.sleep(0.2)
    return orphans


def _is_of(home: Home, process: psutil.Process) -> bool:
    try:
        return process.environ().get("CRW_HOME") == str(home.folder) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def through(home: Home, night: date) -> list[str]:
    """Run the night undisturbed. Returns what is wrong with that: it needs no hand."""
    result = home.crw("nightly", "--date", night.isoformat())
    return [] if result.returncode == 0 else [f"{night} needs a hand:\n{result.stdout[-3000:]}"]


def differences(expected: Home, home: Home) -> list[str]:
    """Tables of raw, core and marts whose content differs from the undisturbed home's, but for the loads' own numbers."""
    names = (
        "select schemaname || '.' || tablename from pg_tables where schemaname in ('raw', 'core', 'marts', 'accounts') "
        "and tablename not in ('data_health', 'build') order by 1"
    )
    content = (
        "select count(*), sum(hashtextextended((to_jsonb(t) - '_load_id' - 'load_id')::text, 0)::numeric) from {} as t"
    )
    here, there = ({name for (name,) in each.query(names)} for each in (home, expected))
    found = [f"{name} is in one home only" for name in sorted(here ^ there)]
    for name in sorted(here & there):
        got, wanted = (each.query(content.format(name)) for each in (home, expected))
        found += [] if got == wanted else [f"{name} differs: {got[0]}, undisturbed {wanted[0]}"]
    return found


LEFT_OVER = {
    "loads whose counts do not add up": (
        "warehouse",
        "select count(*) from audit.load where state = 'published' and rows_read <> rows_published + rows_unchanged + rows_quarantined",
    ),
    "advisory locks": ("warehouse", "select count(*) from pg_locks where locktype = 'advisory'"),
    "open transactions": (
        "warehouse",
        "select count(*) from pg_stat_activity where state like 'idle in transaction%'",
    ),
    "loads that never end": (
        "warehouse",
        "select count(*) from (select distinct on (source, table_name, business_date) state from audit.load "
        "order by source, table_name, business_date, load_id desc) as newest where state <> 'published'",
    ),
    "task runs that never end": (
        "airflow",
        "select count(*) from task_instance where state in ('running', 'queued', 'scheduled', 'restarting', 'up_for_retry')",
    ),
    "DAG runs that never end": ("airflow", "select count(*) from dag_run where state in ('running', 'queued')"),
}
"""What a home may have none of once its nights are through: the database and how many there are."""


def left_over(home: Home) -> list[str]:
    """What the strikes left that nobody takes away."""
    counts = {what: home.query(statement, database)[0][0] for what, (database, statement) in LEFT_OVER.items()}
    counts["scratch files"] = len(list((home.folder / "scratch").glob("*/*")))
    return [f"{count} {what}" for what, count in counts.items() if count]
