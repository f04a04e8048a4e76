"""A step with each table of a source: all that fail are told, and a retry goes on where the attempt before stopped."""

from __future__ import annotations

import json
from datetime import date

import httpx
import psycopg
import pytest

from crw import connections, contracts, in_turn, ingest, ledger
from crw.contracts import ContractError
from crw.machines import ElsewhereError
from tests.drop_folder import deliver

NIGHT = date(2013, 3, 31)
EVENTS, DAYS = (contracts.table("engagement", name) for name in ("email_event", "website_day"))
EVENT = {"email": "p@example.com", "timestamp": 1364700000, "event": "open", "category": "c", "sg_event_id": "e1"}
TABLES = contracts.sources()["engagement"]


@pytest.mark.parametrize(
    ("executor", "error"), [("LocalExecutor", FileNotFoundError), ("CeleryExecutor", ElsewhereError)]
)
def test_a_folder_that_is_not_here_may_be_elsewhere_where_there_are_other_machines(monkeypatch, executor, error):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", executor)
    monkeypatch.setenv("AIRFLOW_CONN_SURVEY_DROP", json.dumps({"conn_type": "fs", "extra": {"path": "/no/folder"}}))
    with pytest.raises(FileNotFoundError, match="connection survey_drop: /no/folder is no folder") as raised:
        connections.folder("survey_drop")
    assert type(raised.value) is error


def failing(**errors):
    """A step that fails for the tables named, each with its error."""

    def step(table):
        if table.name in errors:
            raise errors[table.name]
        return table.name.upper()

    return step


def test_every_table_is_taken_and_told_by_name(capsys):
    assert in_turn.each([EVENTS, DAYS], failing()) == {"email_event": "EMAIL_EVENT", "website_day": "WEBSITE_DAY"}
    errors = {table.name: ContractError(f"no column in {table.name}") for table in TABLES[:-1]}
    with pytest.raises(in_turn.TablesError) as raised:
        in_turn.each(TABLES, failing(**errors))
    assert str(raised.value).splitlines() == [
        f"engagement.{name}: ContractError: no column in {name}" for name in errors
    ]
    assert not isinstance(raised.value, in_turn.AwayError)
    assert "::group::traceback of engagement.activity\nTraceback" in capsys.readouterr().out


def test_one_table_that_fails_fails_with_its_own_error():
    with pytest.raises(ContractError, match="broken"):
        in_turn.each(TABLES, failing(activity=ContractError("broken")))


def test_only_what_failed_of_systems_away_alone_may_pass():
    away = {"activity": psycopg.OperationalError("refused"), "email_event": httpx.ReadTimeout("slow")}
    with pytest.raises(
        in_turn.AwayError, match=r"activity: OperationalError: refused\n.*email_event: ReadTimeout: slow"
    ):
        in_turn.each(TABLES, failing(**away))
    with pytest.raises(in_turn.AwayError):
        in_turn.each(TABLES, failing(**away, website_day=ElsewhereError("/drop is no folder")))
    with pytest.raises(in_turn.TablesError) as raised:
        in_turn.each(TABLES, failing(**away, website_day=ContractError("broken")))
    assert not isinstance(raised.value, in_turn.AwayError)


@pytest.fixture
def drop(tmp_path, monkeypatch):
    connection = {"conn_type": "fs", "extra": {"path": str(tmp_path)}}
    monkeypatch.setenv("AIRFLOW_CONN_ENGAGEMENT_DROP", json.dumps(connection))
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", "of-a-test")
    deliver(tmp_path, "newsletter/n.jsonl", json.dumps(EVENT))
    return tmp_path


def test_a_retry_reads_what_its_run_has_not_landed_and_nothing_else(database, drop):
    def extract(table, run_id="first", **how):
        return ingest.extract(database, table, NIGHT, run_id, **how)

    landed = extract(EVENTS)
    assert extract(EVENTS, is_retry=True) == landed
    assert extract(DAYS, is_retry=True) > landed
    # Whoever clears the task, and another run, want the source read again.
    assert (again := extract(EVENTS)) > landed
    assert extract(EVENTS, "second", is_retry=True) > again
    # A PostgreSQL that crashed has emptied what is not logged.
    newest = extract(EVENTS)
    database.execute("truncate landing.engagement__email_event")
    assert extract(EVENTS, is_retry=True) > newest


def test_a_retry_reads_again_what_failed(database, drop):
    bad = deliver(drop, "newsletter/bad.jsonl", json.dumps(EVENT | {"unheard_of": 1}))
    with pytest.raises(ContractError):
        ingest.extract(database, EVENTS, NIGHT, "first")
    bad.unlink()
    load_id = ingest.extract(database, EVENTS, NIGHT, "first", is_retry=True)
    assert ledger.rows_read(database, load_id) == 1


def test_a_retry_leaves_alone_what_is_validated(database, drop):
    load_id = ingest.extract(database, EVENTS, NIGHT, "first")
    assert ingest.validate(database, EVENTS, load_id, is_retry=True).results
    assert ingest.validate(database, EVENTS, load_id, is_retry=True).message == "validated before this retry"
    with pytest.raises(ledger.LoadError, match="is validated, not landed"):
        ingest.validate(database, EVENTS, load_id)


@pytest.mark.parametrize("validated_before", [False, True], ids=["first", "next"])
def test_a_retry_validates_what_found_no_connection(database, login, drop, validated_before):
    """Great Expectations has connections of its own, which a process keeps for the next table."""
    loader = login(database, "crw_loader")
    if validated_before:
        ingest.validate(loader, DAYS, ingest.extract(database, DAYS, NIGHT, "first"))
    load_id = ingest.extract(database, EVENTS, NIGHT, "first")
    database.execute("alter role crw_loader connection limit 1")
    cut_all_but(database, loader)
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            ingest.validate(loader, EVENTS, load_id)
    finally:
        database.execute("alter role crw_loader connection limit -1")
    assert ingest.validate(loader, EVENTS, load_id, is_retry=True).results


def test_a_connection_that_was_cut_between_two_tables_is_made_again(database, login, drop):
    loader = login(database, "crw_loader")
    ingest.validate(loader, DAYS, ingest.extract(database, DAYS, NIGHT, "first"))
    load_id = ingest.extract(database, EVENTS, NIGHT, "first")
    assert cut_all_but(database, loader)
    assert ingest.validate(loader, EVENTS, load_id).results


def cut_all_but(database, connection):
    """End what else is connected as the connection's role. Returns how many that were."""
    return database.execute(
        "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where usename = %s and pid <> %s",
        [connection.info.user, connection.info.backend_pid],
    ).fetchone()[0]
