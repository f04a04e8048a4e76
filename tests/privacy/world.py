"""A small warehouse with a person planted in each table that has persons, in every room behind it, and in the files of a night."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date

from crw import contracts, landing, ledger, publish
from crw.local.postgres import binaries
from crw.sources import Batch, pseudonym
from tests.planted import GOOD

KEY = b"key of a test"
EMAIL, NAME = "Anna.Wong+post@example.hk", "WONG, Anna"
OTHER = "bo@example.hk"
NIGHT = date(2013, 3, 31)
PERSONS = [table for table in contracts.tables().values() if any(column.pseudonym_of for column in table.columns)]


def person(table, name=NAME, email=EMAIL):
    """The person's pseudonym as a table has it."""
    named = any(column.is_name for column in table.columns)
    return pseudonym.of_name(name, KEY) if named else pseudonym.pseudonym(email, KEY)


def record(table, number, who, **changes):
    """A good row of a table, whose persons are one."""
    good = {
        name: value.format(i=number) if isinstance(value, str) else value
        for name, value in GOOD[table.source, table.name].items()
    }
    persons = {column.name: who for column in table.columns if column.pseudonym_of}
    return {column.name: None for column in table.columns} | good | persons | changes


def night(connection, table, records, on=NIGHT):
    """Land and publish records of a table. Returns the figures."""
    load = ledger.start_load(connection, table, on, "test")
    landing.land(connection, load, Batch("json", [json.dumps(each, ensure_ascii=False) for each in records]))
    ledger.record(connection, load, "validated")
    return publish.publish_load(connection, load)


def build(connection, home):
    """Two persons in each table; the first in quarantine, core, candidate, the ledger, Data Docs and logs too."""
    for table in PERSONS:
        bad = record(table, 9, person(table)) | {table.watermark: "yesterday"}
        night(connection, table, [record(table, 1, person(table)), record(table, 2, person(table, "Bo", OTHER)), bad])
    event = contracts.table("feedback", "case_event")
    night(connection, event, [record(event, 7, None, case_no="N1")])
    who = pseudonym.pseudonym(EMAIL, KEY)
    connection.execute("create table core.fct_feedback_case as select case_no, person_key from raw.feedback__cases")
    connection.execute(
        "create table candidate.recent as select array_agg(person_key) as persons, jsonb_agg(person_key) as told from raw.feedback__cases"
    )
    connection.execute(
        "insert into audit.validation (suite, business_date, success, rules, rules_failed, result) values ('s', %s, true, 1, 1, %s)",
        [NIGHT, json.dumps({"rules": [], "gx": {"results": [who, f"<{EMAIL.upper()}>"]}})],
    )
    connection.execute("update audit.load set message = %s where load_id = 1", [f"no such row: {EMAIL}, {who}"])
    connection.execute("analyze")
    for name in ("logs/airflow/task.log", "data_docs/2013-03-31/suite.html", "site/pages.html", "dbt/target/run.json"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"before {who} and {EMAIL.lower()} after", encoding="utf-8")
    (home / "dbt" / "target" / "parsed.bin").write_bytes(b"\0" + who.encode())


def dump(connection, *options):
    """The whole database as text, as a backup would have it, with what the planner knows of its values."""
    info = connection.info
    command = [binaries() / "pg_dump", "--dbname", info.dsn, "--statistics", "--restrict-key=test", *options]
    result = subprocess.run(
        command, env={**os.environ, "PGPASSWORD": info.password}, capture_output=True, text=True, check=True
    )
    return result.stdout


def told(home):
    """What all files of the state folder hold, in one text."""
    return "\n".join(path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file())
