"""Hong Kong's calendar against the general holidays gazetted for half of the years, typed here by hand."""

import csv
from collections import Counter
from datetime import date

import pytest
from psycopg import sql

from crw import suites
from crw.settings import DBT_PROJECT, EXPECTATIONS

GAZETTED = {
    2008: "1-1 2-7 2-8 2-9 3-21 3-22 3-24 4-4 5-1 5-12 6-9 7-1 9-15 10-1 10-7 12-25 12-26",
    2010: "1-1 2-13 2-15 2-16 4-2 4-3 4-5 4-6 5-1 5-21 6-16 7-1 9-23 10-1 10-16 12-25 12-27",
    2011: "1-1 2-3 2-4 2-5 4-5 4-22 4-23 4-25 5-2 5-10 6-6 7-1 9-13 10-1 10-5 12-26 12-27",
    2012: "1-2 1-23 1-24 1-25 4-4 4-6 4-7 4-9 4-28 5-1 6-23 7-2 10-1 10-2 10-23 12-25 12-26",
    2013: "1-1 2-11 2-12 2-13 3-29 3-30 4-1 4-4 5-1 5-17 6-12 7-1 9-20 10-1 10-14 12-25 12-26",
    2014: "1-1 1-31 2-1 2-3 4-5 4-18 4-19 4-21 5-1 5-6 6-2 7-1 9-9 10-1 10-2 12-25 12-26",
    2020: "1-1 1-25 1-27 1-28 4-4 4-10 4-11 4-13 4-30 5-1 6-25 7-1 10-1 10-2 10-26 12-25 12-26",
    2021: "1-1 2-12 2-13 2-15 4-2 4-3 4-5 4-6 5-1 5-19 6-14 7-1 9-22 10-1 10-14 12-25 12-27",
    2022: "1-1 2-1 2-2 2-3 4-5 4-15 4-16 4-18 5-2 5-9 6-3 7-1 9-12 10-1 10-4 12-26 12-27",
    2023: "1-2 1-23 1-24 1-25 4-5 4-7 4-8 4-10 5-1 5-26 6-22 7-1 9-30 10-2 10-23 12-25 12-26",
    2024: "1-1 2-10 2-12 2-13 3-29 3-30 4-1 4-4 5-1 5-15 6-10 7-1 9-18 10-1 10-11 12-25 12-26",
    2025: "1-1 1-29 1-30 1-31 4-4 4-18 4-19 4-21 5-1 5-5 5-31 7-1 10-1 10-7 10-29 12-25 12-26",
    2026: "1-1 2-17 2-18 2-19 4-3 4-4 4-6 4-7 5-1 5-25 6-19 7-1 9-26 10-1 10-19 12-25 12-26",
    2027: "1-1 2-6 2-8 2-9 3-26 3-27 3-29 4-5 5-1 5-13 6-9 7-1 9-16 10-1 10-8 12-25 12-27",
}


@pytest.fixture(scope="module")
def holidays():
    with (DBT_PROJECT / "seeds" / "public_holiday.csv").open(encoding="utf-8") as file:
        return [date.fromisoformat(row["holiday_date"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("year", GAZETTED)
def test_the_general_holidays_are_the_gazetted_ones(holidays, year):
    assert [f"{day.month}-{day.day}" for day in holidays if day.year == year] == GAZETTED[year].split()


def test_a_year_has_seventeen_and_2015_one_more(holidays):
    counts = Counter(day.year for day in holidays)
    assert list(counts) == list(range(2008, 2028))
    assert counts.pop(2015) == 18
    assert set(counts.values()) == {17}


def test_working_days_leave_out_weekends_and_holidays(small_world):
    # Good Friday, Saturday, Sunday, Ching Ming on Easter Monday and its substitute: 2 to 6 April 2010.
    rows = small_world.rows(
        "select date_day::text, is_working_day, "
        "working_day_number - first_value(working_day_number) over (order by date_day) "
        "from core.dim_date where date_day between '2010-04-01' and '2010-04-08' order by 1"
    )
    assert [(working, number) for _, working, number in rows] == [
        (True, 0), (False, 0), (False, 0), (False, 0), (False, 0), (False, 0), (True, 1), (True, 2),
    ]  # fmt: skip


def test_where_the_holidays_are_unknown_so_are_the_working_days(small_world):
    rows = small_world.rows(
        "select count(is_working_day), count(is_public_holiday), count(working_day_number) "
        "from core.dim_date where year_number = 2007"
    )
    assert rows == [(0, 0, 0)]


def test_fiscal_periods(small_world):
    rows = small_world.rows(
        "select date_day::text, fiscal_year, fiscal_quarter, fiscal_month_number from core.dim_date "
        "where date_day in ('2012-03-31', '2012-04-01', '2012-12-31', '2013-03-31', '1989-03-31') order by 1"
    )
    assert rows == [
        ("2012-03-31", "2011/12", "2011/12 Q4", 12),
        ("2012-04-01", "2012/13", "2012/13 Q1", 1),
        ("2012-12-31", "2012/13", "2012/13 Q3", 9),
        ("2013-03-31", "2012/13", "2012/13 Q4", 12),
    ]


@pytest.mark.parametrize(("night", "told"), [("2027-07-04", []), ("2027-07-05", [(date(2027, 12, 31),)])])
def test_the_end_of_the_known_holidays_is_told_half_a_year_ahead(small_world, night, told):
    suite = suites.of_mart(
        EXPECTATIONS / "marts" / "kpi_feedback_timeliness.json", sql.Identifier("candidate", "kpi_feedback_timeliness")
    )
    [rule] = [rule for rule in suite["expectations"] if rule["meta"]["rule"] == "holidays_known_for_180_days"]
    query = rule["kwargs"]["unexpected_rows_query"].format(batch="(select)", business_date=f"date '{night}'")
    assert small_world.rows(query) == told
