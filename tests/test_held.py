"""What is unusual waits for a person: approved, the batch that waited is published; rejected, it is dropped and read again."""

from __future__ import annotations

import json
from datetime import date

import pytest

from crw import contracts, held, ingest, ledger, publish, quality
from crw.local import decisions, summary
from crw.local.arguments import parser
from crw.refused import replay
from crw.suites import HeldError
from tests import case_database
from tests.quality.rules import sql_rule

CATEGORY = contracts.table("feedback", "category")
NAME = "feedback.category"
MARCH_31, APRIL_1, APRIL_2 = date(2013, 3, 31), date(2013, 4, 1), date(2013, 4, 2)


@pytest.fixture
def source(cases, database):
    """A case database with categories of which the last of March has published two."""
    add(cases, MARCH_31, "A", "B")
    night(database, MARCH_31)
    return cases


def add(source, day, *codes, **values):
    row = {
        "kind": "complaint",
        "issue_code": "delay",
        "name_en": "Delay",
        "name_zh": "延誤",
        "updated_at": f"{day} 12:00+08",
    }
    case_database.insert(source, "category", *(row | {"category_code": code} | values for code in codes))


def load(database, business_date):
    """Extract and validate, as the tasks do. Returns the load's number."""
    load_id = ingest.extract(database, CATEGORY, business_date, "test")
    ingest.validate(database, CATEGORY, load_id)
    return load_id


def night(database, business_date):
    return publish.publish_load(database, ledger.find_load(database, CATEGORY, load(database, business_date)))


def decide(database, decision, business_date, rule="kind_known"):
    return decision(database, NAME, business_date, rule, "seen with its keeper", "duty engineer")


def states(database):
    return [state for (state,) in database.execute("select state from audit.load order by load_id")]


def codes(database):
    return "".join(code for (code,) in database.execute("select category_code from raw.feedback__category order by 1"))


def test_a_code_that_is_new_is_held_and_the_batch_that_was_approved_is_published(source, database):
    add(source, APRIL_1, "C", kind="rumour")
    with pytest.raises(HeldError, match=r"rule kind_known failed \(1 rows\): .*\[category_code=C\]"):
        load(database, APRIL_1)
    assert states(database) == ["published", "held"]
    (waits,) = held.waiting(database)
    assert (waits.name, waits.business_date, waits.rule) == (NAME, APRIL_1, "kind_known")
    (told,) = summary._told(database, APRIL_1)
    assert "category_code=C" in told
    assert "crw approve feedback.category 2013-04-01 kind_known" in told
    for table, day, rule in (
        (NAME, APRIL_2, "kind_known"),
        (NAME, APRIL_1, "volume_extreme"),
        ("feedback.cases", APRIL_1, "kind_known"),
    ):
        with pytest.raises(ledger.LoadError, match="holds nothing"):
            held.approve(database, table, day, rule, "why", "me")
    with pytest.raises(ledger.LoadError, match="needs a reason and a name"):
        held.approve(database, NAME, APRIL_1, "kind_known", " ", "me")
    decide(database, held.approve, APRIL_1)
    assert held.waiting(database) == []
    add(source, APRIL_1, "D")  # after the person looked
    assert night(database, APRIL_1) == publish.Figures(1, 1, 0, 0)
    assert (states(database), codes(database)) == (["published", "published"], "ABC")
    source.execute("update case_management.category set updated_at = '2013-04-02 12:00+08' where category_code = 'C'")
    with pytest.raises(HeldError):  # an approval is of its date
        load(database, APRIL_2)


