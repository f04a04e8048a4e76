"""Another operator's nights, by the real scheduler, on systems of their own: README "Bring your own data", and no changed file."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from http.server import HTTPServer

import psutil
import psycopg
import pytest

from crw.settings import PROJECT
from tests import case_database
from tests.airflow_api import Airflow
from tests.other_operator import CASES, CATEGORIES, COMPANIES, EVENTS, MEMBERSHIPS, Crm, told_groups, write_seeds
from tests.test_alerts import Hook

AMENDED = {"updated_at": "2013-03-30 12:00:00+08:00"}
FORGOTTEN_KIND = {"category_code": "R", "kind": "rumour", "issue_code": "late"}
REFUSED_CASE = CASES[0] | {"case_no": "7", "status": "mislaid", **AMENDED}
PERSON = {"complainant_name": "Aino Virtanen", "complainant_email": "aino@example.fi"}


def fingerprint():
    """Of every file of the project that a night could read or write."""
    files = [
        path for folder in ("dags", "dbt_project", "expectations", "include") for path in (PROJECT / folder).rglob("*")
    ]
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in files
            if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip


@pytest.fixture(scope="module")
def project():
    """The project's files before any night of the operator."""
    return fingerprint()


@pytest.fixture(scope="module")
def cases(server):
    """The operator's case database, with one category of an unknown kind and one case of an unknown status."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("create database other_operator")
    with psycopg.connect(server.dsn("other_operator"), autocommit=True) as connection:
        case_database.create(connection)
        named = [{**row, "name_en": row["category_code"], **AMENDED} for row in (*CATEGORIES, FORGOTTEN_KIND)]
        case_database.insert(connection, "category", *named)
        case_database.insert(connection, "cases", *({**row, **PERSON} for row in (*CASES, REFUSED_CASE)))
        case_database.insert(connection, "case_event", *EVENTS)
    return server.dsn("other_operator")


@pytest.fixture(scope="module")
def crm():
    """The operator's CRM; nobody manages accounts, and no contact is named."""
    records = {"company": COMPANIES, "membership": MEMBERSHIPS}
    with Crm({name: [{**row, **AMENDED} for row in rows] for name, rows in records.items()}) as crm:
        yield crm
        crm.shutdown()


@pytest.fixture(scope="module")
def operator(make_home, project, cases, crm, tmp_path_factory):
    """A home with the settings that the README names, and nothing else."""
    home, seeds = make_home("other_operator"), tmp_path_factory.mktemp("lists")
    write_seeds(seeds)
    home.environment |= {
        "AIRFLOW_CONN_CASE_MANAGEMENT": cases,
        "AIRFLOW_CONN_CRM_API": crm.connection,
        "CRW_SOURCES": "feedback,membership",
        "CRW_SEEDS": str(seeds),
        "CRW_CLOCK": "Europe/Helsinki",
    }
    return home


def check(operator):
    """What a check says, as one line, and its exit status."""
    result = operator.crw("check", "--date", "2013-03-31")
    print(result.stdout)
    return result.returncode, " ".join(result.stdout.split())


@pytest.fixture(scope="module")
def checks(operator, cases):
    """What a check said before the first night, and what after the category of an unknown kind was taken out."""
    first = check(operator)
    with psycopg.connect(cases, autocommit=True) as connection:
        connection.execute("delete from case_management.category where category_code = 'R'")
    return first, check(operator)


@pytest.fixture(scope="module")
def home(operator, checks):
    """The home after the night of 2013-03-31. The tests of this module go on from there, in their order."""
    result = operator.nightly("2013-03-31")
    assert result.returncode == 0, result.stdout
    return operator


def test_a_check_says_what_must_be_mended_before_a_night_would_publish(checks):
    (status, said), _ = checks
    assert status == 1
    assert "a night would not publish: feedback.category: rule kind_known failed (1 rows)" in said
    assert "kind is no code of the list kind (grievance, Price dispute, praise, question, idea)" in said


def test_a_check_says_that_a_night_would_publish_and_what_it_would_refuse(checks):
    _, (status, said) = checks
    assert status == 0
    assert "would be refused: case_no=7: status_known" in said
    assert "it is published as not_stated; codes that are not listed: pigeon (1)" in said
    assert said.endswith("a night would publish")


