"""What each role of the warehouse may do, and what it may not, by logging in as it."""

from __future__ import annotations

from datetime import date
from functools import partial

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from crw import contracts, publish, warehouse
from tests.conftest import PASSWORD

KPI = "create table candidate.kpi (period text primary key, value integer)"
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
    for statement in (FACT, KPI, COMPANY, "create view staging.stg as select * from raw.feedback__category"):
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


def test_tables_of_an_older_installation_change_hands(database, filled):
    for relation in ("core.fct", "marts.kpi", "staging.stg", "raw.feedback__category"):
        database.execute(f"alter table {relation} owner to postgres")
    warehouse.install(database)
    owners = database.execute(
        "select c.oid::regclass::text, relowner::regrole::text from pg_class as c "
        "where c.oid in ('core.fct'::regclass, 'marts.kpi'::regclass, 'staging.stg'::regclass, 'raw.feedback__category'::regclass)"
    ).fetchall()
    assert sorted(owners) == [
        ("core.fct", "crw_transformer"),
        ("marts.kpi", "crw_loader"),
        ("raw.feedback__category", "crw_loader"),
        ("staging.stg", "crw_transformer"),
    ]
    assert database.execute("select current_user").fetchone() == ("postgres",)


def test_an_installer_without_superuser_rights_can_install(server, empty_database):
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"create role installer login createrole password '{PASSWORD}'")
        name = psycopg.conninfo.conninfo_to_dict(empty_database)["dbname"]
        admin.execute(f"alter database {name} owner to installer")
        for role in FORBIDDEN:
            if admin.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                admin.execute(f"grant {role} to installer with admin true")
    with psycopg.connect(make_conninfo(empty_database, user="installer", password=PASSWORD), autocommit=True) as mine:
        warehouse.install(mine)
        warehouse.install(mine)
        assert mine.execute("select count(*) from audit.load").fetchone() == (0,)