def test_by_command(source, database, capsys):
    def crw(*words):
        assert decisions.run(parser().parse_args(words)) == 0
        return capsys.readouterr().out

    why = ["--reason", "seen with its keeper", "--by", "duty engineer"]
    add(source, APRIL_1, "C", kind="rumour")
    with pytest.raises(HeldError):
        load(database, APRIL_1)
    assert crw("held").startswith("feedback.category 2013-04-01 kind_known: ")
    assert crw("approve", NAME, "2013-04-01", "kind_known", *why).startswith("approved: where a scheduler runs, ")
    assert crw("held") == "nothing is held\n"
    night(database, APRIL_1)
    add(source, APRIL_2, "D", kind="hearsay")
    with pytest.raises(HeldError):
        load(database, APRIL_2)
    assert crw("reject", NAME, "2013-04-02", "kind_known", *why).startswith("rejected: ")
    with pytest.raises(SystemExit, match="holds nothing"):
        crw("approve", NAME, "2013-04-02", "kind_known", *why)
    assert (crw("held"), codes(database)) == ("nothing is held\n", "ABC")


def test_what_was_rejected_is_dropped_and_read_again(source, database):
    add(source, APRIL_1, "C", kind="rumour")
    with pytest.raises(HeldError):
        load(database, APRIL_1)
    first = ledger.newest_load(database, CATEGORY, APRIL_1).interval
    decide(database, held.reject, APRIL_1)
    assert states(database) == ["published", "rejected"]
    assert database.execute("select count(*) from landing.feedback__category").fetchone() == (0,)
    (message,) = database.execute("select message from audit.load where state = 'rejected'").fetchone()
    assert message.startswith("rejected by duty engineer: seen with its keeper; it was held: HeldError: ")
    source.execute("update case_management.category set kind = 'complaint'")
    assert night(database, APRIL_2).published == 1
    assert ledger.newest_load(database, CATEGORY, APRIL_2).interval.start == first.start
    assert codes(database) == "ABC"


def test_a_newer_batch_takes_the_place_of_one_that_waits_and_says_so(source, database):
    add(source, APRIL_1, "C", kind="rumour")
    for day in (APRIL_1, APRIL_2):
        with pytest.raises(HeldError):
            load(database, day)
    assert states(database) == ["published", "superseded", "held"]
    (message,) = database.execute("select message from audit.load where state = 'superseded'").fetchone()
    assert "load 3 of feedback.category for 2013-04-02 has taken its place; it was held: HeldError: " in message
    told = summary._told(database, APRIL_2)
    assert any(
        line.startswith("feedback.category: what waited for a person since 2013-04-01 was not published: load 3 of")
        for line in told
    )
    assert [waits.business_date for waits in held.waiting(database)] == [APRIL_2]
    with pytest.raises(ledger.LoadError, match="holds nothing"):
        decide(database, held.approve, APRIL_1)
    decide(database, held.approve, APRIL_2)
    assert night(database, APRIL_2).published == 1


def test_too_many_bad_rows_wait_with_what_is_in_quarantine(source, database):
    add(source, APRIL_1, "C")
    add(source, APRIL_1, *"EFGHIJ", name_zh="鈥渄elay\ufffd")
    with pytest.raises(HeldError, match="6 of 7 rows are bad"):
        load(database, APRIL_1)
    refused = "select count(*) from quarantine.record where released_at is null"
    assert database.execute(refused).fetchone() == (6,)
    decide(database, held.approve, APRIL_1, held.QUARANTINE_SHARE)
    assert night(database, APRIL_1) == publish.Figures(7, 1, 0, 6)
    assert (codes(database), database.execute(refused).fetchone()) == ("ABC", (6,))
    database.execute('update quarantine.record set record = record || \'{"name_zh": "延誤"}\'')
    assert replay(database, CATEGORY, APRIL_1, "test", "mended", "duty engineer").published == 6
    assert replay(database, CATEGORY, APRIL_1, "test", "mended", "duty engineer") == publish.Figures(0, 0, 0, 0)


