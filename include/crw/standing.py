"""The faults that stand now, by the ledger, the calendar and the machine, each with the runbook's section that has its drill."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from airflow.sdk.configuration import conf
from psycopg import Connection

from crw import contracts, settings
from crw.settings import CLOCK

SECTIONS = {
    "failed": "The night is red.",
    "mart": "The night is red.",
    "task": "A task of the night failed.",
    "held": "A load or a mart is held.",
    "vanished": "Keys are held.",
    "late": "The night is late.",
    "stale": "A source is stale.",
    "holidays": "`holidays_known_for_180_days` warns.",
    "partitions": "Partitions are missing.",
    "disk": "The disk fills up.",
    "backup": "The backup is old.",
}
"""Each kind of fault and the words that its section of docs/runbook.md begins with."""

FRESH_FOR = timedelta(hours=28)
"""After the end of a business date: the next one ends a day later, a night has two hours, and the watch comes every hour."""

FREE = 0.1  # of the disk that the state folder is on
BACKUP_FOR = timedelta(hours=48)
PARTITIONS_FROM = 21  # day of the month; the DAG `partitions` makes the next month's on the 20th
OF_A_MACHINE = ("disk", "backup")
"""Kinds of what not every machine sees alike, where there are several."""


@dataclass(frozen=True)
class Fault:
    """What is wrong (a kind of SECTIONS), where (a source table, a mart, a path), and what to know of it. No person's value."""

    kind: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind} {self.place}: {self.message} (docs/runbook.md, '{SECTIONS[self.kind]}')"

    def told(self) -> dict[str, str]:
        """As a webhook gets it."""
        return asdict(self) | {"runbook": SECTIONS[self.kind]}


def faults(warehouse: Connection, now: datetime | None = None) -> list[Fault]:
    """All that stand.

    Args:
        now: instant of the clocks' faults; without it the present one. Where the sources have an end (CRW_SCHEDULE_END), nothing
            is due by the calendar, as before the first load.
    """
    now = now or datetime.now(CLOCK)
    is_due = "CRW_SCHEDULE_END" not in os.environ and _has_begun(warehouse)
    by_the_calendar = [*_stale(warehouse, now), *_partitions(warehouse, now)] if is_due else []
    return [
        *(Fault(*row) for row in warehouse.execute(_LEDGER, {"sources": list(contracts.taking_part())})),
        *by_the_calendar,
        *_disk(),
        *_backup(now),
    ]


def may_be_of_one_machine(fault: Fault) -> bool:
    """Whether there are several machines, of which others may not see that the fault still stands."""
    return fault.kind in OF_A_MACHINE and _are_several_machines()


def is_seen_from_here(fault: Fault) -> bool:
    """Whether this machine can tell that the fault is over: not that of another machine, or of a folder that it has not got."""
    return (
        not may_be_of_one_machine(fault)
        or fault.place.startswith(f"{socket.gethostname()}:")
        or Path(fault.place).is_dir()
    )


def _are_several_machines() -> bool:
    return conf.get("core", "executor") != "LocalExecutor"


def _here(folder: str | Path) -> str:
    """A folder as the place of a fault that other machines may not have."""
    return f"{socket.gethostname()}:{folder}" if _are_several_machines() else str(folder)


