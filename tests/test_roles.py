"""What each role of the warehouse may do, and what it may not, by logging in as it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from crw import contracts, publish, readers, warehouse
from crw.local import summary
from tests.conftest import PASSWORD

KPI = "create table candidate.kpi (period text primary key, value integer)"
CODES = "create table core.code_column (mart text, column_name text, list text)"
COMPANY = "create table candidate.customer_360 (company_id text primary key)"
FACT = "create table core.fct (id integer)"

# Statements that a role must be refused, beside the ones that need no privilege at all.
FORBIDDEN = {
    "crw_loader": [
        "create table core.mine ()",
        "create table candidate.mine ()",
        "insert into candidate.kpi values ('2012/13', 1)",
        "insert into core.fct values (1)",
        "create schema mine",
        "drop table audit.load",
        "truncate quarantine.record",
    ],
    "crw_transformer": [
        "insert into raw.feedback__category (category_code) values ('A')",
        "delete from raw.feedback__category",
        "truncate raw.feedback__category",
        "create table raw.mine ()",
        "select * from landing.feedback__category",
        "select * from quarantine.record",
        "update audit.load set rows_read = 0",
        "create table marts.mine ()",
        "insert into marts.kpi values ('2012/13', 1)",
    ],
    "crw_analyst": [
        "select * from landing.feedback__category",
        "select * from raw.feedback__category",
        "select * from staging.stg",
        "select * from candidate.kpi",
        "select * from quarantine.record",
        "select * from audit.load",
        "insert into marts.kpi values ('2012/13', 1)",
        "delete from core.fct",
        "update marts.kpi set value = 1",
        "truncate marts.kpi",
        "drop table marts.kpi",
        "create table marts.mine ()",
        "create table public.mine ()",
        "create schema mine",
    ],
    "crw_account_manager": [
        "select * from core.fct",
        "select * from candidate.kpi",
        "select * from audit.load",
        "update accounts.customer_360 set company_id = 'K2'",
        "create table accounts.mine ()",
    ],
    "crw_dashboard": [
        "select * from core.fct",
        "select * from accounts.customer_360",
        "select * from raw.feedback__category",
        "select * from candidate.kpi",
        "select * from audit.load",
    ],
}
ALLOWED = {
    "crw_analyst": [
        "select * from marts.kpi",
        "select * from accounts.customer_360",
        "select * from core.fct",
        "create temporary table mine (id integer)",
    ],
    "crw_account_manager": ["select * from accounts.customer_360", "select * from marts.kpi"],
    "crw_dashboard": ["select * from marts.kpi"],
}


@pytest.fixture
def filled(database, login):
    """Each room holds something, made by the role whose work it is, after the roles had been granted their rights.

    A function that opens a connection to it as a role.
    """
    transformer, loader = login(database, "crw_transformer"), login(database, "crw_loader")
    for statement in (FACT, KPI, CODES, COMPANY, "create view staging.stg as select * from raw.feedback__category"):
        transformer.execute(statement)
    transformer.execute("insert into candidate.kpi values ('2011/12', 332)")
    publish.publish_marts(loader, date(2013, 3, 31), "test")
    return partial(login, database)


@pytest.mark.parametrize("role", FORBIDDEN)
def test_what_a_role_is_refused(filled, role):
    connection = filled(role)
    for statement in FORBIDDEN[role]:
        with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
            connection.execute(statement)
            pytest.fail(f"{role} may {statement}")


@pytest.mark.parametrize("role", ALLOWED)
def test_what_a_reader_may_do(filled, role):
    for statement in ALLOWED[role]:
        filled(role).execute(statement)


def test_the_loader_lands_publishes_and_makes_partitions(filled):
    loader = filled("crw_loader")
    table = contracts.table("feedback", "category")
    warehouse.ensure_partition(loader, table, date(2013, 3, 31))
    loader.execute("truncate landing.feedback__category restart identity")
    loader.execute("insert into landing.feedback__category (category_code) values ('A')")
    loader.execute("analyze landing.feedback__category")
    loader.execute(
        "insert into raw.feedback__category (category_code, _load_id, _business_date) values ('A', 1, '2013-03-31')"
    )
    assert filled("crw_transformer").execute("select category_code from staging.stg").fetchall() == [("A",)]


def test_a_mart_of_another_shape_is_published_and_readable(filled):
    filled("crw_transformer").execute("alter table candidate.kpi add column members integer")
    publish.publish_marts(filled("crw_loader"), date(2013, 4, 1), "test")
    for role in ("crw_analyst", "crw_dashboard"):
        assert filled(role).execute("select period, value, members from marts.kpi").fetchall() == [
            ("2011/12", 332, None)
        ]


def test_companies_that_an_older_release_published_for_dashboards_are_taken_away(filled):
    loader = filled("crw_loader")
    loader.execute("drop table accounts.customer_360; create table marts.customer_360 (company_id text)")
    publish.publish_marts(loader, date(2013, 4, 1), "test")
    assert loader.execute("select to_regclass('marts.customer_360'), to_regclass('accounts.customer_360')").fetchone() == (
        None, "accounts.customer_360"
    )  # fmt: skip


def test_a_table_that_the_installer_makes_is_readable_too(database, filled):
    database.execute("create table marts.by_hand (id integer)")
    database.execute("create table core.by_hand (id integer)")
    assert filled("crw_dashboard").execute("select * from marts.by_hand").fetchall() == []
    assert filled("crw_analyst").execute("select * from core.by_hand").fetchall() == []


def test_a_dashboard_reads_in_short_read_only_transactions(filled):
    dashboard = filled("crw_dashboard")
    assert dashboard.execute("show statement_timeout").fetchone() == ("30s",)
    for statement in ("create temporary table mine (id integer)", "delete from marts.kpi"):
        with pytest.raises(errors.ReadOnlySqlTransaction):
            dashboard.execute(statement)
    # Even a viewer who switches the default off may write nothing.
    dashboard.execute("set default_transaction_read_only = off")
    with pytest.raises(errors.InsufficientPrivilege):
        dashboard.execute("delete from marts.kpi")
    dashboard.execute("set statement_timeout = '50ms'")
    with pytest.raises(errors.QueryCanceled):
        dashboard.execute("select pg_sleep(5)")


LIFTED = (
    "alter role current_user set default_transaction_read_only = off",
    "alter role current_user reset statement_timeout",
    "alter role current_user in database {database} set statement_timeout = 0",
    "alter role current_user set search_path = pg_temp",
)


def lift_limits(filled):
    """A viewer of a dashboard lifts its role's limits for good. Returns the connection."""
    dashboard = filled("crw_dashboard")
    dashboard.execute("set default_transaction_read_only = off")
    for statement in LIFTED:
        dashboard.execute(statement.format(database=dashboard.info.dbname))
    return dashboard


