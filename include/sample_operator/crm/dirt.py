"""Dirt planted in the sample CRM, so that landing and its suites have something to refuse.

A planted record breaks exactly one rule, so the records refused are the sum of the numbers in `membership_dirt` and
`campaign_dirt`. Rule `type` is landing's own: a value that has not the contract's type.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random

from psycopg import Connection

from sample_operator import clock
from sample_operator.clock import SampleTable
from sample_operator.crm import campaign_dirt, membership_dirt
from sample_operator.crm.membership_dirt import CORRECTED
from sample_operator.crm.record import CrmRecord, Version, Wrong

DIRT = membership_dirt.DIRT | campaign_dirt.DIRT
DIRTY_IN_APRIL = membership_dirt.DIRTY_IN_APRIL | campaign_dirt.DIRTY_IN_APRIL
REPORTED = {"company_exists", "campaign_exists", "staff_exists", "channel_known"}
"""Rules that refuse nothing: a row may come before its parent (these count nowhere, for it never comes), and a channel only describes."""


def planted(night: date | None = None) -> dict[tuple[str, str], int]:
    """How many records landing and the suites must refuse, by table and rule.

    Args:
        night: a night of April 2013, read on its own; without it, all up to 31 March 2013 read at once.

    Returns:
        (table, rule) to the number of records. No record breaks two rules.
    """
    if night is not None:
        return {DIRTY_IN_APRIL[night]: 1} if night in DIRTY_IN_APRIL else {}
    found: dict[tuple[str, str], int] = {}
    for table, entries in DIRT.items():
        for rule, count, _ in entries:
            if rule not in REPORTED:
                found[table, rule] = found.get((table, rule), 0) + count
    return found


def store(
    connection: Connection,
    tables: Sequence[SampleTable],
    records: Sequence[list[Version]],
    companies: list[str],
    rng: Random,
) -> int:
    """Store the records of each table and the planted ones with them. Returns how many versions.

    Args:
        connection: to the sample CRM's database.
        tables: where to.
        records: for each table the versions of its records.
        companies: ids of companies that exist, for the planted records whose rule is not about that.
        rng: what the planted records are drawn from.
    """
    return sum(
        clock.store(connection, table, versions + _planted(table.name, companies, rng))
        for table, versions in zip(tables, records, strict=True)
    )


def _planted(table: str, companies: list[str], rng: Random) -> list[Version]:
    found: list[Version] = []
    number = 0
    for _, count, wrong in DIRT[table]:
        for turn in range(count):
            number += 1
            record = _record(table, number, wrong, turn, companies, rng)
            found += record.version(clock.office_time(datetime(2012, 11, 6) + timedelta(days=rng.random() * 120), rng))
            if record.fields.get("joined_on") in CORRECTED:
                correct = CORRECTED[record.fields["joined_on"]]
                found += record.version(datetime(2013, 4, 19, 11, number), joined_on=correct)
    for night, (dirty_table, rule) in DIRTY_IN_APRIL.items():
        if dirty_table == table:
            number += 1
            wrong = next(wrong for name, _, wrong in DIRT[table] if name == rule)
            record = _record(table, number, wrong, 0, companies, rng)
            found += record.version(datetime(night.year, night.month, night.day, 14))
    return found


def _record(table: str, number: int, wrong: Wrong, turn: int, companies: list[str], rng: Random) -> CrmRecord:
    """A record that is valid but for the fields in `wrong`, of which it takes the values whose turn it is."""
    company = rng.choice(companies[: len(companies) // 2])
    spoilt = {name: values[turn % len(values)] for name, values in wrong.items()}
    part = membership_dirt if table in membership_dirt.DIRT else campaign_dirt
    return CrmRecord(f"{table}_id", part.valid(table, number, company) | spoilt)