def test_every_mart_is_published(home):
    declared = {path.stem for path in (PROJECT / "dbt_project" / "models" / "marts").rglob("*.sql")}
    assert set(home.marts()) | {"data_health"} == declared
    # How the night's own marts passed is told with them.
    assert home.query(
        "select count(distinct table_name) from marts.data_health where is_latest and source = 'marts' and measure = 'rules'"
    ) == [(len(declared),)]


def test_what_is_refused_is_held_with_its_reason(home):
    held = home.query(
        "select table_name, record ->> 'case_no', jsonb_path_query_array(reasons, '$.rule') from quarantine.record"
    )
    assert held == [("cases", "7", ["status_known"])]


def test_the_figures_are_those_that_fingers_count(home):
    """4 was merged and 7 refused: complaints are 1, 2 and 3."""
    assert home.query(
        "select kind, received, found_substantiated, received_withdrawn, complaints from marts.kpi_feedback "
        "where period_basis = 'fiscal_year' and period = '2012/13' and level = 'kind' order by 1"
    ) == [
        ("Price dispute", 1, 0, 1, None), ("grievance", 2, 1, 0, None), ("idea", 0, 0, 0, None),
        ("praise", 1, 0, 0, 3), ("question", 1, 0, 0, None),
    ]  # fmt: skip
    assert home.query(
        "select kind, open_cases from marts.kpi_feedback_backlog "
        "where period_basis = 'month' and as_of_date = '2013-03-31' and age_band = 'all' and open_cases > 0"
    ) == [("question", 1)]
    assert home.query("select complaints_12_months, commendations_12_months, clubs from accounts.customer_360 "
                      "where company_id = 'FEW1' and is_current") == [(2, 1, "Gold")]  # fmt: skip


def test_a_day_ends_on_the_operators_clock(home):
    """Which went from two hours ahead of UTC to three on the night's own date."""
    assert home.query("select distinct (interval_end at time zone 'UTC')::text from audit.load") == [
        ("2013-03-31 21:00:00",)
    ]
    assert home.query("select acknowledged_on::text from core.fct_feedback_case where case_no = '1'") == [
        ("2012-05-03",)
    ]


def test_an_unknown_channel_and_district_are_not_stated(home):
    assert home.query(
        "select dimension, dimension_value, sum(received) from marts.kpi_feedback_by_dimension "
        "where period = '2012/13' and dimension in ('channel', 'district') group by 1, 2 having sum(received) > 0 order by 1, 2"
    ) == [("channel", "app", 4), ("channel", "not_stated", 1), ("district", "N", 4), ("district", "not_stated", 1)]  # fmt: skip


def test_the_marts_of_what_the_operator_lacks_are_empty_or_zero(home):
    lacking = ("kpi_satisfaction", "kpi_satisfaction_by_dimension", "kpi_liaison", "kpi_campaign", "kpi_feedback_loop",
               "published_vs_computed", "kpi_engagement_activity", "kpi_engagement_newsletter", "kpi_engagement_hotline",
               "kpi_engagement_website")  # fmt: skip
    assert {mart: rows for mart, rows in home.marts().items() if mart in lacking and rows} == {}
    assert home.query("select sum(contacted) from marts.kpi_campaign_by_period") == [(0,)]
    assert home.query("select sum(accounts), sum(interactions) from marts.kpi_account_management") == [(0, 0)]
    assert home.query("select count(mail_items), count(received_per_million_items) from marts.kpi_feedback") == [(0, 0)]


def published_members(home, as_of_date):
    """The published members of a fiscal year, by dimension, value and club; hidden ones are None."""
    found = {}
    for dimension, value, club, members in home.query(
        "select dimension, dimension_value, club_code, members from marts.kpi_membership_by_dimension "
        f"where period_basis = 'fiscal_year' and as_of_date = '{as_of_date}'"
    ):
        found.setdefault(dimension, {}).setdefault(value, {})[club] = members
    return found


def assert_no_few_are_told(members):
    """By any arithmetic over the published cells of each dimension."""
    total = members["all"]["all"]
    told = {name: list(told_groups(cells, total)) for name, cells in members.items() if name != "all"}
    assert told == {"size_band": [], "industry": [], "district": []}


def test_no_few_companies_are_told_by_three_clubs_beside_any(home):
    members = published_members(home, "2013-03-31")
    assert members["size_band"] == {
        "few": {"any": None, "Gold": 10, "Silver": 10, "Bronze": 10},
        "many": {"any": None, "Gold": 20, "Silver": 20, "Bronze": 20},
        "some": {"any": 30, "Gold": 10, "Silver": 10, "Bronze": 10, "Partner": 6},
    }
    of_any = {industry: clubs.get("any") for industry, clubs in members["industry"].items()}
    assert of_any == {"post": None, "rail": None, "road": None, "sea": 35}
    assert_no_few_are_told(members)


