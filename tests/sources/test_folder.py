"""The reader of drop folders whose files carry the contract's columns, on real files in each format."""

from __future__ import annotations

import json
import os
import subprocess
import tracemalloc
from datetime import date, datetime

import pytest
from tests.drop_folder import COLUMNS, INTERVAL, NIGHT, NOON, SECRET, deliver, read, table, unread, workbook

from crw import ledger, publish
from crw.contracts import Column, ContractError, Layout
from crw.landing import land
from crw.settings import CLOCK
from crw.sources import folder, json_objects
from crw.sources.pseudonym import pseudonym
from crw.warehouse import _create


def test_csv_by_its_own_headers_with_the_person_made_a_pseudonym(tmp_path):
    deliver(tmp_path, "calls/a.csv", "\ufeffCall No.,offered,email,tags,phone\r\nK1,12,A@example.com ,,555\r\n")
    (record,), batch = read(table("calls/*.csv"), tmp_path)
    assert record == {
        "call_no": "K1",
        "offered": "12",
        "caller": pseudonym("a@example.com", SECRET),
        "tags": None,
        "delivered_at": NOON.isoformat(),
    }
    assert list(batch.deliveries.values()) == ["calls/a.csv"]


def test_a_name_in_capitals_is_read(tmp_path):
    deliver(tmp_path, "Calls/A.CSV", "Call No.,offered,email,tags\nK1,1,,\n")
    assert [record["call_no"] for record in read(table("calls/*.csv"), tmp_path)[0]] == ["K1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Call No.,offered,email,tags,offered\n", "column offered is there 2 times"),
        ("Call No.,offered,email,tags,phone,phone\n", "column phone is there 2 times"),
        ("Call No.,offered,email,tags,\nK1,1,,,\nK2,1,,,x\n", "column 5 has values and no name"),
    ],
)
def test_a_column_that_cannot_be_told_by_its_name_is_refused(tmp_path, text, said):
    deliver(tmp_path, "a.csv", text)
    with pytest.raises(ContractError, match=f"a.csv: {said}"):
        read(table("*.csv"), tmp_path)


def test_a_column_without_name_or_value_is_none(tmp_path):
    deliver(tmp_path, "a.csv", "Call No.,,offered,email,tags,\nK1,,1,,, \n")
    assert [record["offered"] for record in read(table("*.csv"), tmp_path)[0]] == ["1"]


def test_a_row_that_cannot_be_read_is_refused_by_line_and_no_other(tmp_path):
    text = "Call No.,offered,email,tags\nK1,1,,\nK2,1\nK3,1,,埗\nK4,1,,\n".encode("big5hkscs").replace(b"K4", b"K\xff")
    deliver(tmp_path, "a.csv", text)
    records, batch = read(table("*.csv", encoding="big5hkscs"), tmp_path)
    assert [(r["call_no"], r["tags"]) for r in records] == [("K1", None), ("K3", "埗")]
    assert [r.reason for r in batch.rejected] == [
        "a.csv, line 3: fewer than 4 fields",
        "a.csv, line 5: bytes that are not big5hkscs",
    ]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Call No.,offered,email", "missing column tags"),
        ("Call No.,offered,email,tags,extra", "unknown column extra"),
        ("K1,3,chan@example.hk,Chan Tai Man", "unknown column 2, whose name is not shown"),
    ],
)
def test_a_file_that_does_not_keep_the_contract_is_refused_by_name(tmp_path, header, said):
    deliver(tmp_path, "a.csv", f"{header}\n")
    with pytest.raises(ContractError, match=f"a.csv: {said}") as refusal:
        read(table("*.csv"), tmp_path)
    assert "chan" not in str(refusal.value).lower()


def test_json_lines_keep_a_text_and_a_list_apart_and_refuse_what_is_no_object(tmp_path):
    lines = [
        '{"Call No.": "K1", "tags": "one"}', '{"Call No.": "K2", "tags": ["one", "two"]}', "", "[1]", '{"Call'
    ]  # fmt: skip
    deliver(tmp_path, "a.jsonl", "\n".join(lines))
    records, batch = read(table("*.jsonl"), tmp_path)
    assert [(r["call_no"], r["offered"], r["tags"]) for r in records] == [
        ("K1", None, "one"),
        ("K2", None, ["one", "two"]),
    ]
    assert [r.reason.split(":")[0] + r.reason.split(":")[1][:9] for r in batch.rejected] == [
        "a.jsonl, line 4 not a JS",
        "a.jsonl, line 5 not JSON",
    ]
    deliver(tmp_path, "b.jsonl", '{"Call No.": "K1", "ip": "10.0.0.1"}')
    with pytest.raises(ContractError, match=r"b.jsonl, line 1: unknown column ip"):
        read(table("*.jsonl"), tmp_path)


