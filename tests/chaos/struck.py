"""One attempt at a night that is struck, and what must hold of it; what must hold of all nights once they are through."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from datetime import date

import psutil

from crw import contracts
from tests.chaos import clock, strikes
from tests.homes import Home

PATIENCE = 900  # seconds from the last strike to the end of the command, which may have a whole night before it
ENDS = 30  # seconds for the family of a command that was killed to end
LINES = 2 * len(contracts.tables()) + 4 * len(contracts.sources()) + 8
"""What a night prints while it is at work: each table twice, each task once, and its start."""
SILENCE = 20  # seconds without a line, after which a night is struck where it is: it starts, or waits
REASONS = ("failed", "Error", "no reason was logged", "nothing has moved", "another night")
SMALL = 16 * 2**30  # bytes; a disk that may be filled is one of the homes' own


@dataclass(frozen=True)
class Point:
    """When a night is struck, and with what."""

    kind: str
    line: int
    """After how many printed lines."""
    delay: float
    """Seconds after that."""


@dataclass
class Attempt:
    """What became of one attempt at a night."""

    struck: list[Point] = field(default_factory=list)
    """The points that it came to, in their order."""
    outcome: str = ""
    seconds: float = 0
    """From the last strike to the end."""
    faults: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Lines that say why it is red."""

    def outcomes(self) -> list[tuple[str, str]]:
        """Each kind that struck and what followed: another strike, or the end."""
        return [(point.kind, "struck again") for point in self.struck[:-1]] + [
            (point.kind, self.outcome) for point in self.struck[-1:]
        ]

    def __str__(self) -> str:
        points = ", ".join(f"{point.kind} (line {point.line})" for point in self.struck) or "not struck"
        told = [f"\n    {fault}" for fault in self.faults]
        told += [f"\n    {reason}" for reason in self.reasons]
        return f"{points}: {self.outcome} after {self.seconds:.0f} s{''.join(told)}"


def not_here(home: Home) -> dict[str, str]:
    """Kinds that cannot be struck where this home is, each with its reason."""
    home.folder.mkdir(parents=True, exist_ok=True)
    found = {}
    room = os.statvfs(home.folder)
    if room.f_blocks * room.f_frsize > SMALL:
        reason = "HOMES/struck is no small disk of its own (as root: mount -t tmpfs -o size=5g tmpfs HOMES/struck)"
        found["full disk"] = reason
    if reason := clock.not_here():
        found |= {kind: reason for kind in strikes.STRIKES if kind.startswith("clock")}
    return found


def run(home: Home, night: date, points: list[Point]) -> Attempt:
    """Start the night, strike it at each point, as far as it comes, and wait for its end."""
    attempt, printed = Attempt(), []
    command = home.start(night.isoformat())
    process = psutil.Process(command.pid)
    reader = threading.Thread(target=lambda: printed.extend(command.stdout))
    reader.start()
    ended = time.monotonic()
    for point in sorted(points, key=lambda point: point.line):
        _wait_for_line(command, printed, point.line)
        time.sleep(point.delay)
        hit = False
        while command.poll() is None and not (hit := strikes.strike(point.kind, home, process)):
            time.sleep(0.05)
        if not hit:
            break
        attempt.struck.append(point)
        ended = time.monotonic()
    with contextlib.suppress(Exception):
        command.wait(timeout=PATIENCE)
    attempt.seconds = time.monotonic() - ended
    if command.poll() is None:
        attempt.faults.append(f"the command has not ended for {PATIENCE} s")
        command.kill()
        command.wait()
    strikes.undo(home)
    reader.join(timeout=ENDS)
    attempt.faults += [f"pid {orphan.pid} outlived the command" for orphan in _orphans(home)]
    text = "".join(printed)
    if "Traceback" in text:
        attempt.faults.append(text[text.index("Traceback") :][-3000:])
    attempt.outcome = _outcome(command.returncode, text)
    if attempt.outcome == "red":
        attempt.reasons = [line.strip() for line in text.splitlines() if any(word in line for word in REASONS)]
    for kind, outcome in attempt.outcomes()[-1:]:
        if outcome not in strikes.OUTCOMES.get(kind, {outcome}):
            attempt.faults.append(f"{kind}: {outcome}")
    return attempt


def _wait_for_line(command: subprocess.Popen[str], printed: list[str], line: int) -> None:
    count, since = len(printed), time.monotonic()
    while count < line and command.poll() is None and time.monotonic() - since < SILENCE:
        time.sleep(0.05)
        if len(printed) > count:
            count, since = len(printed), time.monotonic()


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
    """Tables of raw, core and marts whose content differs from the undisturbed home's, but for the loads' own numbers.

    Left out is what tells of the nights themselves, and what the last build changed (`core.changed_...`)."""
    names = (
        "select schemaname || '.' || tablename from pg_tables where schemaname in ('raw', 'core', 'marts', 'accounts') "
        "and tablename not in ('data_health', 'build') and tablename not like 'changed%' order by 1"
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