@pytest.mark.long
def test_a_member_who_leaves_the_next_day_is_told_as_no_few(home, crm):
    """MANY21 leaves silver, its one club: 24 are left in any, 20 of them in gold."""
    (left,) = (row for row in crm.records["/v1/memberships"] if row["membership_id"] == "MANY21 silver")
    left |= {"left_on": "2013-04-01", "updated_at": "2013-04-01 09:00:00+08:00"}
    assert home.nightly("2013-04-01").returncode == 0
    members = published_members(home, "2013-04-01")
    sizes = members["size_band"]
    assert {size: cells["any"] for size, cells in sizes.items()} == {"few": None, "many": None, "some": 30}
    assert sizes["many"]["Silver"] == 19
    assert_no_few_are_told(members)
    assert home.query("select members from marts.kpi_membership where club_code = 'any' and period_basis = 'month' "
                      "order by period_end desc limit 1") == [(78,)]  # fmt: skip


def test_no_file_of_the_project_has_changed(home, project):
    assert fingerprint() == project


def test_nothing_of_a_person_and_no_sample_is_in_the_home(home):
    assert not (home.folder / "sources").exists()
    assert home.query("select count(*) from raw.feedback__cases where person_key is not null") == [(6,)]
    assert home.query(f"select 1 from raw.feedback__cases as c where c::text ~ '{PERSON['complainant_name']}'") == []


ODD_NIGHT = "2013-04-02"
ODD = {"updated_at": f"{ODD_NIGHT} 12:00:00+08:00"}


