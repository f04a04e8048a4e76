"""Each metric of the semantic layer, asked of MetricFlow's own engine, equals the mart column that its `meta.mart` names."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from datetime import datetime
from decimal import Decimal

import pytest
import yaml
from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

from crw import catalogue
from crw.metrics import Configuration
from crw.settings import DBT_PROJECT
from tests.dbt import world

# The cells of a mart that are compared, and the metrics' dimensions that its other columns stand for.
MARTS = {
    "kpi_feedback": ({"level": "kind"}, {"kind": "case_no__kind"}),
    "kpi_feedback_backlog": ({}, {"kind": "backlog__kind"}),
    "kpi_feedback_timeliness": ({"dimension": "all"}, {"kind": "case_no__kind"}),
    "kpi_membership": ({}, {"club_code": "membership__club_code"}),
    "kpi_satisfaction": ({}, {"wave_code": "wave_code", "question_code": "response__question_code"}),
}
WAVES = "kpi_satisfaction"  # has a row for each wave, whatever period that speaks for
PERIODS = ("month", "fiscal_quarter", "fiscal_year")
# Of a period that still runs these say what it is so far, where the mart leaves the cell empty.
SO_FAR = {"complaints_year_before", "complaints_change_pct", "churn_share", "club_churn_share"}

FILES = [yaml.safe_load(path.read_text("utf-8")) for path in (DBT_PROJECT / "models").rglob("*.yml")]
METRICS = {metric["name"]: metric for file in FILES for metric in file.get("metrics", [])}


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
    module_warehouse.build("2013-04-10")
    return module_warehouse


@pytest.fixture(scope="module")
def engine(built, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crw.settings.HOME", tmp_path_factory.mktemp("home"))
        configuration = Configuration()
        configuration.setup(configure_file_logging=False)
        yield configuration.mf


def in_mart(warehouse, meta: dict, basis: str | None, keys: list[str]) -> dict[tuple, tuple]:
    """The column's value in each cell that the metric speaks of, and whether the cell's period is complete."""
    mart, _, column = meta["mart"].partition(".")
    cells = MARTS[mart][0] | meta.get("where", {}) | ({"period_basis": basis} if basis else {})
    conditions = [f"{name} = '{value}'" for name, value in cells.items()]
    conditions += [f"{name} <> '{value}'" for name, value in meta.get("except", {}).items()]
    query = f"select {', '.join([*keys, column, 'is_complete' if basis else 'true'])} from candidate.{mart}"
    rows = warehouse.rows(f"{query} where {' and '.join(conditions) or 'true'}")
    return {tuple(row[:-2]): tuple(row[-2:]) for row in rows}


def asked(engine, metric: str, group_by: list[str]) -> dict[tuple, Decimal | None]:
    """The metric's value in each group; a month is named as the marts do."""
    request = MetricFlowQueryRequest.create(metric_names=[metric], group_by_names=group_by)
    rows = engine.query(request).result_df.rows
    named = [[f"{value:%Y-%m}" if isinstance(value, datetime) else value for value in row] for row in rows]
    return {tuple(row[:-1]): row[-1] for row in named}


def test_no_metric_is_made_elsewhere(engine):
    assert {metric.name for metric in engine.list_metrics()} == METRICS.keys()


@pytest.mark.parametrize("metric", METRICS)
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
            value, is_complete = expected.get(cell, (None, True))
            answer = found.get(cell)
            if value is None and not is_complete and metric in SO_FAR:
                continue
            if value == 0 and isinstance(value, int) and answer is None:
                continue  # Where nothing counts, the mart has a row that says 0 and the metric has none.
            assert (answer is None) == (value is None), (cell, value, answer)
            if value is not None:
                assert float(answer) == pytest.approx(float(value), rel=1e-9, abs=1e-9), cell
                compared += value != 0
    assert compared, "nothing but zeros was compared"


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
        "import sys\n"
        "seen = {'socket.connect', 'socket.getaddrinfo'}\n"
        "sys.addaudithook(lambda name, values: sys.exit(f'{name} {values}') if name in seen else None)\n"
        "from crw.local import cli\n"
        "cli.main()\n"
    )
    analyst = {"CRW_PGUSER": "crw_analyst", "CRW_PGPASSWORD": "of-a-test", "CRW_HOME": str(tmp_path)}
    answers = []
    for question in re.findall(r'^make metric Q="(.+)"$', catalogue.METRICS, re.MULTILINE):
        command = [sys.executable, "-c", program, "mf", "query", "--quiet", *shlex.split(question)]
        answer = subprocess.run(command, env=os.environ | analyst, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        answers.append(answer.stdout.splitlines()[2:])  # without the heading and its rule
    assert all(answers), answers
    ((received,),) = built.rows(
        "select received from candidate.kpi_feedback "
        "where period_basis = 'fiscal_year' and period = '2011/12' and level = 'kind' and kind = 'complaint'"
    )
    assert answers[0][1].split()[:2] == ["2011/12", str(received)]
