"""What publishing says of each mart beside its rows: when it is of, what is newest in it, and what its columns mean."""

from __future__ import annotations

from datetime import date

import pytest

from crw import publish

NIGHT = date(2013, 4, 10)
PERIODS = """
    create table candidate.kpi (
        period_basis text, period text, period_end date, is_complete boolean, value integer, primary key (period_basis, period)
    );
    insert into candidate.kpi values
        ('fiscal_year', '2011/12', '2012-03-31', true, 332), ('fiscal_year', '2012/13', '2013-03-31', true, 304),
        ('fiscal_year', '2013/14', '2014-03-31', false, 9), ('calendar_year', '2012', '2012-12-31', true, 320);
    create table core.code_column (mart text, column_name text, list text);
    comment on table candidate.kpi is 'Complaints.';
    comment on column candidate.kpi.value is 'How many.';
"""


@pytest.fixture
def candidate(database):
    database.execute(PERIODS)
    publish.publish_marts(database, NIGHT, "test")
    return database


def comments(database) -> tuple:
    return database.execute(
        "select obj_description('marts.kpi'::regclass), col_description('marts.kpi'::regclass, 5), "
        "col_description('marts.kpi'::regclass, 8) is not null"
    ).fetchone()


def test_a_mart_of_periods_says_which_is_the_newest_complete_one(candidate):
    assert candidate.execute("select period, fiscal_year, is_latest, business_date from marts.kpi order by 1").fetchall() == [
        ("2011/12", "2011/12", False, NIGHT), ("2012", "2012/13", True, NIGHT), ("2012/13", "2012/13", True, NIGHT),
        ("2013/14", "2013/14", False, NIGHT),
    ]  # fmt: skip


def test_what_is_newest_moves_on_also_in_rows_that_the_night_did_not_touch(candidate):
    candidate.execute("update candidate.kpi set is_complete = true where period = '2013/14'")
    publish.publish_marts(candidate, date(2014, 3, 31), "test")
    rows = candidate.execute(
        "select period, is_latest from marts.kpi where period_basis = 'fiscal_year' order by 1"
    ).fetchall()
    assert rows == [("2011/12", False), ("2012/13", False), ("2013/14", True)]
    assert candidate.execute("select distinct business_date from marts.kpi").fetchall() == [(date(2014, 3, 31),)]


def test_what_a_mart_and_its_columns_mean_is_said_where_readers_are(candidate):
    assert comments(candidate) == ("Complaints.", "How many.", True)
    candidate.execute(
        "comment on table candidate.kpi is 'Feedback.'; comment on column candidate.kpi.value is 'Cases.'"
    )
    publish.publish_marts(candidate, NIGHT, "test")
    assert comments(candidate) == ("Feedback.", "Cases.", True)


def test_the_mart_that_tells_of_the_night_is_made_when_the_others_are(database):
    database.execute(PERIODS)
    database.execute("create view candidate.data_health as select mart, row_count as value from audit.publication")
    publish.publish_marts(database, NIGHT, "test")
    assert database.execute("select mart, value from marts.data_health").fetchall() == [("kpi", 4)]


def test_codes_of_a_mart_have_their_place_in_reports_beside_them(candidate):
    candidate.execute("""
        insert into core.code_column values
            ('kpi', 'service_code', 'service'), ('kpi', 'dimension', 'dimension'), ('kpi', 'dimension_value', 'by_row');
        create table candidate.code_name (list text, code text, sort_order integer, primary key (list, code));
        insert into candidate.code_name values
            ('service', 'counter', 2), ('service', 'mail', 1), ('dimension', 'district', 1), ('dimension', 'service', 2),
            ('district', 'counter', 9);
        drop table candidate.kpi;
        create table candidate.kpi (service_code text, dimension text, dimension_value text);
        insert into candidate.kpi values ('counter', 'service', 'mail'), ('mail', 'district', 'counter'), ('all', 'all', null);
    """)
    publish.publish_marts(candidate, NIGHT, "test")
    placed = "select service_order, dimension_order, dimension_value_order from marts.kpi order by 1"
    assert candidate.execute(placed).fetchall() == [(1, 1, 9), (2, 2, 1), (None, None, None)]
    candidate.execute("update candidate.code_name set sort_order = 3 where list = 'service' and code = 'mail'")
    publish.publish_marts(candidate, NIGHT, "test")
    assert candidate.execute(placed).fetchall() == [(2, 2, 3), (3, 1, 9), (None, None, None)]
    (says,) = candidate.execute("select col_description('marts.kpi'::regclass, 6)").fetchone()
    assert says == "Sort key of dimension_value: its order in the list that dimension names."
