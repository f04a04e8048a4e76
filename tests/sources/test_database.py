"""Reading a relational source: the interval, the allow-list, pseudonyms, and what happens when the source breaks the contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import psycopg
import pytest

from crw import contracts, landing, ledger
from crw.settings import CLOCK
from crw.sources import Interval, pseudonym
from crw.sources import database as reader

CASES = contracts.table("feedback", "cases")
SECRET = b"a secret longer than one block of SHA-256, which RFC 2104 says is hashed first, so both ways are tested"
INTERVAL = Interval(datetime(2013, 3, 30, 23, tzinfo=CLOCK), datetime(2013, 4, 1, tzinfo=CLOCK))


@pytest.fixture
def source(server):
    """A case database of its own, with one row on each edge of the interval."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("drop database if exists source_under_test with (force)")
        admin.execute("create database source_under_test")
    with psycopg.connect(server.dsn("source_under_test"), autocommit=True) as connection:
        columns = [f"{c.name} {c.type}" for c in CASES.columns if not c.pseudonym_of]
        columns += [f"{name} text" for name in CASES.withheld]
        connection.execute(f"create schema case_management; create table case_management.cases ({', '.join(columns)})")
        edges = ["2013-03-30 22:59:59.999999", "2013-03-30 23:00", "2013-03-31 23:59:59.999999", "2013-04-01 00:00"]
        for number, moment in enumerate(edges):
            connection.execute(
                "insert into case_management.cases (case_id, case_no, received_at, is_anonymous, updated_at, "
                "complainant_email, complainant_name) values (%s, %s, '2013-03-01', false, %s, %s, 'CHAN Tai Man')",
                [number, f"C{number}", f"{moment}+08", " Chan@Example.com " if number == 1 else None],
            )
        yield connection


def read(source, warehouse):
    load = ledger.start_load(warehouse, CASES, date(2013, 3, 31), "test")
    with psycopg.connect(source.info.dsn, password=source.info.password) as connection:
        return landing.land(warehouse, load, reader.read(CASES, connection, INTERVAL, SECRET))


def test_reads_the_half_open_interval_and_only_the_allow_list(source, database):
    assert read(source, database) == 2
    rows = database.execute("select case_no, person_key from landing.feedback__cases order by case_no").fetchall()
    assert rows == [("C1", pseudonym.pseudonym("chan@example.com", SECRET)), ("C2", None)]
    names = {c.name for c in database.execute("select * from landing.feedback__cases limit 0").description}
    assert not names & CASES.withheld


def test_a_row_without_a_watermark_comes_every_night_to_be_refused(source, database):
    source.execute("update case_management.cases set updated_at = null where case_no = 'C0'")
    assert read(source, database) == 3


def test_a_row_without_a_key_comes_every_night_to_be_refused(source, database):
    source.execute("update case_management.cases set case_no = null where case_no in ('C0', 'C3')")
    assert read(source, database) == 3  # C3 is the next night's


def test_a_missing_column_is_refused_by_name(source, database):
    source.execute("alter table case_management.cases drop column channel_code")
    with pytest.raises(contracts.ContractError, match=r"case_management\.cases: missing column channel_code"):
        read(source, database)


def test_a_column_nobody_declared_is_refused_by_name(source, database):
    source.execute("alter table case_management.cases add column hkid text")
    with pytest.raises(contracts.ContractError, match="unknown column hkid"):
        read(source, database)


def test_a_short_secret_gives_the_same_pseudonym_in_sql_and_python(source):
    with source.transaction():
        pseudonym.prepare(source, b"short")
        query = "select distinct {} from case_management.cases where complainant_email is not null"
        statement = psycopg.sql.SQL(query).format(pseudonym.expression("complainant_email"))
        assert source.execute(statement).fetchall() == [(pseudonym.pseudonym("chan@example.com", b"short"),)]


def test_without_a_key_nothing_is_read(monkeypatch):
    monkeypatch.delenv("CRW_PSEUDONYM_KEY", raising=False)
    with pytest.raises(pseudonym.PseudonymKeyMissing):
        pseudonym.key()


def test_a_database_that_hangs_is_given_the_seconds_of_the_contract(source, database):
    table = replace(CASES, bounds=replace(CASES.bounds, seconds=1))
    load = ledger.start_load(database, table, date(2013, 3, 31), "test")
    with source.transaction():
        source.execute("lock table case_management.cases in access exclusive mode")
        with (
            pytest.raises(contracts.ContractError, match=r"relation case_management\.cases: more than 1 s, as its"),
            psycopg.connect(source.info.dsn, password=source.info.password) as connection,
            reader.bounded(table, connection),
        ):
            landing.land(database, load, reader.read(table, connection, INTERVAL, SECRET))
    settings = {"password": source.info.password, "options": "-c statement_timeout=7s"}
    with psycopg.connect(source.info.dsn, **settings) as own, reader.bounded(table, own):
        assert own.execute("show statement_timeout").fetchone() == ("7s",)
    assert read(source, database) == 2
