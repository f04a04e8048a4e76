"""What goes by age, and what stays: figures, and persons whom one table still needs."""

from __future__ import annotations

import os

import pytest

from crw import contracts, data_docs, seeds
from crw.privacy import retention
from crw.sources import pseudonym
from tests.privacy import world
from tests.privacy.test_erasure import figures

ANNA = pseudonym.pseudonym(world.EMAIL, world.KEY)


@pytest.fixture
def purge(database, login, tmp_path, monkeypatch):
    """A function that purges as of a business date. Airflow's own database is a test of the whole night's."""
    monkeypatch.setattr(retention, "_clean_airflow", lambda address, before: 0)
    world.build(database, tmp_path)
    for table in ("core.fct_feedback_case", "candidate.recent"):
        database.execute(f"alter table {table} owner to crw_transformer")

    def purge(known_on):
        database.execute(
            "insert into audit.publication (business_date, run_id, mart, row_count) values (%s, 'r', 'm', 1)",
            [known_on],
        )
        return retention.purge(login(database, "crw_loader"), login(database, "crw_transformer"), "", tmp_path)

    return purge


def persons(database, *tables):
    return {name: [who for (who,) in database.execute(f"select person_key from {name}")].count(ANNA) for name in tables}


def test_a_person_goes_when_no_table_needs_the_person_and_everywhere(database, purge):
    everywhere = (
        "raw.feedback__cases",
        "raw.engagement__email_event",
        "raw.membership__contact",
        "core.fct_feedback_case",
    )
    before = figures(database)
    database.execute(
        "insert into audit.suppression (pseudonym) values (%s)", [ANNA]
    )  # must not come back, forgotten or not
    assert purge("2014-03-31")["quarantine"] == 0  # of 2013-03-31, kept for 12 whole months
    assert purge("2014-04-01")["quarantine"] == len(world.PERSONS)
    gone = purge("2020-03-31")  # 84 months
    assert gone["feedback.cases"] == 0
    assert set(persons(database, *everywhere).values()) == {1}
    assert purge("2020-04-30")["feedback.cases"] == 0  # a contact that the CRM still has is none of the past
    database.execute("update raw.membership__contact set _is_vanished = true")
    gone = purge("2020-04-30")
    assert (gone["feedback.cases"], gone["engagement.email_event"], gone["membership.contact"]) == (2, 2, 2)
    assert set(persons(database, *everywhere).values()) == {0}
    assert figures(database) == before
    assert purge("2020-04-30")["feedback.cases"] == 0
    assert database.execute("select pseudonym from audit.suppression").fetchall() == [(ANNA,)]
    assert database.execute(
        "select count(*), sum(rows_purged)::int from audit.purge where entity = 'feedback.cases'"
    ).fetchone() == (6, 2)


def test_what_was_said_of_a_refusal_goes_with_the_results_of_its_night(database, purge):
    messages = "select count(message) from audit.load union all select count(message) from audit.validation"
    database.execute("update audit.validation set message = 'refused: case_no=N1'")
    assert [count for (count,) in database.execute(messages)] == [1, 1]
    for night in range(data_docs.KEPT_NIGHTS):
        database.execute(
            "insert into audit.validation (suite, business_date, success, rules, rules_failed, result, message) "
            "values ('s', date '2020-04-01' + %s, false, 1, 1, '{}', 'kept')",
            [night],
        )
    examples = "select count(*) from audit.validation where result ? 'gx'"
    assert database.execute(examples).fetchone() == (1,)
    purge("2020-04-30")
    assert database.execute(examples).fetchone() == (0,)
    assert [count for (count,) in database.execute(messages)] == [0, data_docs.KEPT_NIGHTS]


def test_old_files_go_and_new_ones_and_the_last_nights_stay(purge, tmp_path):
    old, docs = tmp_path / "logs" / "old.log", tmp_path / "data_docs" / "2013-03-31" / "suite.html"
    old.write_text("old")
    for path in (old, docs):
        os.utime(path, (1.3e9, 1.3e9))
    assert purge("2013-04-01")["logs"] == 1
    assert not old.exists()
    assert docs.exists()
    assert (tmp_path / "logs" / "airflow" / "task.log").exists()


@pytest.mark.parametrize(
    "entity, kept, message",
    [
        ("engagement.email_event", "35", "36 months at least"), ("quarantine", "", "a number of months"),
        ("raw", "12", "no age of its own"), ("raws", "", "raw, raws missing"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_kept_to_is_named(tmp_path, monkeypatch, entity, kept, message):
    rows = seeds.rows("retention")
    chosen = next(row for row in rows if row["entity"] == entity.removesuffix("s" if entity == "raws" else ""))
    chosen.update(entity=entity, keep_months=kept)
    lines = [",".join(rows[0])] + [",".join(f'"{value}"' for value in row.values()) for row in rows]
    (tmp_path / "retention.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("CRW_SEEDS", str(tmp_path))
    with pytest.raises(seeds.SeedError, match=message):
        retention.months()


def test_a_period_is_the_laws_or_a_choice_with_its_reason():
    rows = seeds.rows("retention")
    assert {row["entity"] for row in rows if row["basis"] == "law"} == {retention.UNSUBSCRIBES}
    assert {row["entity"] for row in rows if row["basis"] == "none"} == set(retention.FOR_EVER)
    assert all(row["reason"] for row in rows)


def test_every_table_that_has_persons_has_a_line():
    assert {f"{table.source}.{table.name}" for table in world.PERSONS} <= retention.months().keys()
    assert contracts.tables()
