"""What a case database may hold: types, clocks and encodings are looked at, and a value nothing can hold costs its own row."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import psycopg
import pytest
from tests.case_database import insert

from crw import connections, contracts, ingest, landing, ledger
from crw.contracts import ContractError
from crw.settings import CLOCK
from crw.sources import BLANKS, Interval, database, pseudonym

CASES, EVENT, OFFICE = (contracts.table("feedback", name) for name in ("cases", "case_event", "post_office"))
NIGHT = date(2013, 3, 31)
NOON = "2013-03-31 12:00+08"
CASE = {"case_id": 1, "case_no": "C1", "status": "received", "is_anonymous": True}
CASE |= {"received_at": "2013-03-30 10:00", "updated_at": NOON}
PERSON = "complainant_email"


def extract(warehouse, table=CASES):
    """Read the table as a night does, and return what landed and what was refused: column, value and message."""
    load = ingest.extract(warehouse, table, NIGHT, "test")
    refused = warehouse.execute(
        "select reasons -> 0 ->> 'column', reasons -> 0 ->> 'value', reasons -> 0 ->> 'message' from quarantine.record "
        "where load_id = %s order by row_no",
        [load],
    ).fetchall()
    landed = warehouse.execute(f"select {', '.join(table.key)} from landing.{table.identifier} order by 1").fetchall()
    return [key for (key,) in landed], refused


def test_types_that_lose_nothing_are_read(make_case_database, database):
    types = {
        "cases.case_id": "smallint", "cases.case_no": "char(12)", "cases.status": "progress", "cases.outcome": "label",
        "cases.channel_code": "varchar(20)", "cases.post_office_code": "integer", "cases.updated_at": "moment",
        "cases.company_id": "uuid", "cases.received_at": "timestamptz(0)", "cases.is_anonymous": "yes_or_no",
    }  # fmt: skip
    before = (
        "create type progress as enum ('received', 'closed')", "create domain word as varchar(40)",
        "create domain label as word", "create domain moment as timestamptz", "create domain yes_or_no as boolean not null",
    )  # fmt: skip
    source = make_case_database(types=types, before=before)
    insert(source, "cases", CASE | {"outcome": "pending", "channel_code": "phone", "post_office_code": 7})
    assert extract(database) == (["C1"], [])
    query = "select case_id, status, outcome, channel_code, post_office_code, is_anonymous from landing.feedback__cases"
    assert database.execute(query).fetchall() == [(1, "received", "pending", "phone", "7", True)]


def test_types_that_would_be_guessed_at_are_named_in_one_message_before_anything_is_read(make_case_database, database):
    types = {
        "cases.case_id": "numeric(12,2)", "cases.case_no": "bytea", "cases.category_code": "text[]", "cases.status": "json",
        "cases.service_code": "money", "cases.outcome": "interval", "cases.district_code": "double precision",
        "cases.received_at": "text", "cases.closed_at": "timestamp", "cases.updated_at": "moment",
        "cases.is_anonymous": "integer",
    }  # fmt: skip
    source = make_case_database(types=types, before=["create domain moment as timestamp(0)"])
    source.execute(f"alter table case_management.cases alter {PERSON} type bytea using null")
    with pytest.raises(ContractError) as refused:
        extract(database)
    for told in (
        "relation case_management.cases: ",
        "column case_id is numeric(12,2), the contract says bigint",
        "column case_no is bytea, the contract says text",
        "column category_code is text[], the contract says text",
        "column status is json, the contract says text",
        "column service_code is money, the contract says text",
        "column outcome is interval, the contract says text",
        "column district_code is double precision, the contract says text",
        "column received_at is text, the contract says timestamptz",
        "column closed_at is timestamp without time zone, the contract says timestamptz",
        "column updated_at is moment, the contract says timestamptz",
        "column is_anonymous is integer, the contract says boolean",
        "column complainant_email is bytea, but person_key is made of a text",
        "declare the source's clock",
    ):
        assert told in str(refused.value)
    assert str(refused.value).count("column ") == 12


@pytest.mark.parametrize(
    ("column", "type"),
    [
        ("opened_on", "timestamp with time zone"),
        ("opened_on", "timestamp"),
        ("opened_on", "text"),
        ("updated_at", "date"),
    ],
)
def test_a_day_is_no_moment_and_a_moment_no_day(make_case_database, database, column, type):
    make_case_database(types={f"post_office.{column}": type})
    with pytest.raises(ContractError, match=f"post_office: column {column} is {type}"):
        extract(database, OFFICE)


def test_a_moment_without_a_time_zone_is_read_on_the_clock_that_the_contract_declares(make_case_database, database):
    clock = replace(EVENT, clock="Asia/Hong_Kong")
    types = {"case_event.recorded_at": "timestamp", "case_event.occurred_at": "date"}
    source = make_case_database(types=types, timezone="America/New_York", datestyle="German, DMY")
    edges = ["2013-03-30 22:59:59.999999", "2013-03-30 23:00", "2013-03-31 23:59:59.999999", "2013-04-01 00:00"]
    for number, moment in enumerate(edges):
        insert(source, "case_event", {"event_id": number, "occurred_at": "2013-03-30", "recorded_at": moment})
    interval = Interval(datetime(2013, 3, 30, 23, tzinfo=CLOCK), datetime(2013, 4, 1, tzinfo=CLOCK))
    load = ledger.start_load(database, clock, NIGHT, "test")
    with connections.database("case_management") as connection:
        landing.land(database, load, read(clock, connection, interval))
    rows = database.execute("select event_id, occurred_at, recorded_at from landing.feedback__case_event order by 1")
    midnight = datetime(2013, 3, 30, tzinfo=CLOCK)
    assert rows.fetchall() == [
        (1, midnight, datetime(2013, 3, 30, 23, tzinfo=CLOCK)),
        (2, midnight, datetime(2013, 3, 31, 23, 59, 59, 999999, tzinfo=CLOCK)),
    ]


def test_a_day_far_beyond_any_moment_on_a_declared_clock_costs_its_own_row(make_case_database, database):
    clock = replace(EVENT, clock="Asia/Hong_Kong")
    source = make_case_database(types={"case_event.occurred_at": "date"})
    days = ["2013-03-30", "infinity", "-infinity", "5874897-12-31", "4713-11-24 BC", "294276-12-31"]
    for number, day in enumerate(days):
        insert(source, "case_event", {"event_id": number, "recorded_at": NOON})
        source.execute("update case_management.case_event set occurred_at = %s where event_id = %s", [day, number])
    load = ledger.start_load(database, clock, NIGHT, "test")
    with connections.database("case_management") as connection:
        assert landing.land(database, load, read(clock, connection, load.interval)) == 6
    assert database.execute("select event_id from landing.feedback__case_event").fetchall() == [(0,)]


def read(table, connection, interval):
    return database.read(table, connection, interval, b"secret")


def test_a_clock_that_is_no_time_zone_is_a_fault_of_the_contract(make_case_database):
    make_case_database(types={"case_event.recorded_at": "timestamp"})
    interval = Interval(ledger.BEGINNING, datetime(2013, 4, 1, tzinfo=CLOCK))
    with (
        connections.database("case_management") as connection,
        pytest.raises(ContractError, match="case_event: its contract's clock 'Hong Kong' is no time zone"),
    ):
        read(replace(EVENT, clock="Hong Kong"), connection, interval)


@pytest.mark.parametrize("clock", ["Asia/Hong_Kong", "Pacific/Auckland", "America/Santiago", "UTC"])
def test_a_moment_that_is_taken_can_be_fetched_on_every_clock(database, clock):
    database.execute("select set_config('timezone', %s, false)", [clock])
    edges = [f"{edge}{offset}" for edge in ("0001-01-01 00:00", "9999-12-31 23:59:59.999999") for offset in ("+00", "")]
    edges += [f"{day} {hour:02}:30+00" for day in ("0001-01-01", "9999-12-31") for hour in range(24)]
    beyond = landing.BOUNDS["timestamptz"][0].format("moment::timestamptz")
    taken = f"from unnest(%s::text[]) as moment where not ({beyond})"
    fetched = database.execute(f"select moment::timestamptz {taken}", [edges]).fetchall()
    assert len(fetched) > len(edges) - 16  # none farther from the edge than a clock from UTC


BEYOND = ["infinity", "-infinity", "0044-03-15 12:00+08 BC", "9999-12-31 23:59:59+00", "294276-12-31 23:59:59+00"]


def test_a_moment_beyond_the_years_that_others_hold_costs_its_own_row(make_case_database, database):
    source = make_case_database(timezone="Pacific/Auckland")
    for number, moment in enumerate([None, "9999-12-31 23:59:59.999999+08", *BEYOND]):
        insert(source, "cases", CASE | {"case_no": f"C{number}"})
        source.execute("update case_management.cases set closed_at = %s where case_no = %s", [moment, f"C{number}"])
    landed, refused = extract(database)
    assert landed == ["C0", "C1"]
    assert {(column, message) for column, _, message in refused} == {
        ("closed_at", "closed_at is outside the years 1 to 9999")
    }
    assert [value for _, value, _ in refused][:2] == ["infinity", "-infinity"]
    assert len(refused) == len(BEYOND)
    load = database.execute("select max(load_id) from audit.load").fetchone()[0]
    assert ingest.validate(database, CASES, load).quarantined == len(BEYOND)


def test_a_day_beyond_the_years_that_others_hold_costs_its_own_row(make_case_database, database):
    source = make_case_database()
    for number, day in enumerate(["2000-01-01", "9999-12-31", "10000-01-01", "infinity", "0001-12-31 BC"]):
        insert(source, "post_office", {"post_office_code": f"P{number}", "updated_at": NOON})
        source.execute(
            "update case_management.post_office set closed_on = %s where post_office_code = %s", [day, f"P{number}"]
        )
    landed, refused = extract(database, OFFICE)
    assert (landed, [value for _, value, _ in refused]) == (["P0", "P1"], ["10000-01-01", "infinity", "0001-12-31 BC"])


def test_a_key_of_thousands_of_characters_costs_its_own_row_and_so_does_a_reference(make_case_database, database):
    source = make_case_database()
    long = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(3500))
    insert(source, "cases", CASE, CASE | {"case_no": long}, CASE | {"case_no": "C2", "company_id": long})
    assert extract(database)[1] == []
    load = database.execute("select max(load_id) from audit.load").fetchone()[0]
    assert ingest.validate(database, CASES, load).quarantined == 2
    assert database.execute("select case_no from landing.feedback__cases").fetchall() == [("C1",)]


@pytest.mark.parametrize("name", ["Poste de Genève", "CÃ©line"])
def test_letters_of_another_encoding_are_converted(make_case_database, database, name):
    source = make_case_database("LATIN1")
    insert(source, "post_office", {"post_office_code": "P1", "name_en": name, "updated_at": NOON})
    assert extract(database, OFFICE) == (["P1"], [])
    assert database.execute("select name_en from landing.feedback__post_office").fetchall() == [(name,)]


def test_of_a_database_without_an_encoding_utf_8_is_read_and_other_bytes_cost_their_own_row(
    make_case_database, database
):
    source = make_case_database("SQL_ASCII")
    for code, name in {"P1": r"\344\270\255", "P2": r"\244\244\244\345", "P3": "plain", "P4": r"\344\270"}.items():
        insert(source, "post_office", {"post_office_code": code, "name_en": "a|b", "updated_at": NOON})
        source.execute(f"update case_management.post_office set name_zh = E'{name}' where post_office_code = '{code}'")
    source.execute("update case_management.post_office set district_code = E'\\270' where post_office_code = 'P4'")
    landed, refused = extract(database, OFFICE)
    assert landed == ["P1", "P3"]
    assert {column for column, _, _ in refused} == {"name_zh"}
    assert "case_management.post_office, post_office_code=P2: name_zh holds bytes that are no UTF-8" in refused[0][2]
    assert "convert the database" in refused[0][2]
    names = database.execute("select name_zh from landing.feedback__post_office order by post_office_code").fetchall()
    assert names == [("中",), ("plain",)]


def test_a_character_that_has_no_like_in_utf_8_costs_its_own_row(make_case_database, database):
    source = make_case_database("WIN1252")
    for code in ("P1", "P2"):
        insert(source, "post_office", {"post_office_code": code, "name_en": "Café", "updated_at": NOON})
    source.execute(
        "update case_management.post_office set name_en = convert_from('\\x81', 'WIN1252') where post_office_code = 'P2'"
    )
    landed, refused = extract(database, OFFICE)
    assert landed == ["P1"]
    assert [(column, message.split(": ")[1]) for column, _, message in refused] == [
        ("name_en", "name_en holds a character of WIN1252 that has no like in UTF-8")
    ]


ADDRESSES = [
    *("Chan@Example.com", "\ufeffchan@example.com\u200b", "\u3000\tCHAN@example.com\u00a0\r\n", " \u3000\ufeff ", "", "x"),
    *("çhan@éxample.com", "Çhan@Éxample.com", "Éxample.com ", "\u200bà", "中文@例子.hk\u2060", "\u212a@kelvin.hk", "İ@dot.hk"),
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1", "SQL_ASCII"])
def test_a_pseudonym_is_the_same_in_every_source_and_in_python(make_case_database, database, encoding):
    source = make_case_database(encoding)
    addresses = [
        a
        for a in ADDRESSES
        if encoding != "LATIN1" or a.isascii() or a.encode("latin-1", "ignore").decode("latin-1") == a
    ]
    for number, address in enumerate(addresses):
        insert(source, "cases", CASE | {"case_no": f"C{number:02}"})
        source.execute(f"update case_management.cases set {PERSON} = %s where case_no = %s", [address, f"C{number:02}"])
    assert extract(database)[1] == []
    keys = database.execute("select person_key from landing.feedback__cases order by case_no").fetchall()
    assert [key for (key,) in keys] == [pseudonym.pseudonym(address, b"secret") for address in addresses]
    assert pseudonym.pseudonym(ADDRESSES[1], b"secret") == pseudonym.pseudonym(ADDRESSES[0], b"secret")
    assert pseudonym.pseudonym(ADDRESSES[3], b"secret") is None


def test_what_is_trimmed_is_the_same_in_python_and_in_sql(database):
    from crw import contract_rules
    from crw.settings import DBT_PROJECT

    assert database.execute(f"select {contract_rules.BLANKS}").fetchone() == (BLANKS,)
    assert contract_rules.BLANKS in (DBT_PROJECT / "macros" / "latest_version.sql").read_text()


def test_a_session_is_ours_whatever_the_database_is_set_to(make_case_database):
    make_case_database("LATIN1", timezone="America/New_York", datestyle="SQL, DMY", intervalstyle="iso_8601")
    with connections.database("case_management") as connection:
        shown = [
            connection.execute(f"show {name}").fetchone()[0] for name in ("client_encoding", "timezone", "datestyle")
        ]
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert shown == ["UTF8", "Asia/Hong_Kong", "ISO, YMD"]
