"""Published marts as Parquet: what a reader of the files sees is what a reader of the database sees."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from crw import export, publish

NIGHT = date(2013, 4, 10)
MARTS = """
    create table core.code_column (mart text, column_name text, list text);
    create table candidate.data_health (measure text primary key);
    insert into candidate.data_health values ('rows_read');
    create table candidate.kpi (
        code text primary key, value integer, share numeric, day date, is_complete boolean, cases bigint
    );
    insert into candidate.kpi values
        ('', 1, 0.333333333333, '2013-03-31', true, 9000000000), (E'\\\\N', null, null, null, null, null),
        (E'a "b",\\n五', -1, 43243, '0001-01-01', false, 0);
"""


@pytest.fixture
def dashboard(database, login):
    database.execute(MARTS)
    publish.publish_marts(database, NIGHT, "test")
    return login(database, "crw_dashboard")


def exported(folder, columns="*"):
    with duckdb.connect() as parquet:
        return parquet.sql(f"select {columns} from '{folder}/2013-04-10/kpi.parquet' order by code").fetchall()


def test_the_files_hold_what_the_marts_do(dashboard, tmp_path):
    assert export.write(dashboard, tmp_path) == tmp_path / "2013-04-10"
    assert exported(tmp_path) == [
        ("", 1, Decimal("0.333333333333"), date(2013, 3, 31), True, 9_000_000_000, NIGHT),
        ("\\N", None, None, None, None, None, NIGHT),
        ('a "b",\n五', -1, Decimal(43243), date(1, 1, 1), False, 0, NIGHT),
    ]
    assert {path.name for path in tmp_path.rglob("*.*")} == {"kpi.parquet", "data_health.parquet"}


def test_a_date_exported_again_is_replaced_and_stays_when_it_cannot_be(database, dashboard, tmp_path):
    export.write(dashboard, tmp_path)
    database.execute("update candidate.kpi set value = 2 where value = 1")
    publish.publish_marts(database, NIGHT, "test")
    export.write(dashboard, tmp_path)
    assert exported(tmp_path, "value") == [(2,), (None,), (-1,)]
    database.execute("update candidate.kpi set value = 3, share = 0.1234567890123 where value = 2")
    publish.publish_marts(database, NIGHT, "test")
    with pytest.raises(
        export.ExportError, match=r"marts.kpi: column share has 13 digits after the point, and 12 are kept"
    ):
        export.write(dashboard, tmp_path)
    assert exported(tmp_path, "value") == [(2,), (None,), (-1,)]
    assert [path.name for path in tmp_path.iterdir()] == ["2013-04-10"]


def test_before_anything_is_published_it_says_so(database, login, tmp_path):
    with pytest.raises(export.ExportError, match="no marts are published yet"):
        export.write(login(database, "crw_dashboard"), tmp_path)
