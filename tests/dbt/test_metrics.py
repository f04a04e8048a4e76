"""Each metric of the semantic layer, asked of MetricFlow's own engine, equals the mart column that its `meta.mart` names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import pytest
import yaml
from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

from crw import catalogue, quality
from crw.metrics import Configuration
from crw.settings import DBT_PROJECT
from tests.dbt import world, world_campaign

# The cells of a mart that are compared, and the metrics' dimensions that its other columns stand for.
MARTS = {
    "kpi_feedback": ({"level": "kind"}, {"kind": "case_no__kind"}),
    "kpi_feedback_backlog": ({}, {"kind": "backlog__kind"}),
    "kpi_feedback_timeliness": ({"dimension": "all"}, {"kind": "case_no__kind"}),
    "kpi_membership": ({}, {"club_code": "club"}),
    "kpi_engagement_newsletter": ({}, {"newsletter_code": "newsletter_recipient__newsletter_code"}),
    "kpi_engagement_activity": ({}, {"kind": "activity_id__kind"}),
    "kpi_engagement_hotline": ({}, {}),
    "kpi_engagement_website": ({}, {}),
    "kpi_campaign_by_period": ({}, {"kind_code": "campaign_id__kind_code"}),
    "kpi_account_management": ({}, {}),
    "kpi_liaison": ({"constituency": "all"}, {}),
    "kpi_satisfaction": ({}, {"wave_code": "wave_code", "question_code": "response__question_code"}),
}
WAVES = "kpi_satisfaction"  # has a row for each wave, whatever period that speaks for
PERIODS = ("month", "fiscal_quarter", "fiscal_year", "calendar_year")
"""The bases of the marts, which metric_time knows by the same names. Of the year before 2011 nine months are known."""
# What a mart leaves out of its sums, lest it tell of a few people: metrics of core count it.
HIDDEN = {"kpi_engagement_newsletter": "small_newsletters > 0", "kpi_engagement_activity": "small_activities > 0"}
NIGHT = "2013-04-10"
HOLIDAYS_END = 2012
# Of a period that still runs these say what it is so far, where the mart leaves the cell empty.
SO_FAR = {"complaints_year_before", "complaints_change_pct", "churn_share", "club_churn_share"}

FILES = [yaml.safe_load(path.read_text("utf-8")) for path in (DBT_PROJECT / "models").rglob("*.yml")]
METRICS = {metric["name"]: metric for file in FILES for metric in file.get("metrics", [])}
FIGURES = [name for name, metric in METRICS.items() if "part_of" not in metric["config"]["meta"]]


def put_a_running_year(warehouse) -> None:
    """Beside the small world: all kinds, the ends of February, what is due after the business date, four questions."""
    warehouse.put(
        "feedback", "category", "2010-04-01", 21,
        {"category_code": "S-IDEA", "kind": "suggestion", "issue_code": "delay"},
        {"category_code": "E-RATES", "kind": "enquiry", "issue_code": "delay"},
    )  # fmt: skip
    warehouse.put(
        "feedback", "cases", "2013-04-10", 22,
        world.case("B1", "C-DELAY", "2011-02-28 09:00+08", closed_at="2011-03-01 09:00+08"),
        world.case("B2", "C-DELAY", "2012-02-28 09:00+08", closed_at="2012-03-08 09:00+08"),
        world.case("B3", "C-DELAY", "2012-02-29 09:00+08", status="open"),
        world.case("B4", "C-DELAY", "2012-04-03 09:00+08", service_code="delivery", closed_at="2012-04-05 09:00+08"),
        world.case("B5", "C-DELAY", "2012-04-20 09:00+08", closed_at="2012-05-05 09:00+08"),
        world.case("B6", "C-DELAY", "2013-03-01 09:00+08", closed_at="2013-03-04 09:00+08"),
        world.case("B7", "C-DELAY", "2013-04-02 09:00+08", status="open"),
        world.case("B8", "E-RATES", "2013-04-09 09:00+08", status="open", closed_at="2013-04-20 09:00+08"),
        world.case("B9", "S-IDEA", "2012-12-31 09:00+08", closed_at="2013-01-02 09:00+08"),
        world.case("B10", "P-STAFF", "2013-03-02 09:00+08", closed_at="2013-03-02 09:00+08"),
        world.case("B11", "UNKNOWN", "2013-03-02 09:00+08", status="open"),
        world.case("B12", "C-DELAY", "2012-04-20 09:00+08", status="merged", closed_at="2012-04-21 09:00+08"),
    )  # fmt: skip
    events = [
        ("B1", "acknowledged", "2011-03-01"), ("B1", "replied", "2011-03-01"), ("B1", "closed", "2011-03-01"),
        ("B2", "acknowledged", "2012-03-01"), ("B2", "interim_reply", "2012-03-05"), ("B2", "closed", "2012-03-06"),
        ("B2", "reopened", "2012-03-07"), ("B2", "replied", "2012-03-08"), ("B2", "closed", "2012-03-08"),
        ("B7", "acknowledged", "2013-04-03"),
    ]  # fmt: skip
    rows = [world.event(100 + n, case, type, f"{day} 09:00+08") for n, (case, type, day) in enumerate(events)]
    warehouse.put("feedback", "case_event", "2013-04-10", 23, *rows)
    warehouse.put(
        "membership", "membership", "2013-04-10", 24,
        world.membership("m7", "K9", "postalplus", "2013-04-02"),
        world.membership("m1", "K1", "eclub", "2009-01-01", "2013-04-03"),
    )  # fmt: skip
    at = {"delivery_id": "d4", "delivered_at": "2013-04-10 12:00+08"}
    wave = {
        "wave_code": "2013-14",
        "period_basis": "fiscal_year",
        "period_start": "2013-04-01",
        "period_end": "2014-03-31",
    }
    warehouse.put("survey", "delivery", "2013-04-10", 25, {**wave, **at, "file_name": "f"})
    questions = ("overall", "counter", "delivery", "hotline", "reason")
    for number, code in enumerate(questions, 1):
        top = {} if code != "reason" else {"top_codes": []}
        row = {**world.RATING, **at, **top, "question_code": code, "question_no": number, "column_name": code}
        warehouse.put("survey", "question", "2013-04-10", 26, row)
    for number, weight in enumerate((2, 1, 3, 0.5, 1, 1)):
        answers = [str(1 + (number * shift) % 6) for shift, _ in enumerate(questions, 1)]
        row = {"respondent_id": f"r{number}", "weight": weight, "is_weighted": True, "is_complete": True}
        warehouse.put("survey", "respondent", "2013-04-10", 27, {**row, **at, "answers": f"{{{','.join(answers)}}}"})


@pytest.fixture(scope="module")
def built(module_warehouse, tmp_path_factory):
    world.first_nights(module_warehouse)
    world.last_night(module_warehouse)
    put_a_running_year(module_warehouse)
    world_campaign.first_of_april(module_warehouse)
    seeds = tmp_path_factory.mktemp("seeds")
    shutil.copytree(DBT_PROJECT / "seeds", seeds, dirs_exist_ok=True)
    holidays = (seeds / "public_holiday.csv").read_text("utf-8").splitlines(keepends=True)
    known = [line for line in holidays if not line[:4].isdigit() or int(line[:4]) <= HOLIDAYS_END]
    (seeds / "public_holiday.csv").write_text("".join(known), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRW_SEED_PATH", str(seeds))
        module_warehouse.build(NIGHT)
    return module_warehouse


@pytest.fixture(scope="module")
def engine(built, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crw.settings.HOME", tmp_path_factory.mktemp("home"))
        configuration = Configuration()
        configuration.setup(configure_file_logging=False)
        yield configuration.mf


def in_mart(warehouse, meta: dict, basis: str | None, keys: list[str]) -> dict[tuple, tuple]:
    """The column's value in each cell that the metric speaks of, whether the cell's period still runs, and whether it hides a part."""
    mart, _, column = meta["mart"].partition(".")
    cells = MARTS[mart][0] | meta.get("where", {}) | ({"period_basis": basis} if basis else {})
    conditions = [f"{name} = '{value}'" for name, value in cells.items()]
    conditions += [f"{name} <> '{value}'" for name, value in meta.get("except", {}).items()]
    runs = f"period_end > '{NIGHT}'" if basis else "false"
    query = f"select {', '.join([*keys, column, runs, HIDDEN.get(mart, 'false')])} from candidate.{mart}"
    rows = warehouse.rows(f"{query} where {' and '.join(conditions) or 'true'}")
    return {tuple(row[:-3]): tuple(row[-3:]) for row in rows}


def asked(engine, metric: str, group_by: list[str]) -> dict[tuple, Decimal | None]:
    """The metric's value in each group; a month and a year are named as the marts do."""
    request = MetricFlowQueryRequest.create(metric_names=[metric], group_by_names=group_by)
    rows = engine.query(request).result_df.rows
    name = "%Y" if "metric_time__year" in group_by else "%Y-%m"
    named = [[f"{value:{name}}" if isinstance(value, datetime) else value for value in row] for row in rows]
    return {tuple(row[:-1]): row[-1] for row in named}


