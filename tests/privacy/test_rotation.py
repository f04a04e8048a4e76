"""A new key: whom a source has gets the pseudonym that the next night makes, all others a random one, and no figure can tell."""

from __future__ import annotations

import json
import re
from datetime import date

import psycopg
import pytest

from crw import contracts, publish
from crw.privacy import erasure, pseudonym_key, rotation, subject
from crw.sources import pseudonym
from tests import case_database
from tests.privacy import world
from tests.privacy.test_erasure import figures

NEW = b"the key that comes after the one of a test"
REFUSED = "refused@example.hk"


@pytest.fixture
def sources(server, tmp_path, monkeypatch):
    """A case database that has one of the persons, and a drop folder that has the other."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("drop database if exists cases_to_rotate with (force)")
        admin.execute("create database cases_to_rotate")
    with psycopg.connect(server.dsn("cases_to_rotate"), autocommit=True) as cases:
        case_database.create(cases)
        case_database.insert(
            cases, "cases", {"case_no": "N1", "complainant_email": f" {world.EMAIL} "}, {"case_no": "N3"}
        )
    drop = tmp_path / "drop" / "newsletter"
    drop.mkdir(parents=True)
    event = {
        column.field: None for column in contracts.table("engagement", "email_event").columns if not column.provenance
    }
    (drop / "events.jsonl").write_text(json.dumps(event | {"email": world.OTHER, "sg_event_id": "V1"}) + "\n")
    monkeypatch.setenv("AIRFLOW_CONN_CASE_MANAGEMENT", server.dsn("cases_to_rotate"))
    monkeypatch.setenv(
        "AIRFLOW_CONN_ENGAGEMENT_DROP", json.dumps({"conn_type": "fs", "extra": {"path": str(drop.parent)}})
    )
    monkeypatch.setenv("CRW_SOURCES", "feedback,engagement")


def test_every_pseudonym_is_changed_and_no_figure(database, tmp_path, sources, monkeypatch):
    home = tmp_path / "home"
    world.build(database, home)
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", world.KEY.decode())
    pseudonym_key.current(database)
    database.execute(
        "insert into audit.suppression (pseudonym) values (%s)", [pseudonym.pseudonym(world.EMAIL, world.KEY)]
    )
    cases = contracts.table("feedback", "cases")
    refused = world.record(cases, 8, pseudonym.pseudonym(REFUSED, world.KEY)) | {cases.watermark: "yesterday"}
    world.night(database, cases, [refused], date(2013, 4, 1))
    before = figures(database)
    told = rotation.rotate(database, home, world.KEY, NEW, "Officer 7")
    # Three addresses, of which one was only ever refused, and two names: three persons are at no source that takes part.
    assert (told["persons"], told["at no source"]) == (5, 3)
    assert figures(database) == before
    old = [pseudonym.pseudonym(each, world.KEY) for each in (world.EMAIL, world.OTHER, REFUSED)]
    old += [pseudonym.of_name(each, world.KEY) for each in (world.NAME, "Bo")]
    assert not re.search("|".join(old), world.dump(database))
    assert old[0] not in world.told(home).replace((home / "dbt/target/parsed.bin").read_bytes().decode("latin-1"), "")
    anna, bo = (pseudonym.pseudonym(each, NEW) for each in (world.EMAIL, world.OTHER))
    for table, column in (
        ("feedback__cases", "case_no"),
        ("membership__contact", "contact_id"),
        ("engagement__email_event", "event_id"),
    ):
        found = database.execute(f"select person_key from raw.{table} order by {column}").fetchall()
        assert found == [(anna,), (bo,)], table
    assert database.execute("select pseudonym from audit.suppression").fetchone() == (anna,)
    with pytest.raises(pseudonym_key.WrongKey):
        pseudonym_key.current(database)
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", NEW.decode())
    assert pseudonym_key.current(database) == NEW
    with pytest.raises(rotation.RotationError, match="used before"):
        rotation.rotate(database, home, NEW, world.KEY, "Officer 7")


def test_who_was_erased_is_suppressed_under_the_new_key_too(database, tmp_path, sources):
    home, cases = tmp_path / "home", contracts.table("feedback", "cases")
    world.build(database, home)
    anna = subject.of([world.EMAIL, world.NAME], world.KEY)
    erasure.erase(database, None, home, anna, "Officer 7", "request 12")
    rotation.rotate(database, home, world.KEY, NEW, "Officer 7")
    again = world.record(cases, 1, pseudonym.pseudonym(world.EMAIL, NEW))
    assert world.night(database, cases, [again], date(2013, 4, 1)) == publish.Figures(1, 0, 1, 0)
    assert again["person_key"] in world.dump(database)
    assert again["person_key"] not in world.dump(database, "--exclude-table=audit.suppression")


def test_a_source_that_changes_between_its_two_readings_pairs_nobody_with_another():
    table = contracts.table("membership", "contact")
    one, other = (json.dumps(world.record(table, number, "of a key")) for number in (1, 2))
    assert list(rotation._of_records(table, iter([one]), iter([one]))) == [("of a key", "of a key")]
    for again in ([other], [], [one, other]):
        with pytest.raises(rotation.RotationError, match=r"membership\.contact changed while it was read"):
            list(rotation._of_records(table, iter([one]), iter(again)))


def test_a_source_that_cannot_be_reached_leaves_everything_as_it_was(database, tmp_path, sources, monkeypatch):
    world.build(database, tmp_path / "home")
    before = world.dump(database)
    monkeypatch.setenv(
        "AIRFLOW_CONN_ENGAGEMENT_DROP", json.dumps({"conn_type": "fs", "extra": {"path": str(tmp_path / "missing")}})
    )
    with pytest.raises(FileNotFoundError):
        rotation.rotate(database, tmp_path / "home", world.KEY, NEW, "Officer 7")
    assert world.dump(database) == before
