"""The sample CRM's database: published numbers of members come out, dirt is as planted, its clock only goes forward."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from datetime import date, datetime, timedelta

import psycopg
import pytest

from crw import contracts, landing, ledger, quality
from crw.local.sample import clock, crm_dirt, membership
from crw.settings import HONG_KONG
from crw.sources import Batch

SMALL = 0.05
TABLES = ("account_manager", "company", "contact", "membership")
VALID = """
    select payload ->> 'company_id' as company_id, payload ->> 'club_code' as club,
        (payload ->> 'joined_on')::date as joined_on, (payload ->> 'left_on')::date as left_on
    from crm.membership where not starts_with(membership_id, 'M9')
"""


@pytest.fixture(scope="module")
def create(server):
    """A function that creates an empty database and returns its DSN."""
    names = []

    def create() -> str:
        names.append(f"crm_{uuid.uuid4().hex[:8]}")
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"create database {names[-1]}")
        return server.dsn(names[-1])

    yield create
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for name in names:
            admin.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def opening(create):
    """A connection to the whole sample as it stands when FY2012/13 ends."""
    dsn = create()
    membership.build(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def midnight_after(day):
    return datetime(day.year, day.month, day.day, tzinfo=HONG_KONG) + timedelta(days=1)


def fingerprint(dsn, schemas=("crm", "simulation")):
    """Every byte of the tables of some schemas, and their names."""
    found = hashlib.sha256()
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select format('%%I.%%I', table_schema, table_name) from information_schema.tables "
            "where table_schema = any(%s) order by 1",
            [list(schemas)],
        ).fetchall()
        for (table,) in tables:
            found.update(table.encode())
            with connection.cursor().copy(f"copy (select * from {table} as t order by t::text) to stdout") as copy:
                for block in copy:
                    found.update(block)
    return found.hexdigest()


def members(connection, day):
    return connection.execute(
        f"select count(distinct company_id) from ({VALID}) as valid "
        "where joined_on <= %(day)s and (left_on is null or left_on > %(day)s)",
        {"day": day},
    ).fetchone()[0]


def test_the_published_numbers_of_member_companies_come_out(opening):
    assert 41_800 <= members(opening, date(2011, 3, 31)) < 42_000
    assert 42_800 <= members(opening, date(2012, 3, 31)) < 43_000  # close to 43,000
    assert 43_200 <= members(opening, date(2013, 3, 31)) < 43_300  # over 43,000


def test_many_companies_are_in_both_clubs_so_that_clubs_do_not_add_up(opening):
    by_club = opening.execute(
        f"select club, count(distinct company_id) from ({VALID}) as valid where left_on is null group by 1"
    ).fetchall()
    assert {club for club, _ in by_club} == {"postalplus", "eclub"}
    assert sum(count for _, count in by_club) > 1.25 * members(opening, date(2013, 3, 31))


def test_a_company_joins_again_under_a_new_number_and_is_never_twice_in_one_club(opening):
    (again,) = opening.execute(
        f"select count(*) from (select from ({VALID}) as valid group by company_id, club having count(*) > 1) as spells"
    ).fetchone()
    (overlaps,) = opening.execute(
        "select count(*) from (select joined_on, "
        "lag(coalesce(left_on, 'infinity')) over (partition by company_id, club order by joined_on) as left_before "
        f"from ({VALID}) as valid) as spells where joined_on < left_before"
    ).fetchone()
    assert again > 500
    assert overlaps == 0


def test_sizes_are_those_of_the_operator(opening):
    counts = {name: opening.execute(f"select count(*) from crm.{name}").fetchone()[0] for name in TABLES}
    assert 45_500 < counts["company"] < 46_500
    assert 1.05 < counts["contact"] / counts["company"] < 1.15
    assert counts["account_manager"] == 41
    (managed,) = opening.execute(
        "select count(*) from crm.company where payload ->> 'account_manager_id' is not null"
    ).fetchone()
    assert 2_300 < managed <= 2_500


def test_people_are_obviously_invented(opening):
    strays = opening.execute(
        "select count(*) from crm.contact where payload ->> 'email' not like '%@example.com' "
        "or payload ->> 'hkid' !~ '^X[0-9]{6}[(]0[)]$' or payload ->> 'phone' !~ '^[+]852 0'"
    ).fetchone()
    assert strays == (0,)


@pytest.mark.parametrize("name", TABLES)
def test_records_have_the_fields_of_the_contract_and_those_it_withholds(opening, name):
    table = contracts.table("membership", name)
    fields = opening.execute(f"select distinct json_object_keys(payload) from crm.{name}")
    table.check_fields({field for (field,) in fields}, name)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(create):
    first, second, other = create(), create(), create()
    membership.build(first, scale=SMALL)
    membership.build(second, scale=SMALL)
    membership.build(other, seed=7, scale=SMALL)
    assert fingerprint(first) == fingerprint(second) != fingerprint(other)


def test_the_clock_goes_day_by_day_to_where_one_step_leads(create):
    stepped, leapt = create(), create()
    membership.build(stepped, scale=SMALL)
    membership.build(leapt, scale=SMALL, until=clock.hong_kong(clock.END))
    for number in range(30):
        day = clock.OPENING.date() + timedelta(days=number)
        before = fingerprint(stepped, ["crm"])
        clock.advance(stepped, midnight_after(day))
        if day in clock.QUIET_DAYS:
            assert fingerprint(stepped, ["crm"]) == before
    assert fingerprint(stepped) == fingerprint(leapt)
    clock.advance(stepped, clock.OPENING_HKT)
    assert fingerprint(stepped) == fingerprint(leapt)  # it does not go back


def test_every_day_of_april_but_the_quiet_ones_brings_something(opening):
    busy = Counter(
        day
        for (day,) in opening.execute(
            "select (visible_at at time zone 'Asia/Hong_Kong')::date from simulation.contact where visible_at >= %s",
            [clock.OPENING_HKT],
        )
    )
    assert len(busy) == 28
    assert not busy.keys() & set(clock.QUIET_DAYS)


def test_the_suites_refuse_the_planted_records_and_no_others(database, create):
    dsn = create()
    membership.build(dsn, scale=SMALL)
    loads = []
    with psycopg.connect(dsn) as crm:
        for name in TABLES:
            table = contracts.table("membership", name)
            load = ledger.start_load(database, table, date(2013, 3, 31), "test")
            payloads = [payload for (payload,) in crm.execute(f"select payload from crm.{name}")]
            landing.land(database, load, Batch("json", (_as_read(table, payload) for payload in payloads)))
            loads.append(load)
    for load in loads:
        quality.validate_landing(database, load.table, load.load_id, load.business_date)
    rows = database.execute(
        "select table_name, reason ->> 'rule', count(*) "
        "from quarantine.record, jsonb_array_elements(reasons) as reason group by 1, 2"
    )
    assert {(table, rule): count for table, rule, count in rows} == membership.planted()


def _as_read(table, payload):
    """The record with its allowed fields, as the API's reader hands it over."""
    person = "0" * 64 if "email" in payload else None
    return json.dumps({column.name: payload.get(column.name, person) for column in table.columns})


def test_planted_names_the_nights_of_april_too():
    assert membership.planted(date(2013, 4, 11)) == {("membership", "left_on_or_after_joined"): 1}
    assert membership.planted(date(2013, 4, 6)) == {}
    assert all(membership.planted(night) for night in crm_dirt.DIRTY_IN_APRIL)