def test_no_metric_is_made_elsewhere(engine):
    assert {metric.name for metric in engine.list_metrics()} == METRICS.keys()


@pytest.mark.parametrize("metric", FIGURES)
def test_a_metric_is_its_mart_column(built, engine, metric):
    meta = METRICS[metric]["config"]["meta"]
    mart = meta["mart"].partition(".")[0]
    groups = {column: group for column, group in MARTS[mart][1].items() if column not in meta.get("where", {})}
    compared = 0
    for basis in [None] if mart == WAVES else [meta["by"]] if "by" in meta else PERIODS:
        keys = ({"period": f"metric_time__{basis}"} if basis else {}) | groups
        expected = in_mart(built, meta, basis, list(keys))
        found = asked(engine, metric, list(keys.values()))
        for cell in expected.keys() | found.keys():
            value, still_runs, hides = expected.get(cell, (None, False, False))
            answer = found.get(cell)
            if hides:
                continue
            if value is None and still_runs and metric in SO_FAR:
                continue
            if value == 0 and isinstance(value, int) and answer is None:
                continue  # Where nothing counts, the mart has a row that says 0 and the metric has none.
            assert (answer is None) == (value is None), (cell, value, answer)
            if value is not None:
                assert float(answer) == pytest.approx(float(value), rel=1e-9, abs=1e-9), cell
                compared += value != 0
    assert compared, "nothing but zeros was compared"