EVENTS = [{"Call No.": f"K{i}", "tags": [{"n": i}, "}{"], "phone": "5"} for i in range(3)]
LINES = [json.dumps(event) for event in EVENTS]


@pytest.mark.parametrize(
    ("content", "places"),
    [
        ("\r".join(LINES), ["line 1", "line 2", "line 3"]),
        ("".join(LINES), ["line 1", "line 1, record 2", "line 1, record 3"]),
        (", ".join(LINES), ["line 1", "line 1, record 2", "line 1, record 3"]),
        (json.dumps(EVENTS), ["line 1", "line 1, record 2", "line 1, record 3"]),
        (json.dumps([EVENTS[:2], [], EVENTS[2:]]), ["line 1", "line 1, record 2", "line 1, record 3"]),
        (json.dumps(EVENTS, indent=2), ["line 2", "line 12", "line 22"]),
        ("\r\n\r\n".join(json.dumps(event, indent=1) for event in EVENTS), ["line 1", "line 12", "line 23"]),
        ("[\n" + ",\n".join(LINES) + "\n]\n[]", ["line 2", "line 3", "line 4"]),
        ("\ufeff" + "\n\ufeff".join(LINES), ["line 1", "line 2", "line 3"]),
        ("\n".join(LINES).encode("utf-16"), ["line 1", "line 2", "line 3"]),
        ("\x1e" + "\n\x1e".join(LINES), ["line 1", "line 2", "line 3"]),
    ],
)
def test_the_objects_of_a_json_file_are_records_however_they_are_laid_out(tmp_path, content, places):
    deliver(tmp_path, "a.jsonl", content)
    records, batch = read(table("*.jsonl", (*COLUMNS, Column("place", "text", provenance=True))), tmp_path)
    assert [(r["call_no"], r["tags"], r["place"]) for r in records] == [
        (event["Call No."], event["tags"], place) for event, place in zip(EVENTS, places, strict=True)
    ]
    assert (batch.rejected, batch.unread, len(batch.deliveries)) == ([], [], 1)


@pytest.mark.parametrize(
    ("faulty", "reason"),
    [
        ("what is this", "line 2: not JSON: Expecting value"),
        ('{"Call No.": "K', "line 2: not JSON: Invalid control character at"),
        ('{"Call No.": "K",', "line 2: not JSON: Expecting property name enclosed in double quotes"),
        ('{"Call No.": "K", "tags": ' + "[" * 20_000 + "]" * 20_000 + "}", "line 2: not JSON: nested too deep"),
        ('{"Call No.": "K", "tags": ' + "[" * 300 + "]" * 300 + "}", "line 2: nested more than 200 deep"),
        ('{"Call No.": "K", "Call No.": "L"}', "line 2: a field is there twice"),
        (b'{"Call No.": "K\xff"}', "line 2: bytes that are not of the file's encoding"),
        ('{"Call No.": "K", "tags":\n"one"]', "line 2: not JSON: Expecting ',' delimiter"),
        ("7", "line 2: not a JSON object"),
        ('["K", 1, [2]]', "line 2: not a JSON object"),
    ],
)
def test_what_is_no_object_is_refused_by_its_place_and_none_beside_it(tmp_path, faulty, reason):
    faulty = faulty if isinstance(faulty, bytes) else faulty.encode()
    deliver(tmp_path, "a.jsonl", b"\n".join([LINES[0].encode(), faulty, *(line.encode() for line in LINES[1:])]))
    records, batch = read(table("*.jsonl"), tmp_path)
    assert [record["call_no"] for record in records] == ["K0", "K1", "K2"]
    (rejection,) = batch.rejected
    assert rejection.reason == f"a.jsonl, {reason}"
    assert set(rejection.record) == {"delivery_id", "file_name", "place"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[" + ",".join(LINES), "it ends within an array: the file is cut"),
        ("[ ", "it ends within an array: the file is cut"),
        ("[" + ",".join(LINES)[:-9], "line 1, record 3: not JSON: Unterminated string starting at, within an array"),
        ("[1, " + ",".join(LINES) + "]", "line 1: an array of objects and others"),
        ("oops " + "".join(LINES), "line 1: not JSON: Expecting value, where several records may stand"),
        (LINES[0] + " oops " + ",".join(LINES[1:]), "line 1, record 2: not JSON: Expecting value, where several"),
        ('{"Call No.": oops}' + "".join(LINES), "line 1: not JSON: Expecting value, where several records may stand"),
        ('{"Call No.": oops,\n "tags": [\n  {"n": 1}]}\n', "line 1: not JSON: Expecting value, where several"),
    ],
)
def test_a_json_file_of_which_nobody_knows_how_many_records_it_holds_is_not_read(tmp_path, content, reason):
    deliver(tmp_path, "a.jsonl", content)
    deliver(tmp_path, "b.jsonl", LINES[0])
    records, batch = read(table("*.jsonl"), tmp_path)
    assert [record["call_no"] for record in records] == ["K0"]
    assert (batch.rejected, list(batch.deliveries.values())) == ([], ["b.jsonl"])
    assert unread(batch)["a.jsonl"].startswith(reason)


