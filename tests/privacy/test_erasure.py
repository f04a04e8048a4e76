"""One person is shown and erased: found everywhere before, nowhere after, and no delivery brings the person back."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime

import psycopg
import pytest

from crw import contracts, ledger, publish
from crw.local import privacy
from crw.local.arguments import parser
from crw.privacy import access, erasure, pseudonym_key, rooms, subject
from crw.sources import pseudonym
from tests.privacy import world

CASES, EVENT, CONTACT = (
    contracts.table(*name) for name in (("feedback", "cases"), ("engagement", "email_event"), ("membership", "contact"))
)
NEXT = date(2013, 4, 1)


@pytest.fixture
def home(tmp_path):
    return tmp_path


@pytest.fixture
def warehouse(database, home):
    world.build(database, home)
    return database


@pytest.fixture
def anna():
    return subject.of([world.EMAIL, "", f" {world.NAME} "], world.KEY)


@pytest.fixture
def metadata(empty_database, anna):
    """Airflow's own database, with what a task handed on of the person."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("create table xcom (key text, value jsonb)")
        held = [json.dumps({"rows": [who]}) for who in (*anna.pseudonyms, world.EMAIL, "another")]
        connection.execute("insert into xcom select 'return_value', unnest(%s::jsonb[])", [held])
        yield connection


def erase(warehouse, home, person, metadata=None):
    return erasure.erase(warehouse, metadata, home, person, "Officer 7", "request 12")


def figures(warehouse):
    """Persons and rows of each table, and in how many two tables agree."""
    counts = {
        str(table): warehouse.execute(
            f"select count(*), {', '.join(f'count(distinct {c.name})' for c in table.columns if c.pseudonym_of)} "
            f"from raw.{table.identifier}"
        ).fetchone()
        for table in world.PERSONS
    }
    shared = "select count(*) from raw.membership__contact join raw.engagement__email_event using (person_key)"
    refused = "select table_name, rule, count(*) from audit.refusal group by 1, 2 order by 1, 2"
    return counts, warehouse.execute(shared).fetchone(), warehouse.execute(refused).fetchall()


def test_a_planted_person_is_found_in_every_room_and_after_the_erasure_in_none(warehouse, home, anna, metadata):
    before, text = figures(warehouse), world.dump(warehouse) + world.told(home)
    assert all(len(re.findall(pattern, text, re.IGNORECASE)) >= 1 for pattern in (*anna.pseudonyms & {
        world.person(table) for table in world.PERSONS}, re.escape(world.EMAIL)))  # fmt: skip
    erased = erase(warehouse, home, anna, metadata)
    rooms_of = {where.partition(".")[0] for where in erased}
    assert rooms_of == {"raw", "landing", "quarantine", "core", "candidate", "audit", "files", "airflow: public"}
    handed_on = [value for (value,) in metadata.execute("select value::text from xcom")]
    assert not re.search(anna.pattern, " ".join(handed_on), re.IGNORECASE)
    assert '{"rows": ["another"]}' in handed_on
    assert erased["files"] == 5
    assert not (home / "dbt" / "target" / "parsed.bin").exists()
    assert (home / "logs" / "airflow" / "task.log").read_text().startswith("before ")
    after = world.dump(warehouse)
    suppressed = "".join(re.findall(r"^COPY audit\.suppression \(.*?^\\\.$", after, re.DOTALL | re.MULTILINE))
    assert all(each in suppressed for each in anna.pseudonyms)
    # What the planner knows of the suppression list is the list itself.
    after = "\n".join(line for line in after.replace(suppressed, "").splitlines() if "audit.suppression" not in line)
    assert not re.search(anna.pattern, after + world.told(home), re.IGNORECASE)
    assert figures(warehouse) == before
    emptied = (
        "select count(*), bool_or(reason ?| '{value,message}'), bool_and(released_at is not null) "
        "from quarantine.record, jsonb_array_elements(reasons) as reason where record = '{}'"
    )
    assert warehouse.execute(emptied).fetchone() == (len(world.PERSONS), False, True)
    by, reason, proof = warehouse.execute("select erased_by, reason, erased from audit.erasure").fetchone()
    assert (by, reason, proof) == ("Officer 7", "request 12", erased)