@pytest.mark.parametrize("metric", ["complaints_year_before", "complaints_change_pct", "churn_share"])
def test_nothing_is_compared_with_a_year_of_which_nine_months_are_known(engine, metric):
    found = asked(engine, metric, ["metric_time__year"])
    # Of 2010 nothing is known before April; 2011, of which all is, can be told of churn, and compared only a year later.
    told = {"2012"} if metric != "churn_share" else {"2011", "2012"}
    assert {year for (year,), value in found.items() if value is not None and year < "2013"} == told


def test_what_part_of_the_cases_was_a_year_before_is_unknown_as_long(engine):
    found = asked(engine, "complaints_year_before", ["metric_time__year", "case_no__channel_code"])
    assert {cell for cell, value in found.items() if value is not None} == {("2012", "phone"), ("2013", "phone")}


def test_what_is_told_in_working_days_is_empty_after_the_last_known_holiday(built):
    """The day that the holidays end on is 31 December 2012."""
    due = "acknowledgement_due, acknowledgement_within_target, acknowledgement_within_target_share"
    rows = built.rows(
        f"select period_basis, period, {due}, first_reply_due from candidate.kpi_feedback where level = 'kind' "
        "and kind = 'complaint' and period in ('2012', '2012/13', '2012-12', '2013-01', '2013-04') order by 1, 2"
    )
    assert [(row[1], row[2] is None, row[3] is None, row[4] is None, row[5] is None) for row in rows] == [
        ("2012", False, False, False, False),
        ("2012/13", True, True, True, False),
        ("2012-12", False, False, True, False),
        ("2013-01", True, True, True, False),
        ("2013-04", True, True, True, False),
    ]
    assert built.rows(
        "select count(*), count(acknowledgement_due) from candidate.kpi_feedback_by_dimension where period_start >= '2013-01-01'"
    )[0][1:] == (0,)
    timed = "from candidate.kpi_feedback_timeliness where period_start >= '2013-01-01'"
    assert built.rows(f"select count(*) {timed} and milestone = 'acknowledgement'") == [(0,)]
    assert built.rows(
        f"select count(*) > 0, count(working_days_sum), count(working_days_median), count(working_days_p90) {timed} "
        "and measured_cases > 0"
    ) == [(True, 0, 0, 0)]
    # The January issue went to two who had asked not to get it, ten and eleven working days before.
    assert built.rows(
        "select newsletter_code, late_sends_after_unsubscribe from candidate.kpi_engagement_newsletter "
        "where period = '2012/13' order by 1"
    ) == [("all", None), ("enews-2012-12", 0), ("enews-2013-01", None)]