def test_a_record_longer_than_what_is_read_at_a_time_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(json_objects, "BLOCK", 7)
    deliver(tmp_path, "a.jsonl", "\n".join([LINES[0], "oops", "true", '{"torn', LINES[1], "[" + LINES[2] + "]", "12"]))
    records, batch = read(table("*.jsonl"), tmp_path)
    assert [record["tags"] for record in records] == [event["tags"] for event in EVENTS]
    assert [rejection.record["place"] for rejection in batch.rejected] == ["line 2", "line 3", "line 4", "line 7"]
    monkeypatch.setattr(json_objects, "LONGEST", 100)
    deliver(tmp_path, "a.jsonl", LINES[0] + '\n{"Call No.": "' + "K" * 500 + '"}')
    records, batch = read(table("*.jsonl"), tmp_path)
    assert unread(batch) == {
        "a.jsonl": "line 2: not JSON: Unterminated string starting at, where several records may stand"
    }


def test_a_file_is_read_row_by_row(tmp_path):
    deliver(tmp_path, "a.csv", "Call No.,offered,email,tags\n" + "K,1,,some tags\n" * 20_000)
    batch = folder.read(table("*.csv"), tmp_path, INTERVAL, SECRET)
    tracemalloc.start()
    rows = sum(1 for _ in batch.blocks)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == 20_000
    assert peak < 3 << 20


def test_a_text_that_cannot_be_stored_is_refused_by_line_and_column(tmp_path):
    deliver(tmp_path, "a.jsonl", '{"Call No.": "K1", "tags": ["a\\u0000"]}\n{"Call No.": "K2"}')
    records, batch = read(table("*.jsonl"), tmp_path)
    assert [record["call_no"] for record in records] == ["K2"]
    (refused,) = batch.rejected
    assert (refused.reason, refused.column) == ("a.jsonl, line 1: tags holds a NUL character", "tags")


def test_a_sheet_with_merged_cells_below_a_title(tmp_path):
    book = workbook(
        ["Calls of the year"], [], ["Call No.", "offered", "email", "tags"],
        ["K1", 3, None, "a"], [None, 4, None, "b"], ["K2", 5, None, None],
    )  # fmt: skip
    book.active.title = "Calls"
    book.active.merge_cells("A4:A5")
    book.create_sheet("Cover", 0)
    deliver(tmp_path, "a.xlsx", book)
    records, _ = read(table("*.xlsx", sheet="Calls", header_row=3, fill_down=("Call No.",)), tmp_path)
    assert [(r["call_no"], r["offered"], r["tags"]) for r in records] == [
        ("K1", "3", "a"),
        ("K1", "4", "b"),
        ("K2", "5", None),
    ]