# Of each table the newest load and of each mart the newest validation alone: what a later night put right is over. What a rule
# found is told by its name and rows, not by the load's message, which may give examples. A failed task is told where nothing else says why.
_LEDGER = """
with newest as (
    select distinct on (source, table_name) * from audit.load
    where source = any (%(sources)s) and state not in ('started', 'landed', 'validated')  -- while it is tried again it stands
    order by source, table_name, load_id desc
),
broken as (
    select load_id, validation_id, suite, string_agg(rule || coalesce(': ' || unexpected || ' rows', ''), ', ' order by rule) as rules
    from audit.rule_result where not success and severity = 'critical' group by load_id, validation_id, suite
),
last_of_mart as (
    select distinct on (suite) validation_id, suite, business_date, success, held from audit.validation
    where suite like 'marts/%%' order by suite, validation_id desc
),
published as (select max(business_date) as business_date from audit.publication)
select 'failed', source || '.' || table_name, business_date || ': ' || coalesce(
    (select rules from broken where broken.load_id = newest.load_id order by validation_id desc limit 1), message, 'no message')
from newest where state = 'failed'
union all
select case rule when 'vanished' then rule else 'held' end, source || '.' || table_name,
    string_agg(business_date || ': ' || case rule when 'vanished' then message else rule end, ', ' order by business_date, rule)
from audit.held where source = any (%(sources)s) or source = 'marts' group by 1, 2
union all
select 'mart', suite, business_date || ': ' || coalesce(rules, 'not judged')
from last_of_mart left join broken using (validation_id, suite) where not success and held is null
union all
select 'task', dag_id || '.' || task_id, business_date || ': failed, run ' || run_id
from audit.failed_task
where not exists (select from newest where state in ('failed', 'held') and dag_id = 'ingest_' || source)
    and not (task_id = 'validate_marts' and exists (select from last_of_mart where not success))
union all
select 'late', dag_id, max(late.business_date) || ': had not ended well at ' || max(due_at)
from audit.late_run as late, published
where late.business_date > coalesce(published.business_date, '-infinity') group by dag_id
union all
select 'holidays', suite, business_date || ': the seed public_holiday ends within 180 days'
from last_of_mart where exists (
    select from audit.rule_result as r
    where r.validation_id = last_of_mart.validation_id and r.rule = 'holidays_known_for_180_days' and not r.success)
"""


def _has_begun(warehouse: Connection) -> bool:
    return warehouse.execute("select exists (select from audit.load)").fetchone()[0]


def _stale(warehouse: Connection, now: datetime) -> list[Fault]:
    rows = warehouse.execute(
        "select source, table_name, max(business_date) filter (where state = 'published') from audit.load group by 1, 2"
    )
    published = {(source, table): business_date for source, table, business_date in rows}
    found = []
    for source, tables in contracts.taking_part().items():
        dates = [published.get((source, table.name)) for table in tables]
        last = None if None in dates else min(dates)
        if last is None:
            found.append(Fault("stale", source, "was never published whole"))
        elif now > datetime.combine(last + timedelta(days=1), time(), CLOCK) + FRESH_FOR:
            found.append(Fault("stale", source, f"the last date published whole is {last}"))
    return found


def _partitions(warehouse: Connection, now: datetime) -> list[Fault]:
    if now.day < PARTITIONS_FROM:
        return []
    month = (now.replace(day=1) + timedelta(days=32)).strftime("%Y_%m")
    names = [f"{table.identifier}__{month}" for tables in contracts.taking_part().values() for table in tables]
    missing = warehouse.execute(
        "select name from unnest(%s::text[]) as name where to_regclass('raw.' || name) is null order by 1", [names]
    ).fetchall()
    return [Fault("partitions", "raw", f"missing: {', '.join(name for (name,) in missing)}")] if missing else []


def _disk() -> list[Fault]:
    disk = shutil.disk_usage(settings.HOME)
    if disk.free >= FREE * disk.total:
        return []
    # Told once: the figure is of when it was found.
    return [Fault("disk", _here(settings.HOME), f"{disk.free / 2**30:.1f} GiB free of {disk.total / 2**30:.1f}")]


def _backup(now: datetime) -> list[Fault]:
    """Of the folder CRW_BACKUPS, where it is set. All machines that have it see the same."""
    if not (folder := os.environ.get("CRW_BACKUPS")):
        return []
    if not Path(folder).is_dir():
        return [Fault("backup", _here(folder), "there is no such folder")]
    files = [
        path.stat().st_mtime for path in Path(folder).glob("[!.]*") if path.is_file()
    ]  # a draft's name begins with a dot
    if not files:
        return [Fault("backup", folder, "there is none")]
    newest = datetime.fromtimestamp(max(files), CLOCK)
    return [Fault("backup", folder, f"the newest is of {newest:%Y-%m-%d %H:%M}")] if now - newest > BACKUP_FOR else []