def test_what_is_wrong_in_itself_cannot_be_approved(source, database, monkeypatch, tmp_path):
    monkeypatch.setattr(quality, "EXPECTATIONS", tmp_path)
    suite = tmp_path / "landing" / "feedback" / "category.json"
    suite.parent.mkdir(parents=True)
    changes = {"kind_known": {"severity": "critical", "reason": "why"}}
    rules = [sql_rule("no_c", "critical", "select _row_no from {batch} where category_code = 'C'")]
    suite.write_text(json.dumps({"changes": changes, "expectations": rules}))
    add(source, APRIL_1, "C", kind="rumour")
    with pytest.raises(quality.QualityError, match=r"kind_known failed.*no_c failed") as refusal:
        load(database, APRIL_1)
    assert not isinstance(refusal.value, HeldError)
    assert (states(database), held.waiting(database)) == (["published", "failed"], [])
    for rule in ("kind_known", "no_c"):
        with pytest.raises(ledger.LoadError, match=f"what failed {rule} is wrong in itself, or came with what is"):
            decide(database, held.approve, APRIL_1, rule)
    assert database.execute("select count(*) from audit.approval").fetchone() == (0,)


def test_a_mart_waits_and_is_let_pass_or_refused_for_its_date(database, monkeypatch, tmp_path):
    monkeypatch.setattr(quality, "EXPECTATIONS", tmp_path)
    (tmp_path / "marts").mkdir()
    rule = sql_rule("few", "critical", "select * from (select count(*) as rows from {batch}) counted where rows < 2")
    rule["meta"]["unusual"] = True
    (tmp_path / "marts" / "kpi.json").write_text(json.dumps({"name": "marts/kpi", "meta": {}, "expectations": [rule]}))
    database.execute("create table candidate.kpi as select 1 as cases")
    for decision in (held.reject, held.approve):
        with pytest.raises(HeldError, match=r"candidate\.kpi: rule few failed .*\[rows=1\]"):
            quality.validate_marts(database, APRIL_1)
        assert [(waits.name, waits.rule) for waits in held.waiting(database)] == [("marts.kpi", "few")]
        decision(database, "marts.kpi", APRIL_1, "few", "a quiet year", "duty engineer")
        assert held.waiting(database) == []
    assert quality.validate_marts(database, APRIL_1)[0].success
    with pytest.raises(HeldError):
        quality.validate_marts(database, APRIL_2)
    assert database.execute("select is_rejected, message is null from audit.validation order by validation_id").fetchall() == [
        (True, False), (False, False), (False, True), (False, False)
    ]  # fmt: skip


def test_what_is_approved_is_to_be_published_until_it_is_and_not_while_more_waits(source, database, monkeypatch):
    add(source, APRIL_1, "C", kind="rumour")
    add(source, APRIL_1, *"EFGHIJ", name_zh="鈥渄elay�")
    monkeypatch.setattr(contracts, "sources", lambda: {"feedback": [CATEGORY]})
    for rule in ("kind_known", held.QUARANTINE_SHARE):
        with pytest.raises(HeldError, match=rule if rule == "kind_known" else "6 of 7 rows are bad"):
            ingest.publish_approved(database, "feedback", APRIL_1, "test")
        assert held.to_publish(database) == []
        decide(database, held.approve, APRIL_1, rule)
        assert held.to_publish(database) == [("feedback", APRIL_1)]
    source.execute("drop schema case_management cascade")  # the batch that waits is published, and the source not asked
    assert ingest.publish_approved(database, "feedback", APRIL_1, "test")["category"] == publish.Figures(7, 1, 0, 6)
    assert (codes(database), held.to_publish(database)) == ("ABC", [])


def test_what_was_approved_too_late_is_superseded_and_what_failed_since_is_left_to_a_person(source, database):
    add(source, APRIL_1, "C", kind="rumour")
    with pytest.raises(HeldError):
        load(database, APRIL_1)
    decide(database, held.approve, APRIL_1)
    with pytest.raises(HeldError):
        load(database, APRIL_2)
    assert states(database) == ["published", "superseded", "held"]
    assert held.to_publish(database) == []
    assert any("since 2013-04-01 was not published" in line for line in summary._told(database, APRIL_2))
    decide(database, held.approve, APRIL_2)
    assert held.to_publish(database) == [("feedback", APRIL_2)]
    beside = ledger.start_load(database, contracts.table("feedback", "post_office"), APRIL_2, "test")
    ledger.fail(database, beside, ledger.LoadError("away"))
    assert held.to_publish(database) == []
