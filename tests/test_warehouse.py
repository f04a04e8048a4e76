import os
import re
import subprocess
import sys
from datetime import date

import psycopg
import pytest

from crw import contracts, warehouse
from crw.local import environment
from crw.settings import PROJECT

RUNBOOK = PROJECT / "docs" / "runbook.md"


def test_install_makes_landing_and_raw_of_every_contract(database):
    made = {
        (row[0], row[1])
        for row in database.execute("select table_schema, table_name from information_schema.tables").fetchall()
    }
    for table in contracts.tables().values():
        assert {("landing", table.identifier), ("raw", table.identifier)} <= made


def test_install_again_changes_nothing_and_keeps_rows(database):
    table = contracts.table("feedback", "category")
    warehouse.ensure_partition(database, table, date(2013, 3, 31))
    database.execute(
        "insert into raw.feedback__category values ('A', 'complaint', null, 'a', 'a', now(), 1, '2013-03-31')"
    )
    warehouse.install(database)
    assert database.execute("select count(*) from raw.feedback__category").fetchone() == (1,)


def test_a_column_new_in_the_contract_is_added(database):
    database.execute("alter table raw.feedback__category drop column issue_code")
    warehouse.install(database)
    assert database.execute("select issue_code from raw.feedback__category").fetchall() == []


SHAPE = (
    "select attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute join pg_class on "
    "pg_class.oid = attrelid where relnamespace::regnamespace::text in ('landing', 'raw', 'quarantine', 'audit', 'accounts') "
    "and attnum > 0 and not attisdropped union all select tgrelid::regclass::text, tgname, '', tgenabled = 'O' from pg_trigger "
    "where not tgisinternal order by 1, 2"
)


def test_a_warehouse_of_the_first_release_is_brought_up_to_date_in_place(database):
    shape = database.execute(SHAPE).fetchall()
    database.execute(
        "insert into audit.load (source, table_name, business_date, run_id, interval_start, interval_end) "
        "values ('feedback', 'cases', '2013-03-31', 'of an older release', '2013-03-01', '2013-04-01')"
    )
    database.execute((PROJECT / "tests" / "earlier_shape.sql").read_text())
    assert database.execute(SHAPE).fetchall() != shape
    warehouse.install(database)
    assert database.execute(SHAPE).fetchall() == shape
    assert database.execute("select run_id from audit.load").fetchall() == [("of an older release",)]


def test_a_changed_type_is_refused_by_name_until_it_is_migrated(database):
    database.execute("alter table raw.feedback__category alter column name_en type varchar(10)")
    with pytest.raises(contracts.ContractError, match=r"raw\.feedback__category\.name_en is character varying\(10\)"):
        warehouse.install(database)
    (migration,) = re.findall(r"```sql\n(alter table raw\..*?)```", RUNBOOK.read_text(encoding="utf-8"), re.S)
    database.execute(migration)
    warehouse.install(database)


def test_what_is_published_while_an_installation_is_at_work_is_of_this_server(database, warehouse_dsn):
    with psycopg.connect(warehouse_dsn, autocommit=True) as publisher, database.transaction():
        database.execute("select pg_current_xact_id()")
        note = "insert into audit.raw_change (relation, business_date, load_id) values ('feedback__cases', '2013-03-31', 1)"
        noted = publisher.execute(note + " returning changed_by").fetchone()
        warehouse._apply(database)
        assert database.execute("select changed_by from audit.raw_change").fetchone() == noted


def test_december_partition_ends_in_january(database):
    table = contracts.table("feedback", "category")
    warehouse.ensure_partition(database, table, date(2012, 12, 31))
    warehouse.ensure_partition(database, table, date(2013, 1, 1))
    database.execute(
        "insert into raw.feedback__category values ('A', 'complaint', null, 'a', 'a', now(), 1, '2012-12-31')"
    )
    assert database.execute("select count(*) from raw.feedback__category__2012_12").fetchone() == (1,)


def test_the_installer_of_a_deployment_lets_each_role_in_with_its_password(empty_database):
    passwords = {f"{role.upper()}_PASSWORD": f"secret of {role}'s" for role in environment.ROLES}
    variables = {**os.environ, **passwords, "AIRFLOW_CONN_WAREHOUSE": empty_database}
    subprocess.run([sys.executable, "-m", "crw.local.cli", "install"], env=variables, check=True)
    for role in environment.ROLES:
        with psycopg.connect(empty_database, user=role, password=f"secret of {role}'s") as connection:
            assert connection.execute("select current_user").fetchone() == (role,)


DATES = {
    "5/11/2012": "2012-11-05", "05/11/2012": "2012-11-05", "5-11-12": "2012-11-05", "29.2.12": "2012-02-29", "05/25/2012": "2012-05-25",
    "25/12/1999": "1999-12-25", "5 / 11 / 2012": "2012-11-05", "2012-11-5": "2012-11-05", "2012.11.5": "2012-11-05",
    "2012-11-05 00:00:00": "2012-11-05", "5 Nov 2012": "2012-11-05", " 05-november, 2012 ": "2012-11-05",
    "二○一二年十一月五日": "2012-11-05", "二〇一二年十月三十一日": "2012-10-31", "二零一二年一月二十日": "2012-01-20",
    "二〇一二年十二月二十一日": "2012-12-21", "十二/十一/2012": "2012-11-12", "2012 年 11 月 5 日": "2012-11-05",
    "12年5月3日": "2012-05-03", "一二年 五月三十號": "2012-05-30", "2012年5-3": "2012-05-03",
    "２０１２年１１月５日": "2012-11-05", "０５／１１／２０１２\u3000": "2012-11-05", "5－11－2012": "2012-11-05",
}  # fmt: skip
NO_DATES = ("", "  ", "0", "NA", "TBC", "today", "30/2/2012", "29/02/2011", "2012-02-30", "30 Feb 2012", "13/13/2012", "20121105",
            "Nov 2012", "12 foo 2012", "101年5月3日", "12月5日2012", "5月3日", "5/11/012", "0/11/2012", "二○一二年二月三十日")  # fmt: skip


def test_a_typed_date_is_a_day_of_the_calendar_or_nothing(database):
    found = database.execute(
        "select typed, raw.typed_date(typed)::text from unnest(%s::text[]) as typed", [[*DATES, *NO_DATES]]
    ).fetchall()
    assert dict(found) == DATES | dict.fromkeys(NO_DATES)