def test_limits_that_a_role_lifts_for_good_or_in_its_login_stand_again(filled):
    address = make_conninfo(lift_limits(filled).info.dsn, password=PASSWORD, options="-c statement_timeout=0")
    for again in (filled("crw_dashboard"), psycopg.connect(address)):
        with again:
            assert again.execute("show statement_timeout").fetchone() == ("30s",)
            assert again.execute("show default_transaction_read_only").fetchone() == ("on",)


def test_every_start_holds_the_limits_and_tells_it_once_there_was_a_load(database):
    lifted = "alter role crw_dashboard connection limit -1"
    message = "crw_dashboard might have -1 connections (-1: any number): 40 again"
    for expected in ([], [message]):
        database.execute(lifted)
        warehouse.install(database)
        assert database.execute("select rolconnlimit from pg_roles where rolname = 'crw_dashboard'").fetchone() == (40,)
        told = database.execute("select message from audit.reader_limit_restored where message = %s", [message])
        assert [line for (line,) in told] == expected
        database.execute(
            "insert into audit.load (source, table_name, business_date, run_id, interval_start, interval_end) "
            "values ('feedback', 'cases', '2013-03-31', 'r', '2013-03-01', '2013-04-01')"
        )


def test_the_night_takes_back_what_was_lifted_and_tells_it(database, filled, caplog):
    loader = filled("crw_loader")
    elsewhere = {line for line in readers.hold_limits(loader) if "may log into" in line}
    assert set(readers.hold_limits(loader)) == elsewhere
    lift_limits(filled)
    database.execute("alter role crw_dashboard connection limit -1")
    found = set(readers.hold_limits(loader)) - elsewhere
    assert found == {
        "crw_dashboard had set default_transaction_read_only for good: taken back",
        "crw_dashboard was without default_transaction_read_only = on: set again",
        f"crw_dashboard had set statement_timeout for good in {database.info.dbname}: taken back",
        "crw_dashboard was without statement_timeout = 30s: set again",
        "crw_dashboard had set search_path for good: taken back",
        "crw_dashboard might have -1 connections (-1: any number): 40 again",
    }
    assert found <= set(caplog.messages)
    assert {f"readers' limits: {message}" for message in found} <= set(summary._limits(database, 60))
    assert set(readers.hold_limits(loader)) == elsewhere


