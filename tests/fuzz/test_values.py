"""Whatever value a source can hold, the night publishes its row or refuses it with a reason, and goes on: P1 and P2, by content.

A batch goes through the whole gate here, which costs as much for twenty rows as for one: of CRW_FUZZ_BATCHES there are a tenth,
of ten times the rows. Unset, a few, always the same.
"""

from __future__ import annotations

import itertools
import json
import os
import uuid
from datetime import date

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crw import contracts, held, ingest, landing, ledger, publish, warehouse
from crw.sources import Batch, Rejection, record
from tests import case_database

BATCHES = os.environ.get("CRW_FUZZ_BATCHES")
fuzzed = settings(
    max_examples=int(BATCHES or 80) // 10,
    derandomize=BATCHES is None,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NIGHT = date(2013, 3, 31)
EVENT, CONTACT = contracts.table("feedback", "case_event"), contracts.table("membership", "contact")
NUMBERS = itertools.count(1)
CODECS = {"UTF8": "utf-8", "SQL_ASCII": "utf-8", "WIN1252": "cp1252"}

STRANGE = ["infinity", "-infinity", "4713-11-24 00:00+00 BC", "0044-03-15 BC", "0001-01-01 00:00+00", "1904-10-29 17:00+00",
           "1970-01-01 00:00+00", "9999-12-31 23:59:59+00", "10000-01-01 00:00+08", "294276-12-31 23:59:59.999999+00"]  # fmt: skip
moments = st.none() | st.sampled_from(STRANGE) | st.datetimes().map(lambda moment: f"{moment.isoformat(' ')}+00")
letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
blobs = st.binary(max_size=8).map(lambda blob: blob.replace(b"\0", b"\x81"))


@pytest.fixture(scope="module")
def new_database(server):
    """A function that makes a database of an encoding and connects to it."""
    made = []

    def make(encoding="UTF8"):
        name = f"fuzz_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"create database {name} encoding '{encoding}' template template0 locale 'C'")
        made.append(psycopg.connect(server.dsn(name), autocommit=True, client_encoding="UTF8"))
        return made[-1]

    yield make
    for connection in made:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"drop database {connection.info.dbname} with (force)")


@pytest.fixture(scope="module")
def stored(new_database):
    connection = new_database()
    warehouse.install(connection)
    # Of these batches most rows are bad, which a person would have to let pass.
    for table in (EVENT, CONTACT):
        connection.execute(
            "insert into audit.approval (source, table_name, business_date, rule, decision, reason, approved_by) "
            "values (%s, %s, %s, %s, 'approved', 'dirt', 'test')",
            [table.source, table.name, NIGHT, held.QUARANTINE_SHARE],
        )
    return connection


@pytest.fixture(scope="module")
def sources(new_database):
    made = {encoding: new_database(encoding) for encoding in CODECS}
    for connection in made.values():
        case_database.create(connection)
    return made


@fuzzed
@given(
    encoding=st.sampled_from(sorted(CODECS)),
    rows=st.lists(st.tuples(moments, letters, blobs), min_size=10, max_size=50),
)
def test_whatever_a_case_database_holds(server, stored, sources, encoding, rows):
    source, expected = sources[encoding], {}
    source.execute("truncate case_management.case_event")
    for occurred_at, text, blob in rows:
        number = next(NUMBERS)
        unit, case_no = (blob, text.encode(CODECS[encoding], "ignore"))
        if encoding == "UTF8":
            unit = blob.decode("utf-8", "ignore").encode()
        source.execute(
            "insert into case_management.case_event (event_id, case_no, event_type, occurred_at, recorded_at, actor_unit) "
            f"values (%s, convert_from(%s, '{encoding}'), 'received', %s, '2013-03-31 12:00+08', convert_from(%s, '{encoding}'))",
            [number, case_no, occurred_at, unit],
        )
        expected[number] = unit
    address = {"conn_type": "postgres", "host": "127.0.0.1", "port": server.port, "login": "postgres"}
    address |= {"password": server.password, "schema": source.info.dbname}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_CASE_MANAGEMENT", json.dumps(address))
        patch.setenv("CRW_PSEUDONYM_KEY", "secret")
        load_id = ingest.extract(stored, EVENT, NIGHT, "fuzz")
    published, refused = judge(stored, EVENT, load_id, "event_id", "actor_unit")
    assert published.keys() | refused.keys() == {str(number) for number in expected}
    assert not published.keys() & refused.keys()
    for number, unit in expected.items():
        try:
            text = unit.decode(CODECS[encoding])
        except UnicodeDecodeError:
            assert refused[str(number)] == ["type"]
        else:
            assert published.get(str(number), text) == text


odd_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(["", " ", "now", "\0", "\ud800", "0x1F", "\ufeff", "2013-03-31T23:59:59.9999999+08:00", *STRANGE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6,
)  # fmt: skip
raw_json = st.sampled_from(
    ["1e400", "9" * 5000, "[" * 20_000 + "]" * 20_000, '{"a": 1, "a": 2}', '"\udce9"', "-0", "NaN"]
)
json_text = odd_json.map(json.dumps) | raw_json


@fuzzed
@given(records=st.lists(st.fixed_dictionaries(dict.fromkeys(
    ["company_id", "role", "marketing_consent", "consent_changed_at", "updated_at", "email"], json_text)),
    min_size=10, max_size=50))  # fmt: skip
def test_whatever_a_record_of_json_holds(stored, records):
    keys, texts, rejected = [], [], []
    for fields in records:
        keys.append(f"P{next(NUMBERS)}")
        text = ", ".join(f'"{name}": {value}' for name, value in fields.items())
        parsed = record.parse(f'{{"contact_id": "{keys[-1]}", {text}}}')
        try:
            texts.append(record.allowed(CONTACT, parsed, b"secret", {}))
        except record.UnusableValue as error:
            rejected.append(Rejection(str(error), {"contact_id": keys[-1]}, error.column))
    load = ledger.start_load(stored, CONTACT, NIGHT, "fuzz")
    landing.land(stored, load, Batch("json", texts, rejected))
    published, refused = judge(stored, CONTACT, load.load_id, "contact_id", "role")
    assert sorted(published.keys() | refused.keys()) == sorted(keys)
    assert not published.keys() & refused.keys()


def judge(stored, table, load_id, key, column):
    """Validate and publish the load: what it published of the column, and the rules that refused the others, by key."""
    ingest.validate(stored, table, load_id)
    figures = publish.publish_load(stored, ledger.find_load(stored, table, load_id))
    published = stored.execute(
        f"select {key}::text, {column} from raw.{table.identifier} where _load_id = %s", [load_id]
    ).fetchall()
    refused = stored.execute(
        f"select record ->> '{key}', jsonb_path_query_array(reasons, '$[*].rule') from quarantine.record where load_id = %s",
        [load_id],
    ).fetchall()
    assert figures == publish.Figures(len(published) + len(refused), len(published), 0, len(refused))
    return dict(published), dict(refused)