@pytest.fixture(scope="module")
def hook():
    """Who is told of faults."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.received, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def odd(home, cases, crm, hook):
    """The home after a night on which four tables were unusual."""
    with psycopg.connect(cases, autocommit=True) as connection:
        case_database.insert(connection, "category", FORGOTTEN_KIND | {"name_en": "R"} | ODD)
        connection.execute(f"update case_management.cases set status = 'mislaid', updated_at = '{ODD['updated_at']}'")
    for company in crm.records["/v1/companies"][:6]:
        company |= {"company_name": "\ufffd", **ODD}
    for membership in crm.records["/v1/memberships"][:6]:
        membership |= {"left_on": "2012-03-01", **ODD}
    alerts = {"conn_type": "http", "host": f"http://127.0.0.1:{hook.server_port}"}
    home.environment |= {
        "AIRFLOW_CONN_ALERTS": json.dumps(alerts),
        "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "1",
        "CRW_SCHEDULE_END": ODD_NIGHT,
    }
    assert home.nightly(ODD_NIGHT).returncode == 1
    return home


def waits(home):
    return {name for (name,) in home.query("select source || '.' || table_name from audit.held")}


HELD = {"feedback.cases", "feedback.category", "membership.company", "membership.membership"}


def test_somebody_is_told_at_once_of_all_that_waits(odd, hook):
    assert waits(odd) == HELD
    told = [fault for message in hook.received for fault in message["new"]]
    assert {fault["place"] for fault in told if fault["kind"] == "held"} == HELD
    assert {fault["runbook"] for fault in told if fault["kind"] == "held"} == {"A load or a mart is held."}


def let_go(tasks):
    """Wait until no worker has these tasks any more.

    A worker that has parked its task may notice seconds later that its process has ended (a heartbeat, 5 s). If the task
    was resumed before, Airflow 3.3.2 takes the worker's report for the end of the resumed one, and fails it.
    """
    until = time.monotonic() + 60
    while any(
        task in " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
        for task in tasks
    ):
        assert time.monotonic() < until, tasks
        time.sleep(0.2)
    time.sleep(2)  # until the scheduler has read the report


@pytest.fixture(scope="module")
def answered(odd):
    """Airflow, up as a deployment has it, after each question had another answer: approved, rejected, to wait; and none, until
    its time was over."""
    up = odd.crw("up")
    assert up.returncode == 0, up.stdout
    airflow = Airflow(odd)
    run = airflow.trigger("held")
    questions = airflow.waiting("held", run, len(HELD))
    let_go([question["id"] for question in questions])
    for task in questions:
        path = f"dags/held/dagRuns/{run}/taskInstances/question.ask/{task['map_index']}/hitlDetails"
        name = airflow.ask("GET", path)["subject"].partition(" of ")[0]
        match name:
            case "feedback.category":
                airflow.ask("PATCH", path, chosen_options=["Approve"], params_input={"reason": "a new kind"})
            case "membership.company":
                airflow.ask("PATCH", path, chosen_options=["Reject"], params_input={"reason": "mended there"})
            case "feedback.cases":
                airflow.ask("PATCH", path, chosen_options=["Wait"], params_input={"reason": ""})
            case _:
                odd.query(f"update task_instance set trigger_timeout = now() where id = '{task['id']}'", "airflow")
    assert airflow.end("held", run) == {
        "list_held": ["success"], "question.ask": ["success"] * 4, "question.decide": ["success"] * 4,
    }  # fmt: skip
    return airflow


@pytest.mark.long  # its setting the time-out races the question's parking, now and then
def test_each_answer_in_airflow_is_taken_and_none_is_to_wait(odd, answered):
    assert odd.query("select source || '.' || table_name, decision, reason, approved_by from audit.approval order by 1") == [
        ("feedback.category", "approved", "a new kind", "Anonymous"),
        ("membership.company", "rejected", "mended there", "Anonymous"),
    ]  # fmt: skip
    assert waits(odd) == {"feedback.cases", "membership.membership"}


@pytest.fixture(scope="module")
def published(odd, answered, crm):
    """The home after the rest was approved by command and the CRM mended; only DAGs did the work."""
    said = odd.crw(
        "approve", "feedback.cases", ODD_NIGHT, "quarantine_share", "--reason", "a strike", "--by", "Officer 7"
    )
    assert "the DAG `approved` publishes feedback of 2013-04-02 from what waits" in " ".join(said.stdout.split())
    (publish,) = answered.end("approved", answered.trigger("approved"))["publish"]
    assert publish == "skipped"  # membership is still to come
    assert odd.query("select state from audit.load where source = 'feedback' and business_date = '2013-04-02' "
                     "group by 1") == [("published",)]  # fmt: skip
    ((record,),) = odd.query(
        "select record_id from quarantine.record where record ->> 'case_no' = '6' and released_at is null"
    )
    mend = {"action": "mend", "records": [record], "values": {"status": "pending"}, "reason": "told by its keeper"}
    replay = {"action": "replay", "table": "feedback.cases", "business_date": ODD_NIGHT, "reason": "mended"}
    for conf in (mend, replay):
        assert answered.end("quarantine", answered.trigger("quarantine", **conf)) == {"act": ["skipped"]}
    for endpoint, mended in {"companies": {"company_name": "Oy"}, "memberships": {"left_on": None}}.items():
        for record in crm.records[f"/v1/{endpoint}"][:6]:
            record |= mended
    run = answered.run_of("ingest_membership", ODD_NIGHT)
    answered.ask("POST", f"dags/ingest_membership/dagRuns/{run}/clear", dry_run=False)  # before its deadline
    states = answered.end("ingest_membership", run)
    assert states["deliver"] == ["success"]
    return odd


@pytest.mark.long  # its setting the time-out races the question's parking, now and then
def test_what_was_approved_and_mended_reaches_the_marts_without_a_night(published, answered):
    assert answered.end("warehouse", answered.run_of("warehouse", ODD_NIGHT))["publish_marts"] == ["success"]
    assert published.query("select max(business_date)::text from audit.publication") == [(ODD_NIGHT,)]
    assert published.query("select count(*) from raw.feedback__category where category_code = 'R'") == [(1,)]
    assert published.query("select action, done_by from audit.quarantine_action order by 1") == [
        ("mended", "Anonymous"), *[("replayed", "Anonymous")] * 7,
    ]  # fmt: skip


@pytest.mark.long  # its setting the time-out races the question's parking, now and then
def test_retention_and_watch_run_whole_and_somebody_is_told_that_it_is_over(published, answered, hook):
    runs = {dag_id: answered.trigger(dag_id) for dag_id in ("retention", "watch")}
    assert {dag_id: answered.end(dag_id, run) for dag_id, run in runs.items()} == {
        "retention": {"purge": ["success"]}, "watch": {"tell": ["success"]},
    }  # fmt: skip
    assert published.query("select count(*) > 0 from audit.purge") == [(True,)]
    assert {fault["place"] for message in hook.received for fault in message["over"] if fault["kind"] == "held"} == HELD
    assert published.query("select kind, place from audit.alert where closed_at is null and kind <> 'disk'") == []
