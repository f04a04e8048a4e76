"""Real data nobody here made, by the same night: the real scheduler, a home of its own, the user's own connections."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from crw.settings import CLOCK
from tests.real import nyc
from tests.real.test_sfo_files import PUBLISHED

DATE = "2018-03-31"
ARRIVED = datetime(2017, 8, 25, tzinfo=CLOCK).timestamp()
CODE_BOOKS = Path(__file__).parent / "code_books"


@dataclass(frozen=True)
class Complaints:
    """A span of the New York complaints, and what is known of it: rows and keys in all, cases and open ones by year of opening."""

    first: str
    before: str
    rows: int
    keys: int
    received: dict[str, int]
    still_open: dict[int, int]


A_YEAR = Complaints("2015-04-01", "2016-04-01", 50_129, 50_087, {"2015/16": 50_087}, {2015: 98})
ALL = Complaints(
    "", "9999", 160_209, 160_139,
    {"2015/16": 50_087, "2016/17": 52_047, "2017/18": 47_110}, {2015: 98, 2016: 139, 2017: 225},
)  # fmt: skip


@pytest.fixture(scope="module", params=[A_YEAR, pytest.param(ALL, marks=pytest.mark.long)], ids=["a year", "all"])
def complaints(request):
    return request.param


@pytest.fixture(scope="module")
def home(complaints, real_data, server, make_home, tmp_path_factory):
    """A home in which the night of 2018-03-31 has run on the New York complaints and the San Francisco surveys."""
    file = real_data / "feedback_nyc" / "complaints_2015_2018Q1.csv.gz"
    surveys = real_data / "survey_sfo"
    for needed in (file, surveys):
        if not needed.exists():
            pytest.skip(f"{needed} is absent")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("drop database if exists nyc with (force)")
        admin.execute("create database nyc")
    nyc.load(server.dsn("nyc"), file, complaints.first, complaints.before)
    drop = tmp_path_factory.mktemp("sfo")
    for source in (*surveys.glob("*.csv"), *CODE_BOOKS.glob("*.yml")):
        shutil.copyfile(source, drop / source.name)
        os.utime(drop / source.name, (ARRIVED, ARRIVED))
    home = make_home("real")
    home.environment["CRW_SOURCES"] = "feedback,survey"
    home.environment["AIRFLOW_CONN_CASE_MANAGEMENT"] = server.dsn("nyc")
    home.environment["AIRFLOW_CONN_SURVEY_DROP"] = json.dumps({"conn_type": "fs", "extra": {"path": str(drop)}})
    result = home.nightly(DATE)
    assert result.returncode == 0, result.stdout
    return home


def test_every_complaint_is_published_or_in_quarantine_with_its_reason(home, complaints):
    figures = home.query(
        "select rows_read, rows_published, rows_unchanged, rows_quarantined from audit.load where table_name = 'cases'"
    )
    repeated = complaints.rows - complaints.keys
    assert figures == [(complaints.rows, complaints.keys, 0, repeated)]
    reasons = home.query(
        "select reason ->> 'rule', reason ->> 'message', count(*) from quarantine.record, jsonb_array_elements(reasons) as reason "
        "where table_name = 'cases' group by 1, 2"
    )
    assert reasons == [("key_unique", "repeated key: a later row of the same key is kept", repeated)]


def test_complaints_by_year_of_opening(home, complaints):
    received = home.query(
        "select period, received from marts.kpi_feedback "
        "where period_basis = 'fiscal_year' and kind = 'complaint' and level = 'kind' and is_complete and received > 0 order by 1"
    )
    assert received == list(complaints.received.items())


def test_open_cases_stay_open(home, complaints):
    still_open = home.query(
        "select extract(year from received_on - interval '3 months')::int, count(*) from core.fct_feedback_case "
        "where closed_at is null and received_on >= '2015-04-01' group by 1 order by 1"
    )
    assert still_open == list(complaints.still_open.items())


def test_every_wave_of_the_airport_survey_to_the_last_printed_digit(home):
    rows = home.query(
        "select wave_code, round(100 * top_box_unweighted_share, 1)::text, round(100 * top_box_share, 1)::text, valid_answers, "
        "round(n_eff)::int from marts.kpi_satisfaction where question_code = 'overall' order by 1"
    )
    assert {wave: tuple(figures) for wave, *figures in rows} == PUBLISHED


def test_no_respondent_is_lost(home):
    (read, published, quarantined) = home.query(
        "select rows_read, rows_published, rows_quarantined from audit.load where table_name = 'respondent'"
    )[0]
    assert read == published + quarantined == 23_025
