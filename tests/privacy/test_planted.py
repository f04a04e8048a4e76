"""Personal data in every field of every source, allowed and withheld: what a night leaves of it, and where."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import openpyxl
import psycopg
import pytest

from crw import contracts, data_docs, ingest
from crw.settings import CLOCK
from tests import case_database, survey_drop
from tests.drop_folder import deliver
from tests.planted import GOOD
from tests.privacy import world

NIGHT = date(2013, 3, 31)
BEFORE = datetime(2013, 3, 31, 18, tzinfo=CLOCK)
WITHHELD, ALLOWED = "Chan Siu Ming 6123 4567", "Lee Ka Yan 9876 5432"
"""What is planted in fields that must not leave, and in texts of fields that may."""


def records(table):
    """A good record whose withheld fields tell of a person, one whose every allowed text does, and of what is no database, which knows
    no such value, one with a value that is not of its type: it is refused whole. As the source writes them."""
    fields = dict.fromkeys(table.withheld, WITHHELD)
    fields |= {column.field: WITHHELD for column in table.columns if column.pseudonym_of}
    typed = [
        c for c in table.columns if c.type not in ("text", "jsonb") and not c.provenance and c.name not in table.key
    ]
    for number in (1, 2, 3) if typed and table.reader != "database" else (1, 2):
        record = dict(fields)
        for column in table.columns:
            if column.provenance or column.pseudonym_of:
                continue
            value = GOOD[table.source, table.name].get(column.name)
            value = value.format(i=number) if isinstance(value, str) else value
            is_text = column.type in ("text", "jsonb") and column.name not in table.key
            record[column.field] = ALLOWED if number == 2 and is_text else value
        if number == 3:
            record[typed[0].field] = "no such value"
        yield record


def serve(tables):
    """A CRM that gives the records of each table."""
    pages = {table.endpoint: list(records(table)) for table in tables}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"data": pages[urlsplit(self.path).path], "next_cursor": None}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def fill(folder, source):
    """A drop folder with a file of each table."""
    book = openpyxl.Workbook()
    for table in contracts.sources()[source]:
        rows = list(records(table))
        name = table.layout.files.replace("**/", "").replace("*", "planted")
        if name.endswith(".xlsx"):
            sheet = book.create_sheet(table.layout.sheet)
            for cells in [[]] * (table.layout.header_row - 1) + [list(rows[0]), *(list(row.values()) for row in rows)]:
                sheet.append(cells or ["title"])
            deliver(folder, name, book, BEFORE)
        elif name.endswith(".csv"):
            out = io.StringIO()
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
            deliver(folder, name, out.getvalue().encode(table.layout.encoding or "utf-8"), BEFORE)
        else:
            deliver(folder, name, "".join(json.dumps(row) + "\n" for row in rows), BEFORE)


@pytest.fixture
def sources(server, tmp_path, monkeypatch):
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("drop database if exists planted_cases with (force)")
        admin.execute("create database planted_cases")
    with psycopg.connect(server.dsn("planted_cases"), autocommit=True) as cases:
        case_database.create(cases)
        for table in contracts.sources()["feedback"]:
            case_database.insert(cases, table.name, *records(table))
    crm = serve([table for name in ("membership", "campaign") for table in contracts.sources()[name]])
    for source in ("engagement", "liaison"):
        fill(tmp_path / source, source)
    row = f"1,0.5,05/11/2010,1,3,2,{WITHHELD}"
    survey_drop.deliver(tmp_path / "survey", survey_drop.csv_of(row, row.replace("1,", "2,", 1)))
    connections = {
        "CASE_MANAGEMENT": server.dsn("planted_cases"),
        "CRM_API": json.dumps({"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": crm.server_port, "password": "t"}),
        **{
            f"{source.upper()}_DROP": json.dumps({"conn_type": "fs", "extra": {"path": str(tmp_path / source)}})
            for source in ("survey", "engagement", "liaison")
        },
    }  # fmt: skip
    for name, value in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", value)
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", "key of a test")
    yield
    crm.shutdown()


def night(warehouse):
    """Run every source's steps; returns what was said, and the rows that reached raw or quarantine."""
    said = []
    for source, tables in contracts.sources().items():
        loads = []
        for table in tables:
            try:
                loads.append(ingest.extract(warehouse, table, NIGHT, "test"))
                said.append(ingest.validate(warehouse, table, loads[-1]).message)
            except Exception as error:  # whatever a night says of it
                said.append(f"{type(error).__name__}: {error}")
        try:
            ingest.publish_source(warehouse, source, loads)
        except (ValueError, RuntimeError) as error:
            said.append(str(error))
    return "\n".join(said)


def test_what_is_withheld_is_nowhere_and_what_is_allowed_only_where_rows_are(database, sources, tmp_path):
    said = night(database)
    pages = data_docs.build(database, tmp_path / "docs").parent
    for table in contracts.tables().values():
        read = database.execute(
            "select max(rows_read) from audit.load where source = %s and table_name = %s", [table.source, table.name]
        ).fetchone()
        assert read >= (1,), (table.identifier, said)
    dump = world.dump(database)
    by_schema = {}
    for schema, rows in re.findall(r"^COPY (\w+)\..*?;\n(.*?)^\\\.$", dump, re.DOTALL | re.MULTILINE):
        by_schema[schema] = by_schema.get(schema, "") + rows
    assert ALLOWED in by_schema["quarantine"]
    assert by_schema["quarantine"].count('"no such value"') > 10
    for part in (WITHHELD, WITHHELD.partition(" 6")[0], WITHHELD[-9:]):
        assert part not in dump
        assert part not in said
        assert part not in world.told(pages)
    told = {schema for schema, rows in by_schema.items() if ALLOWED in rows}
    told |= {"messages"} if ALLOWED in said else set()
    told |= {"data docs"} if ALLOWED in world.told(pages) else set()
    assert told <= {"landing", "raw", "quarantine"}
