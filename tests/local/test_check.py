"""`crw check` on real parts: what it says, what it must never say, and that nothing is left of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import psycopg
import pytest
from psycopg import sql

from crw import contracts
from tests import case_database
from tests.homes import Home
from tests.planted import GOOD
from tests.survey_drop import BOOK, csv_of, deliver
from tests.survey_drop import GOOD as RESPONDENT

DATE = "2013-03-31"
PERSON = ("CHAN Tai Man", "chan.tai.man@example.hk", "9123 4567")


class Site:
    """A home that no night has made, and what a check leaves beside it."""

    def __init__(self, folder):
        self.home = Home(folder / "home")
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.temporary.chmod(0o755)
        self.home.environment["TMPDIR"] = str(self.temporary)

    def connect(self, name, value):
        self.home.environment[f"AIRFLOW_CONN_{name.upper()}"] = value

    def check(self, *arguments):
        """Run a check; its exit status, and its output as one line, for a console breaks lines where it likes."""
        result = self.home.crw("check", *arguments, "--date", DATE)
        print(result.stdout)
        return result.returncode, " ".join(result.stdout.split())

    def assert_nothing_is_left(self):
        assert not self.home.folder.exists()
        assert list(self.temporary.iterdir()) == []
        assert not subprocess.run(["pgrep", "-f", str(self.temporary)], capture_output=True).stdout


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture
def cases(empty_database, site):
    """A case database of 30 good cases, as the contract wants it, and its connection set."""
    site.connect("case_management", empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        case_database.create(connection)
        for table in contracts.sources()["feedback"]:
            for i in range(1, 31 if table.name == "cases" else 2):
                case_database.insert(connection, table.name, planted(GOOD["feedback", table.name], i))
        connection.execute(
            "update case_management.cases set complainant_name = %s, complainant_email = %s, complainant_phone = %s",
            PERSON,
        )
        yield connection


def planted(row, i):
    return {name: str(value).format(i=i) for name, value in row.items() if name != "person_key"}


def content(connection):
    """All that a check could change of the source, statistics and all writes of its own included."""
    rows = [
        connection.execute(f"select t::text, xmin from {t.relation} as t").fetchall()
        for t in contracts.sources()["feedback"]
    ]
    return rows, connection.execute("select relname from pg_class order by 1").fetchall()


def spoil(connection, case_no, **values):
    for name, value in values.items():
        statement = sql.SQL("update case_management.cases set {} = %s where case_no = %s").format(sql.Identifier(name))
        connection.execute(statement, [value, case_no])


def test_a_source_that_would_be_published_is_told_with_what_it_costs_and_its_codes_that_no_list_has(site, cases):
    spoil(cases, "N3", closed_at="2013-03-29 23:59+08", incident_date_text=f"ask {PERSON[0]}")
    spoil(cases, "N4", received_at="1990-01-01 00:00+08")
    for case_no in ("N5", "N6"):
        spoil(cases, case_no, channel_code="pigeon")
    spoil(cases, "N7", channel_code=PERSON[0])
    before = content(cases)
    status, said = site.check("feedback")
    assert status == 0
    assert "cases: 30 rows, 17 columns as in the contract; 2 refused" in said
    assert "refused 1: closed_on_or_after_received:" in said
    assert "would be refused: case_no=N3: closed_on_or_after_received" in said
    assert "would be refused: case_no=N4: received_at_not_before_1997" in said
    assert "reported 1: incident_date_readable:" in said
    assert "; codes that are not listed: pigeon (2), a text of 12 characters (1)" in said
    assert "not checked: company_exists, which looks at membership.company; that was not read" in said
    assert said.endswith("a night would publish")
    assert not [value for value in PERSON if value in said]
    assert content(cases) == before
    site.assert_nothing_is_left()


def test_each_table_is_judged_whatever_the_others_say(site, cases):
    cases.execute("alter table case_management.post_office drop column name_zh, add column hkid text")
    cases.execute("alter table case_management.case_event alter column occurred_at type text")
    cases.execute("update case_management.case_event set occurred_at = %s", [PERSON[0]])
    cases.execute(
        "insert into case_management.category (kind, name_en, name_zh, updated_at) values ('rumour', 'a', 'a', '2013-03-01')"
    )
    for number in range(1, 9):
        spoil(cases, f"N{number}", received_at="1990-01-01 00:00+08")
    status, said = site.check("feedback")
    verdict = said.partition("a night would not publish: ")[2].split("a night would not publish: ")
    expected = {
        "feedback.cases": "8 of 30 rows are bad; the suite tolerates 5.0%, or 5 rows",
        "feedback.case_event": r"relation case_management.case_event: column occurred_at is text, the contract says timestamptz\. .*",
        "feedback.category": r"rule kind_known failed \(1 rows\): .* \[category_code=null\]",
        "feedback.post_office": r"relation case_management.post_office: unknown column hkid, missing column name_zh; .*",
    }
    assert status == 1
    assert len(verdict) == len(expected)
    for line, (table, why) in zip(verdict, expected.items(), strict=True):
        assert re.fullmatch(f"{table}: {why}", line.strip())
    assert "refused 8: received_at_not_before_1997:" in said
    assert not [value for value in PERSON if value in said]


def test_a_rule_that_looks_at_what_could_not_be_read_says_nothing(site, cases):
    cases.execute("drop table case_management.category")
    status, said = site.check("feedback")
    assert status == 1
    assert "cases: 30 rows, 17 columns as in the contract; 0 refused" in said
    assert "not checked: category_exists, which looks at feedback.category; that was not read" in said
    assert "how many rows are bad is not known without feedback.category" in said
    assert "would be refused" not in said


def test_a_value_of_the_wrong_type_is_told_by_its_column_alone(site, tmp_path):
    site.connect("engagement_drop", json.dumps({"conn_type": "fs", "extra": {"path": str(tmp_path / "drop")}}))
    file = tmp_path / "drop" / "registration" / "r.csv"
    file.parent.mkdir(parents=True)
    table = contracts.table("engagement", "registration")
    header = sorted({column.field for column in table.columns if not column.provenance} | table.withheld)
    row = {"Registration No.": "R1", "Activity": "A1", "Registered": PERSON[0]}
    lines = [header, [row.get(name, "") for name in header]]
    file.write_text("\n".join(",".join(line) for line in lines) + "\n", encoding=table.layout.encoding or "utf-8")
    file.with_name("r.numbers").write_text("what no pattern matches")
    for path in file.parent.iterdir():
        os.utime(path, (1.3e9, 1.3e9))
    _, said = site.check("engagement")
    assert said.count("not read: registration/r.numbers: no pattern of engagement's tables matches: ") == 1
    assert "registration: 1 rows of 1 files" in said
    assert "refused 1: type: registered_on is no date as 2013-03-31" in said
    assert "registration_id=R1" in said
    assert "activity: 0 rows of 0 files" in said
    assert PERSON[0] not in said
    assert said.endswith("a night would publish; files not read: 1")


def test_what_is_not_there_is_said_once_and_at_once(site):
    site.connect("case_management", "postgresql://reader:secret@127.0.0.1:1/cases")
    site.connect("crm_api", json.dumps({"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": 1}))
    site.connect("survey_drop", json.dumps({"conn_type": "fs", "extra": {"path": "/no/such/folder"}}))
    began = time.monotonic()
    status, said = site.check()
    assert time.monotonic() - began < 25  # a night would ask the API for longer
    assert status == 1
    assert said.count("a night would not publish: ") == len(contracts.sources())
    assert "feedback: case_management cannot be reached: " in said
    assert "membership: crm_api cannot be reached: " in said
    assert "survey: connection survey_drop: /no/such/folder is no folder" in said
    assert "liaison: no connection liaison_drop: set AIRFLOW_CONN_LIAISON_DROP" in said
    assert "secret" not in said
    site.assert_nothing_is_left()


def test_a_malformed_code_book_is_told_by_its_entry(site, tmp_path):
    site.connect("survey_drop", json.dumps({"conn_type": "fs", "extra": {"path": str(tmp_path / "drop")}}))
    deliver(tmp_path / "drop", csv_of(RESPONDENT), questions=[BOOK["questions"][0] | {"top": [7]}])
    status, said = site.check("survey")
    assert status == 1
    assert "wave.csv.codebook.yml: questions[0] (overall): top has a code that is not valid" in said


def test_one_survey_delivery_is_checked_with_its_code_book(site, tmp_path):
    lines = [f"{number},0.5,05/11/2010,1,3,2,fine" for number in range(1, 30)]
    lines += ["30,0.5,05/11/2010,1,8,2,fine", "31,0.5,05/11/2010,1,3,Chan,fine", "32,0.5,05/11/2010,7,3,2,fine"]
    lines += [f"33,{PERSON[0]},05/11/2010,1,3,2,fine"]
    file = deliver(tmp_path, csv_of(*lines))
    status, said = site.check("survey", str(file))
    assert status == 0
    assert "wave.csv: wave 2010, 31 respondents, 2 questions: overall (Q1), counter (Q2)" in said
    assert "overall (Q1) has codes that the code book lacks: 8 (1)" in said
    assert "counter (Q2) has codes that the code book lacks: a text of 4 characters (1)" in said
    assert "language cannot be made of what the row holds; codes that are not listed: 7 (1)" in said
    assert re.search(
        "file=wave.csv, respondent_id=32: wave.csv, line 33: LANG has a code the code book lacks( |$)", said
    )
    assert not [value for value in (PERSON[0], "Chan") if value in said]
    site.assert_nothing_is_left()


def test_a_survey_file_that_a_night_would_leave_is_not_let_pass(site, tmp_path):
    file = deliver(tmp_path, csv_of("1,0.5,05/11/2010,1,3,2,fine"))
    file.with_name("wave.csv.codebook.yml").unlink()
    status, said = site.check("survey", str(file))
    assert status == 1
    assert "a night would not read it" in said and "would publish" not in said
    assert "code book" in said


def test_a_file_of_no_survey_and_a_source_of_no_name_are_refused(site, tmp_path):
    assert site.check("survey", str(tmp_path / "no.csv")) == (1, f"there is no file {tmp_path / 'no.csv'}")
    assert site.check("feedback", "cases.csv") == (
        1,
        "feedback is not checked by file: `crw check feedback` reads all of it",
    )
    assert site.check("fedback")[1].startswith("fedback is no source: campaign, ")


@pytest.mark.parametrize(("stop", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nothing_is_left_of_a_check_that_is_stopped(site, cases, stop, status):
    with cases.transaction():
        cases.execute("lock table case_management.cases")
        command = [sys.executable, "-u", "-m", "crw.local.cli", "check", "feedback"]
        running = subprocess.Popen(
            command, env=site.home.environment, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where the tests run in the background
        )  # fmt: skip
        for line in running.stdout:
            if "reading feedback.cases" in line:
                break
        waiting = "select count(*) from pg_locks where not granted and relation = 'case_management.cases'::regclass"
        while cases.execute(waiting).fetchone() == (0,) and running.poll() is None:
            time.sleep(0.1)
        running.send_signal(stop)
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)  # from an impatient hand
        assert running.wait(timeout=30) == status
    site.assert_nothing_is_left()


def test_what_a_killed_check_left_goes_with_the_next(site, cases):
    with cases.transaction():
        cases.execute("lock table case_management.cases")
        command = [sys.executable, "-u", "-m", "crw.local.cli", "check", "feedback"]
        running = subprocess.Popen(command, env=site.home.environment, stdout=subprocess.PIPE, text=True)
        for line in running.stdout:
            if "reading feedback.cases" in line:
                break
        running.kill()
        running.wait()
    assert list(site.temporary.iterdir()) != []
    assert site.check("feedback")[0] == 0
    site.assert_nothing_is_left()