def test_a_blank_end_of_a_sheet_is_no_row_and_a_place_is_told(tmp_path):
    book = workbook(
        ["Call No.", "offered", "email", "tags", "phone"], ["K1", 3, None, None, None], [" ", 4, None, None, None],
        [" ", None, None, None, 555], [None, None, None, None, None], [None, " "],
    )  # fmt: skip
    deliver(tmp_path, "a.xlsx", book)
    contract = table("*.xlsx", (*COLUMNS, Column("place", "text", provenance=True)), fill_down=("Call No.",))
    records, _ = read(contract, tmp_path)
    assert [(r["call_no"], r["offered"], r["place"]) for r in records] == [("K1", "3", "row 2"), ("", "4", "row 3")]


def test_merged_cells_alone_are_filled_down(tmp_path):
    book = workbook(
        ["Call No.", "offered", "email", "tags"],
        ["K1", 1, None, "a"], [None, 2, None, "b"], [None, 3, None, None], ["K2", 4, None, None], [None, 5, None, None],
    )  # fmt: skip
    for cells in ("A2:A3", "D2:D3", "A5:B5"):
        book.active.merge_cells(cells)
    deliver(tmp_path, "a.xlsx", book)
    records, _ = read(table("*.xlsx", fill_down=("Call No.",)), tmp_path)
    assert [(r["call_no"], r["offered"], r["tags"]) for r in records] == [
        ("K1", "1", "a"), ("K1", "2", None), (None, "3", None), ("K2", None, None), (None, "5", None),
    ]  # fmt: skip


def test_an_error_in_merged_cells_refuses_the_rows_they_span_and_any_other_its_own(tmp_path):
    book = workbook(
        ["Call No.", "offered", "email", "tags"],
        ["K1", "#N/A"], [None, 4], ["#REF!", 5], [None, 6], ["K4", "=B3"], ["K5", 7],
    )  # fmt: skip
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("A4:A5")
    deliver(tmp_path, "a.xlsx", book)
    records, batch = read(table("*.xlsx", fill_down=("Call No.",)), tmp_path)
    assert [(r["call_no"], r["offered"]) for r in records] == [("K1", "4"), ("K5", "7")]
    assert [r.reason for r in batch.rejected] == [
        "a.xlsx, row 2: offered is #N/A",
        "a.xlsx, row 4: Call No. is #REF!",
        "a.xlsx, row 5: Call No. is #REF!, of the merged row 4",
        "a.xlsx, row 6: offered is a formula without a value",
    ]


def test_files_joined_to_one_have_one_header_and_no_mark_in_a_key(tmp_path):
    header = "Call No.,offered,email,tags\n"
    text = f"\ufeff{header}K1,1,,\n\ufeff{header}\ufeffK2,2,,\n\u200bK1 ,3,,\n"
    deliver(tmp_path, "a.csv", text)
    records, batch = read(table("*.csv"), tmp_path)
    assert [(r["call_no"], r["offered"]) for r in records] == [("K1", "1"), ("K2", "2"), ("K1", "3")]
    assert [r.reason for r in batch.rejected] == ["a.csv, line 3: the header again"]
    deliver(tmp_path, "b.csv", f"{header}K1,1,,\noffered,Call No.,email,tags\n1,K2,,\n")
    with pytest.raises(ContractError, match=r"b\.csv, line 3: a header with its columns in another order"):
        read(table("*.csv"), tmp_path)


def test_a_place_is_a_line_in_the_other_formats(tmp_path):
    columns = (*COLUMNS, Column("place", "text", provenance=True))
    deliver(tmp_path, "a.csv", 'Call No.,offered,email,tags\nK1,1,,"two\nlines"\nK2,2,,\n')
    deliver(tmp_path, "a.jsonl", '\n{"Call No.": "K3"}')
    rows, _ = read(table("*.csv", columns), tmp_path)
    assert [(r["place"], r["tags"]) for r in rows] == [("line 2", "two\nlines"), ("line 4", None)]
    assert [r["place"] for r in read(table("*.jsonl", columns), tmp_path)[0]] == ["line 2"]


