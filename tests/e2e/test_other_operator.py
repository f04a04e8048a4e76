"""Another operator's nights, by the real scheduler, on systems of their own: README "Bring your own data", and no changed file."""

from __future__ import annotations

import hashlib

import psycopg
import pytest

from crw.settings import PROJECT
from tests import case_database
from tests.other_operator import CASES, CATEGORIES, COMPANIES, EVENTS, MEMBERSHIPS, Crm, told_groups, write_seeds

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