def test_what_is_written_while_a_person_is_erased_is_told_by_its_table_and_the_erasure_is_done_again(
    warehouse, home, anna, monkeypatch
):
    row = "insert into core.fct_feedback_case values ('N9', %s)"
    who = world.person(CASES)
    monkeypatch.setattr(erasure.scratch, "sweep", lambda: warehouse.execute(row, [who]))
    with pytest.raises(erasure.ErasureError, match=r"still in core\.fct_feedback_case: .* erase again") as told:
        erase(warehouse, home, anna)
    assert not re.search(anna.pattern, str(told.value), re.IGNORECASE)
    monkeypatch.undo()
    assert erase(warehouse, home, anna) == {"core.fct_feedback_case": 1}


def test_the_next_delivery_does_not_bring_the_person_back(warehouse, home, anna):
    erase(warehouse, home, anna)
    for table in world.PERSONS:
        same, new = world.record(table, 1, world.person(table)), world.record(table, 5, world.person(table))
        assert world.night(warehouse, table, [same, new], NEXT) == publish.Figures(2, 1, 1, 0), table.name
    amended = world.record(CASES, 1, world.person(CASES), status="reopened", closed_at=None)
    assert world.night(warehouse, CASES, [amended], date(2013, 4, 2)).published == 1
    assert (
        len({row for row in warehouse.execute("select person_key from raw.feedback__cases where case_no = 'N1'")}) == 1
    )
    for relation in rooms.relations(warehouse):
        assert str(relation) == rooms.SUPPRESSION or rooms.count(warehouse, relation, anna) == 0, relation
    assert warehouse.execute(
        "select sum(rows_suppressed)::int from audit.load where business_date = %s", [NEXT]
    ).fetchone() == (sum(2 * sum(bool(column.pseudonym_of) for column in table.columns) for table in world.PERSONS),)


def test_a_refused_row_of_the_next_delivery_has_not_the_person_either(warehouse, home, anna):
    erase(warehouse, home, anna)
    world.night(warehouse, EVENT, [world.record(EVENT, 6, world.person(EVENT)) | {"occurred_epoch": "noon"}], NEXT)
    ((who,),) = warehouse.execute(
        "select record ->> 'person_key' from quarantine.record where business_date = %s", [NEXT]
    )
    assert who not in anna.pseudonyms
    assert re.fullmatch("[0-9a-f]{64}", who)


def test_tables_of_one_source_agree_on_the_stranger_until_the_source_is_published(warehouse, home, anna):
    """A liaison group's roll is read by the names of its members."""
    erase(warehouse, home, anna)
    member, roll = contracts.table("liaison", "member"), contracts.table("liaison", "attendance")
    for table in (member, roll):
        world.night(warehouse, table, [world.record(table, 5, world.person(table), delivery_id="later")], NEXT)
    same = "select count(*) from raw.liaison__member join raw.liaison__attendance using (name_key) where _business_date = %s"
    same = same.replace("_business_date", "liaison__member._business_date")
    assert warehouse.execute(same, [NEXT]).fetchone() == (1,)
    loads = []
    for table in contracts.sources()["liaison"]:
        load = ledger.start_load(warehouse, table, date(2013, 4, 2), "test")
        world.landing.land(warehouse, load, world.Batch("json", []))
        ledger.record(warehouse, load, "validated")
        loads.append(load)
    publish.publish_source(warehouse, loads)
    assert warehouse.execute("select count(*) from audit.suppression_salt").fetchone() == (0,)


def test_a_record_that_was_given_to_an_erased_person_does_not_take_another_s_pseudonym(warehouse, home, anna):
    erase(warehouse, home, anna)
    world.night(warehouse, CASES, [world.record(CASES, 2, world.person(CASES))], NEXT)
    versions = [who for (who,) in warehouse.execute("select person_key from raw.feedback__cases where case_no = 'N2'")]
    assert len(set(versions)) == 2