def test_the_suites_hold_where_holidays_are_unknown(built):
    failed = {
        (mart, result.rule)
        for mart in (
            "kpi_feedback",
            "kpi_feedback_by_dimension",
            "kpi_feedback_timeliness",
            "kpi_engagement_newsletter",
        )
        for result in quality.validate_mart(built.connection, mart, date.fromisoformat(NIGHT)).results
        if not result.success and result.severity == "critical"
    }
    assert failed == set()


@pytest.mark.parametrize("dimension", ["channel", "district", "post_office", "language"])
def test_feedback_breaks_down_as_in_its_mart(built, engine, dimension):
    column = dimension if dimension == "language" else f"{dimension}_code"
    expected = built.rows(
        "select period, dimension_value, sum(received) from candidate.kpi_feedback_by_dimension "
        f"where period_basis = 'fiscal_year' and dimension = '{dimension}' group by 1, 2 having sum(received) > 0"
    )
    found = asked(engine, "feedback_received", ["metric_time__fiscal_year", f"case_no__{column}"])
    assert found == {(period, value): received for period, value, received in expected}


def test_a_reader_asks_as_the_analyst_without_the_network(built, tmp_path):
    built.connection.execute("alter role crw_analyst login password 'of-a-test'")
    # What connects through Python's sockets would be a tracker or a look for a newer version; PostgreSQL's driver does not.
    program = (
        "import shlex, sys\n"
        "seen = {'socket.connect', 'socket.getaddrinfo'}\n"
        "sys.addaudithook(lambda name, values: sys.exit(f'{name} {values}') if name in seen else None)\n"
        "from crw.local import cli\n"
        "for question in sys.argv[1:]:\n"
        "    sys.argv = ['crw', 'mf', 'query', '--quiet', *shlex.split(question)]\n"
        "    try:\n"
        "        cli.main()\n"
        "    except SystemExit as end:\n"
        "        assert not end.code, end.code\n"
        "    print(end='\\f')\n"
    )
    analyst = {"CRW_PGUSER": "crw_analyst", "CRW_PGPASSWORD": "of-a-test", "CRW_HOME": str(tmp_path)}
    questions = re.findall(r'^make metric Q="(.+)"$', catalogue.METRICS, re.MULTILINE)
    # One process for all of them: it reads the project once.
    asked = subprocess.run(
        [sys.executable, "-c", program, *questions], env=os.environ | analyst, capture_output=True, text=True
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr
    answers = [answer.splitlines()[2:] for answer in asked.stdout.split("\f")[:-1]]  # without the heading and its rule
    assert len(answers) == len(questions)
    assert all(answers), answers
    ((received,),) = built.rows(
        "select received from candidate.kpi_feedback "
        "where period_basis = 'fiscal_year' and period = '2011/12' and level = 'kind' and kind = 'complaint'"
    )
    assert answers[0][1].split()[:2] == ["2011/12", str(received)]