def test_readers_leave_connections_locks_disk_and_sessions_to_others(database, filled):
    for role in ("crw_analyst", "crw_account_manager", "crw_dashboard"):
        leaves_the_rest_to_others(filled(role), role)
    dashboard = filled("crw_dashboard")
    dashboard.execute("set default_transaction_read_only = off")
    with pytest.raises(errors.InsufficientPrivilege):
        dashboard.execute("create temporary table mine (id integer)")
    database.execute("alter role crw_dashboard connection limit 1")
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            filled("crw_dashboard")
    finally:
        database.execute("select audit.hold_reader_limits()")


def test_what_is_no_reader_lets_the_night_fail_and_not_wait_for_ever(filled):
    for role in ("crw_loader", "crw_transformer"):
        assert filled(role).execute("show lock_timeout").fetchone() == ("30min",)


def leaves_the_rest_to_others(reader, role):
    is_read_only = reader.execute("show default_transaction_read_only").fetchone() == ("on",)
    assert is_read_only is (role != "crw_analyst")  # who may make temporary tables
    reader.execute("set default_transaction_read_only = off")
    for statement in (
        "select pg_advisory_lock(hashtext('crw.publish_marts'))",
        "select pg_try_advisory_xact_lock_shared(1, 2)",
        "select lo_from_bytea(0, 'x')",
        "select pg_terminate_backend(pg_backend_pid())",
        "select pg_notify('everybody', repeat('x', 7999))",
        "set temp_file_limit = -1",
        "alter role current_user connection limit -1",
        "alter role current_user reset temp_file_limit",
        "begin; lock table marts.kpi in share mode",
        "select * from audit.hold_reader_limits()",
        "select * from audit.end_blocking_readers('0')",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(statement)
            pytest.fail(f"{role} may {statement}")
        reader.rollback()
    for setting in (
        *("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"),
        *("transaction_timeout", "temp_file_limit"),
    ):
        assert reader.execute(f"show {setting}").fetchone()[0] not in ("0", "-1"), setting
    (allowed,) = reader.execute("select rolconnlimit from pg_roles where rolname = current_user").fetchone()
    assert 0 < allowed <= 40


def test_a_readers_open_transaction_is_ended_when_the_night_has_waited(database, filled, monkeypatch, caplog):
    monkeypatch.setattr(readers, "PATIENCE", timedelta(seconds=0.5))
    monkeypatch.setattr(readers, "POLL", 0.1)
    transformer, loader = filled("crw_transformer"), filled("crw_loader")
    for connection in (database, transformer, loader):
        connection.execute("set lock_timeout = '20s'")
    # What an analyst may ask of as_of reads raw and audit with other rights, and its locks stay with the analyst's transaction.
    database.execute(
        "create function as_of.kpi() returns bigint language sql security definer begin atomic "
        "select count(*) + (select count(*) from audit.load) from raw.feedback__category; end"
    )
    transformer.execute("alter table candidate.kpi add column members integer")

    def as_dbt_does():
        with readers.made_to_give_way(transformer):
            transformer.execute("drop table core.fct cascade")

    for work in (
        lambda: publish.publish_marts(loader, date(2013, 4, 1), "test"),
        lambda: warehouse.install(database),
        as_dbt_does,
    ):
        analyst = filled("crw_analyst")
        analyst.autocommit = False
        analyst.execute("select as_of.kpi(), count(*) from core.fct, marts.kpi")
        caplog.clear()
        work()
        with pytest.raises(psycopg.OperationalError):
            analyst.execute("select 1")
        assert [message for message in caplog.messages if message.startswith("crw_analyst (pid")]


def test_who_is_no_reader_is_not_ended(database, filled):
    waiting = filled("crw_transformer")
    waiting.execute("set lock_timeout = '60s'")
    waits = "select true from pg_locks where not granted and waitstart is not null and pid = %s"
    for holder in (filled("crw_transformer"), psycopg.connect(database.info.dsn, password=database.info.password)):
        holder.autocommit = False
        holder.execute("select * from core.fct")
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(waiting.execute, "truncate core.fct")
            while not database.execute(waits, [waiting.info.backend_pid]).fetchone():
                time.sleep(0.02)
            ended = filled("crw_loader").execute("select * from audit.end_blocking_readers('0')").fetchall()
            holder.rollback()
            work.result()
        assert ended == []
        holder.close()


def test_a_stranger_may_not_enter(database, server):
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"create role stranger login password '{PASSWORD}'")
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(make_conninfo(database.info.dsn, user="stranger", password=PASSWORD))
        finally:
            admin.execute("drop role stranger")
