"""The commands of a person who decides: what is held, what lies in quarantine."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import date, datetime

from psycopg import Connection

from crw import connections, contracts, held, ledger, refused
from crw.suites import QualityError


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands on the warehouse of connection `warehouse`."""
    with connections.warehouse() as warehouse:
        try:
            match arguments.command:
                case "held":
                    waits = held.waiting(warehouse)
                    for found in waits:
                        print(f"{found.name} {found.business_date} {found.rule}: {found.message}")
                    if not waits:
                        print("nothing is held")
                case "quarantine":
                    _quarantine(warehouse, arguments)
                case _:
                    _decide(warehouse, arguments)
        except (ledger.LoadError, QualityError) as error:
            sys.exit(f"{error}")
    return 0


def _decide(warehouse: Connection, arguments: argparse.Namespace) -> None:
    decide = {"approve": held.approve, "reject": held.reject}[arguments.command]
    found = decide(warehouse, arguments.table, arguments.date, arguments.rule, arguments.reason, arguments.by)
    night = f"crw nightly --date {found.business_date}"
    if arguments.command == "reject":
        print(f"rejected: the next night judges it anew, or `{night}`")
        return
    what = f"the marts of {found.business_date}"
    if found.source != held.MARTS:
        what = f"{found.source} of {found.business_date} from what waits, and `warehouse` {what}"
    print(
        f"approved: where a scheduler runs, the DAG `approved` publishes {what} within ten minutes; else run `{night}`"
    )
    for other in held.waiting(warehouse):
        if (other.source, other.business_date) == (found.source, found.business_date):
            print(f"before that, still to be decided: {other.name} {other.business_date} {other.rule}")


def _quarantine(warehouse: Connection, arguments: argparse.Namespace) -> None:
    if arguments.action == "list":
        _list(warehouse, arguments.table and _table(arguments.table), arguments.date)
        return
    why = (arguments.reason, arguments.by)
    match arguments.action:
        case "mend":
            values = dict(arguments.values)
            if len(values) < len(arguments.values):
                raise ledger.LoadError(f"record {arguments.record}: a column is given twice")
            refused.mend(warehouse, arguments.record, values, *why)
            print("mended: a replay of its table and date sends it through the gate again")
        case "accept":
            refused.accept(warehouse, arguments.records, *why)
            print("accepted: a replay of its table and date publishes it")
        case "replay":
            table, run_id = _table(arguments.table), f"crw__{datetime.now():%Y%m%dT%H%M%S}"
            figures = refused.replay(warehouse, table, arguments.date, run_id, *why)
            builds = f": `crw nightly --date {arguments.date}` builds the marts with what was published"
            print(
                f"of {figures.read:,} rows {figures.published:,} published, {figures.unchanged:,} unchanged, "
                f"{figures.quarantined:,} refused again{builds if figures.published else ''}"
            )
        case "expire":
            table = _table(arguments.table)
            print(f"{refused.expire(warehouse, table, arguments.before, *why)} rows wait no more")


def _list(warehouse: Connection, table: contracts.Table | None, business_date: date | None) -> None:
    found = refused.waiting(warehouse, table, business_date)
    if not found:
        print("no row waits")
        return
    if table:
        print(*found, sep="\n")
        return
    counts = Counter(
        (f"{row.table.source}.{row.table.name}", row.business_date, rule) for row in found for rule in row.rules
    )
    for (name, on, rule), rows in sorted(counts.items()):
        print(f"{name} {on} {rule}: {rows:,} rows")


def _table(name: str) -> contracts.Table:
    source, _, table = name.partition(".")
    return contracts.table(source, table)