def test_who_is_readmitted_is_delivered_as_anybody_and_what_was_erased_stays_so(
    warehouse, warehouse_dsn, home, anna, monkeypatch, capsys
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_dsn)
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", world.KEY.decode())
    typed = {"all": [world.EMAIL, world.NAME], "a slip": [world.EMAIL, world.NAME, "anna.wog@example.hk"]}
    command = parser().parse_args(["readmit", "--reason", "request 13", "--by", "Officer 7"])
    erase(warehouse, home, anna)

    monkeypatch.setattr(subject, "asked", lambda: typed["a slip"])
    with pytest.raises(SystemExit, match=r"^not all of these identifiers are on the suppression list: "):
        privacy.run(command, is_ours=False)
    assert set(warehouse.execute("select pseudonym from audit.suppression")) == {(each,) for each in anna.pseudonyms}
    assert warehouse.execute("select count(*) from audit.readmission").fetchone() == (0,)

    monkeypatch.setattr(subject, "asked", lambda: typed["all"])
    assert privacy.run(command, is_ours=False) == 0
    assert capsys.readouterr().out == "deliveries bring the person again; what was erased stays so\n"
    assert warehouse.execute("select readmitted_by, reason from audit.readmission").fetchall() == [
        ("Officer 7", "request 13")
    ]
    for relation in rooms.relations(warehouse):
        assert rooms.count(warehouse, relation, anna) == 0, relation
    world.night(warehouse, CASES, [world.record(CASES, 5, world.person(CASES))], NEXT)
    delivered = "select person_key from raw.feedback__cases where case_no = 'N5'"
    assert warehouse.execute(delivered).fetchall() == [(world.person(CASES),)]


def test_nothing_is_erased_while_a_load_or_dbt_is_at_work(warehouse, home, anna, login):
    load = ledger.start_load(warehouse, CASES, NEXT, "test")
    other = psycopg.connect(warehouse.info.dsn, password=warehouse.info.password, autocommit=True)
    with other, ledger.locked(other, load), pytest.raises(rooms.NightAtWork):
        erase(warehouse, home, anna)
    dbt = login(warehouse, "crw_transformer")
    with dbt.transaction():
        dbt.execute("select 1")
        with pytest.raises(rooms.NightAtWork):
            erase(warehouse, home, anna)
    assert warehouse.execute("select count(*) from audit.suppression").fetchone() == (0,)


def test_who_asks_is_shown_every_row_and_what_belongs_to_it(warehouse, anna, tmp_path):
    rows = access.held(warehouse, anna)
    assert {name for name in rows if name.startswith("raw.")} == {
        *(f"raw.{table.identifier}" for table in world.PERSONS), "raw.feedback__case_event"}  # fmt: skip
    assert {"quarantine.record", "core.fct_feedback_case", "landing.membership__contact"} <= rows.keys()
    assert [row["case_no"] for row in rows["raw.feedback__cases"]] == ["N1"]
    written = access.write(tmp_path / "answer", rows, datetime.now(UTC))
    assert [oct(path.stat().st_mode)[-3:] for path in written] == ["600", "600"]
    assert json.loads(written[0].read_text(encoding="utf-8"))["held"].keys() == rows.keys()
    page = written[1].read_text(encoding="utf-8")
    assert "raw.feedback__case_event" in page
    assert f"&lt;{world.EMAIL.upper()}&gt;" in page
    with pytest.raises(FileExistsError):
        access.write(tmp_path / "answer", rows, datetime.now(UTC))


def test_an_answer_that_is_there_is_named_and_not_overwritten(warehouse, warehouse_dsn, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_dsn)
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", world.KEY.decode())
    monkeypatch.setattr(subject, "asked", lambda: [world.EMAIL])
    (tmp_path / "answer.json").write_text("of another")
    with pytest.raises(
        SystemExit, match=r"answer\.json is there, and an answer is not overwritten: delete it, or name ano"
    ):
        privacy.run(parser().parse_args(["subject", str(tmp_path / "answer")]), is_ours=False)
    assert (tmp_path / "answer.json").read_text() == "of another"


@pytest.mark.parametrize("identifiers", [[], ["  "], ["***"]])
def test_nobody_is_no_subject(identifiers):
    with pytest.raises(subject.SubjectError) as told:
        subject.of(identifiers, world.KEY)
    assert "*" not in str(told.value)


def test_under_another_key_nobody_is_looked_for_and_nothing_is_read(database, monkeypatch):
    for key, is_known in ((world.KEY, True), (world.KEY, True), (b"another", False)):
        monkeypatch.setenv("CRW_PSEUDONYM_KEY", key.decode())
        if is_known:
            assert pseudonym_key.current(database) == key
        else:
            with pytest.raises(pseudonym_key.WrongKey):
                pseudonym_key.current(database)
    assert pseudonym.key() == b"another"
