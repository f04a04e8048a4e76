"""The accounts of the sample CRM: customer relationship executives, who was in charge of which company when, interactions.

Account managers belong to the membership part. Their assignments are what its companies' records say, version by version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from random import Random

from psycopg import Connection

from sample_operator.clock import END, FIRST_DAY, hong_kong, office_time, recordable
from sample_operator.crm import dirt
from sample_operator.crm.record import CrmRecord, Version, between, choice, crm_table

TABLES = tuple(map(crm_table, ("relationship_executive", "account_assignment", "interaction")))

EXECUTIVES = [f"RE{number:03d}" for number in range(1, 17)]
SERVED = 700
"""Companies in the charge of an executive at scale 1, none of which has an account manager."""
CHANGES = 0.3
FORGOTTEN = 0.05
"""Assignments whose end nobody enters when another begins."""
A_YEAR = {"AM": 1.4, "RE": 3.2}
"""Interactions a year with an account, by who is in charge; most accounts have fewer, some many."""
BY_COLLEAGUE = 0.05
PROSPECTS = 400
"""Interactions with companies that nobody is in charge of, at scale 1."""
CHANNELS = {"phone": 46, "email": 30, "visit": 18, "event": 6}


@dataclass(slots=True)
class _Assignment:
    company_id: str
    staff_id: str
    begun: datetime
    ended: datetime | None


def fill(connection: Connection, seed: int, scale: float) -> int:
    """Store every version of the records of `TABLES`. Returns how many. Args as of `crm.build`."""
    rng = Random(f"accounts {seed}")
    managed = list(_managed(connection))
    rows = connection.execute("select distinct company_id from simulation.company where company_id < 'C9' order by 1")
    companies = [company for (company,) in rows]
    companies = companies[: len(companies) // 2]  # numbered as they became known: these are older than the history
    free = sorted(set(companies) - {assignment.company_id for assignment in managed})
    assignments = managed + list(_served(rng.sample(free, round(SERVED * scale)), rng))
    records = (
        list(_executives(rng)),
        [v for number, assignment in enumerate(assignments, 1) for v in _record(number, assignment, rng)],
        list(_interactions(assignments, companies, round(PROSPECTS * scale), rng)),
    )
    return dirt.store(connection, TABLES, records, companies, rng)


def _managed(connection: Connection) -> Iterator[_Assignment]:
    """The account managers' assignments: from the version of a company that names one to the next that names another."""
    rows = connection.execute(
        "select company_id, payload ->> 'account_manager_id', updated_at at time zone 'Asia/Hong_Kong' "
        "from simulation.company where company_id < 'C9' and payload ->> 'account_manager_id' is not null order by 1, 3"
    )
    for company, versions in groupby(rows, key=lambda row: row[0]):
        begun = [next(same) for _, same in groupby(versions, key=lambda row: row[1])]
        for (_, staff, moment), later in pairwise([*begun, None]):
            yield _Assignment(company, staff, moment, later[2] if later else None)


def _served(companies: list[str], rng: Random) -> Iterator[_Assignment]:
    for company in companies:
        begun = office_time(between(datetime(2009, 1, 5), datetime(2012, 10, 1), rng), rng)
        first = rng.choice(EXECUTIVES)
        changed = recordable(office_time(between(begun + timedelta(days=30), END, rng), rng))
        if rng.random() < CHANGES and (second := rng.choice(EXECUTIVES)) != first:
            yield _Assignment(company, first, begun, changed)
            yield _Assignment(company, second, changed, None)
        else:
            yield _Assignment(company, first, begun, None)


def _executives(rng: Random) -> Iterator[Version]:
    for number, staff_id in enumerate(EXECUTIVES, 1):
        start = date(2008, 1, 2) + timedelta(days=int(rng.random() * 360))
        record = CrmRecord(
            "relationship_executive_id",
            {
                "relationship_executive_id": staff_id,
                "full_name": f"Relationship Executive Sample {number:03d}",
                "email": f"{staff_id.lower()}@example.com",
                "team": f"team_{'abcd'[number % 4]}",
                "active_from": start.isoformat(),
                "active_to": None,
            },
        )
        yield from record.version(office_time(datetime(start.year, start.month, start.day), rng))


def _record(number: int, assignment: _Assignment, rng: Random) -> Iterator[Version]:
    record = CrmRecord(
        "account_assignment_id",
        {
            "account_assignment_id": f"AA{number:05d}",
            "company_id": assignment.company_id,
            "staff_id": assignment.staff_id,
            "assigned_from": assignment.begun.date().isoformat(),
            "assigned_to": None,
        },
    )
    yield from record.version(recordable(assignment.begun))
    if assignment.ended and rng.random() >= FORGOTTEN:
        yield from record.version(assignment.ended, assigned_to=assignment.ended.date().isoformat())


def _interactions(
    assignments: list[_Assignment], companies: list[str], prospects: int, rng: Random
) -> Iterator[Version]:
    """Those of each assignment since the history begins, and some with companies that are no accounts."""
    first = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day)
    staff = sorted({assignment.staff_id for assignment in assignments})
    met = []
    for assignment in assignments:
        begun, ended = max(assignment.begun, first), assignment.ended or END
        years = max((ended - begun) / timedelta(days=365), 0)
        count = int(A_YEAR[assignment.staff_id[:2]] * years * rng.expovariate(1) + rng.random())
        for _ in range(count):
            who = rng.choice(staff) if rng.random() < BY_COLLEAGUE else assignment.staff_id
            met.append((office_time(between(begun, ended, rng), rng), assignment.company_id, who))
    for _ in range(prospects):
        met.append((office_time(between(first, END, rng), rng), rng.choice(companies), rng.choice(staff)))
    for number, (moment, company, who) in enumerate(sorted(met), 1):
        record = CrmRecord(
            "interaction_id",
            {
                "interaction_id": f"IN{number:06d}",
                "company_id": company,
                "staff_id": who,
                "channel": choice(CHANNELS, rng),
                "direction": "inbound" if rng.random() < 0.3 else "outbound",
                "interacted_at": hong_kong(moment).isoformat(),
                "notes": "sample note",
            },
        )
        # One in ten is written up days later.
        yield from record.version(recordable(moment + timedelta(days=rng.random() * 6 if rng.random() < 0.1 else 0)))