def test_a_name_typed_by_hand_is_one_person(tmp_path):
    columns = tuple(
        Column(c.name, c.type, pseudonym_of="email", is_name=True) if c.pseudonym_of else c for c in COLUMNS
    )
    names = ["Chan Tai Man", '"CHAN, Tai-man"', "tai man  chan ", "Ｃｈａｎ Tai Man", "Chan Tai Wan", '" ,"']
    rows = "".join(f"K{i},1,{name},\n" for i, name in enumerate(names))
    deliver(tmp_path, "a.csv", f"Call No.,offered,email,tags\n{rows}")
    *same, other, nobody = [r["caller"] for r in read(table("*.csv", columns), tmp_path)[0]]
    assert set(same) == {pseudonym("chan man tai", SECRET)}
    assert other not in (*same, None)
    assert nobody is None


def test_what_is_due_is_what_arrived_and_was_not_published(tmp_path):
    header = "Call No.,offered,email,tags\n"
    deliver(tmp_path, "a.csv", header + "K1,1,,\n", at=datetime(2011, 1, 1, tzinfo=CLOCK))
    deliver(tmp_path, "again/a.csv", header + "K1,1,,\n")
    deliver(tmp_path, "tomorrow.csv", header + "K2,1,,\n", at=INTERVAL.end)
    deliver(tmp_path, ".unfinished.csv", header)
    deliver(tmp_path, "~$a.csv", "what Excel holds open")
    records, batch = read(table("**/*.csv"), tmp_path)
    assert [r["call_no"] for r in records] == ["K1"]
    assert read(table("**/*.csv"), tmp_path, published=batch.deliveries)[0] == []


def test_a_file_put_back_is_read_again_once_a_byte_of_it_is_another(tmp_path):
    first, corrected = (f"Call No.,offered,email,tags\nK1,{offered},,\n" for offered in (7, 8))
    published = set()
    for content in (first, corrected):
        deliver(tmp_path, "club.csv", content)
        published |= set(read(table("*.csv"), tmp_path, published)[1].deliveries)
    assert len(published) == 2
    path = deliver(tmp_path, "club.csv", first)
    assert read(table("*.csv"), tmp_path, published)[0] == []
    subprocess.run(["sh", "-c", f"printf '\\n' >> {path}"], check=True)  # as the runbook has it
    os.utime(path, (NOON.timestamp(),) * 2)
    ((row,), _) = read(table("*.csv"), tmp_path, published)
    assert row["offered"] == "7"


def test_a_record_sent_again_in_another_file_is_unchanged(database, tmp_path):
    contract = table("*.jsonl")
    _create(database, contract)
    for day, name, content in (
        (NIGHT, "a.jsonl", '{"Call No.": "K1", "offered": 1}\n{"Call No.": "K2", "offered": 1}'),
        (date(2013, 4, 1), "b.jsonl", '{"Call No.": "K1", "offered": 1}\n{"Call No.": "K2", "offered": 2}'),
    ):
        deliver(tmp_path, name, content, at=datetime(day.year, day.month, day.day, 9, tzinfo=CLOCK))
        load = ledger.start_load(database, contract, day, "test")
        done = ledger.published_deliveries(database, contract, day)
        land(database, load, folder.read(contract, tmp_path, load.interval, SECRET, done))
        ledger.record(database, load, "validated")
        figures = publish.publish_load(database, load)
    assert figures == publish.Figures(read=2, published=1, unchanged=1, quarantined=0)


def test_a_sheet_that_no_table_of_the_source_reads_is_named_once(tmp_path):
    book = workbook(["Call No.", "offered", "email", "tags"], ["K1", 1, None, None])
    for name in ("Calls 2", "Notes", "Blank"):
        book.create_sheet(name).append(["" if name == "Blank" else "x"])
    deliver(tmp_path, "a.xlsx", book)
    contract, layouts = table("*.xlsx"), [Layout("*.csv"), Layout("*.xlsx"), Layout("a*.xlsx", sheet="Calls 2")]
    records, batch = read(contract, tmp_path, layouts=layouts)
    assert len(records) == 1
    assert unread(batch) == {"a.xlsx, sheet Notes": "it has values, and no table of hotline reads it"}
    _, others = read(contract, tmp_path, layouts=[Layout("a*.xlsx", sheet="Calls 2")])
    assert others.unread == []


def test_a_sheet_that_is_not_there_fails_the_load(tmp_path):
    deliver(tmp_path, "a.xlsx", workbook(["Call No."]))
    with pytest.raises(ContractError, match=r"a.xlsx: there is no sheet Calls"):
        read(table("*.xlsx", sheet="Calls"), tmp_path)
