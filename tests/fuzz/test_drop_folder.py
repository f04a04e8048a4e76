"""A drop folder of dirty files: each record that was written is published as it was, or refused by its place, or its file is named.

What is written is remembered record by record, and looked for by content in raw and in quarantine: none is there twice, under
another's place, or nowhere.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crw import ledger, publish
from crw.contracts import Column
from crw.landing import land
from crw.sources import folder
from crw.sources.pseudonym import pseudonym
from crw.warehouse import _create
from tests.drop_folder import COLUMNS, INTERVAL, NIGHT, SECRET, deliver, table, unread

PLACES = [Column(name, "text", provenance=True) for name in ("delivery_id", "file_name", "place")]
CALLS = table("calls/*.[cj]s[vo]*", (*COLUMNS, *PLACES))
HEADER = ["Call No.", "offered", "email", "tags", "phone"]
NASTY = st.sampled_from(
    ["two\n\nlines", 'a "quoted",\ncomma', "\ufeffmark", "}{", '["', "\\", "\u2028", "熱線", "null", " "]
)
ANY = st.characters(codec="utf-8", exclude_characters="\0\1\2\r\x1f")
TEXT = NASTY | st.lists(NASTY | ANY, max_size=8).map("".join)
PLAIN = st.text("abcé熱 ;'", max_size=12)
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=6,
)
TAINT = "what taints it"
NOISE = ["what is this", "7", "null", '["a", 1]', "K1,2,3", "}", "]"]


@dataclass(frozen=True)
class Written:
    """A record as it was written."""

    values: dict[str, Any]
    place: str | None = None
    """Where it is known beforehand."""
    is_good: bool = True


@dataclass(frozen=True)
class File:
    """A file as it was written."""

    name: str
    content: bytes
    records: list[Written]
    is_unread: bool | None = False
    """None where it may be either: what is left of a torn record may look like several."""


@st.composite
def record(draw, key: str, text: st.SearchStrategy, tags: st.SearchStrategy) -> dict[str, Any]:
    offered = draw(st.none() | st.integers(0, 99))
    email = draw(st.sampled_from([None, "a@example.com", "B@example.com"]))
    return {"Call No.": key, "offered": offered, "email": email, "tags": draw(tags), "phone": draw(text)}


@st.composite
def csv_file(draw, stem: str) -> File:
    faults = [None, None, None, None, "short", "long", "tainted", "mistyped"]
    # A quote left open is closed by the next one, whoever meant it: there is no other in such a file.
    left_open = draw(st.sampled_from([None, None, None, 0, 2]))
    text = TEXT if left_open is None else PLAIN
    end = draw(st.sampled_from(["\n", "\r\n", "\r"])).encode()
    taint = draw(st.sampled_from([b"\xff", b"\x1f", b"\1", b"\2"]))
    written, records, line = ",".join(HEADER).encode() + end, [], 2
    for number in range(draw(st.sampled_from([0, 1, 3, 6]))):
        values = draw(record(f"{stem}-{number}", text, text.map(lambda tags: tags or None)))
        fault = "left open" if number == left_open else draw(st.sampled_from(faults))
        cells = ["" if values[name] is None else str(values[name]) for name in HEADER]
        match fault:
            case "short":
                cells.pop()
            case "long":
                cells.append("x")
            case "tainted":
                cells[4] = TAINT
            case "mistyped":
                cells[1] = "many"
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerow(cells)
        row = out.getvalue()[:-1].encode().replace(TAINT.encode(), taint)
        row += b',"' if fault == "left open" else b""
        records.append(Written(values, f"line {line}", fault is None))
        line += 1 + row.count(b"\n")
        written += row.replace(b"\n", end) + end
    return File(f"{stem}.csv", written, records)


@st.composite
def json_lines(draw, stem: str) -> File:
    faults = ["torn", "noise", "mistyped", "NUL", "NaN", "twice", "deep"]
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
    lines, records, fault = [], [], None
    for number in range(draw(st.sampled_from([0, 1, 3, 6]))):
        values, before = draw(record(f"{stem}-{number}", TEXT, VALUES)), fault
        fault = draw(st.sampled_from([None, None, None, *faults]))
        if fault == "noise" and before == "torn":
            fault = None  # else it would be what the torn object goes on with
        text = json.dumps(values, ensure_ascii=draw(st.booleans()))
        match fault:
            case "torn":
                text = text[: draw(st.integers(1, len(text) - 1))]
            case "noise":
                text = draw(st.sampled_from(NOISE))
            case "mistyped":
                text = json.dumps(values | {"offered": "many"})
            case "NUL":
                text = json.dumps(values | {"tags": ["\0"]})
            case "NaN":
                text = json.dumps(values | {"tags": float("nan")})
            case "twice":
                text = text[:-1] + ', "tags": 1}'
            case "deep":
                text = json.dumps(values | {"tags": "deep"}).replace('"deep"', "[" * 500 + "]" * 500)
        records.append(Written(values, f"line {1 + number * (2 if end == end[0] * 2 else 1)}", fault is None))
        lines.append(text)
    is_unread = not lines or (None if any(not written.is_good for written in records) else False)
    return File(f"{stem}.jsonl", end.join(lines).encode(), records, is_unread)


@st.composite
def json_objects(draw, stem: str) -> File:
    """Records in an array or one behind the other, whole or cut."""
    records = [Written(draw(record(f"{stem}-{number}", TEXT, VALUES))) for number in range(draw(st.integers(1, 6)))]
    is_array = draw(st.booleans())
    between = draw(st.sampled_from([",", ",\n", " , "] if is_array else ["", " ", "\r", ","]))
    text = between.join(json.dumps(written.values, indent=draw(st.sampled_from([None, 2]))) for written in records)
    text = f"[{text}]" if is_array else text
    is_cut = is_array and draw(st.booleans())
    cut = draw(st.integers(1, len(text) - 1)) if is_cut else len(text)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    return File(f"{stem}.jsonl", text[:cut].encode(encoding), records, is_cut)


@st.composite
def files(draw) -> list[File]:
    """Some files, each as it is, compressed, or such that it is not read."""
    batch = []
    for number in range(draw(st.integers(2, 4))):
        file = draw(draw(st.sampled_from([csv_file, json_lines, json_objects]))(f"K{number}"))
        how = draw(
            st.sampled_from(["plain", "plain", "plain", "plain", "gz", "zip", "unfinished", "misnamed", "ahead"])
        )
        match how:
            case "gz" if file.content:
                file = replace(file, name=f"{file.name}.gz", content=gzip.compress(file.content))
            case "zip" if file.content:
                packed = io.BytesIO()
                with zipfile.ZipFile(packed, "w") as archive:
                    archive.writestr(file.name, file.content)
                file = replace(file, name=f"K{number}.zip", content=packed.getvalue())
            case "unfinished" | "misnamed":
                suffix = {"unfinished": ".part", "misnamed": ".txt"}[how]
                file = replace(file, name=file.name + suffix, is_unread=True)
            case "ahead":
                file = replace(file, name=f"ahead-{file.name}", is_unread=True)
        batch.append(file)
    # A file sent again is the delivery that it was.
    return list({file.content: file for file in batch}.values())


@pytest.fixture
def warehouse(database):
    _create(database, CALLS)
    return database


@given(files())
def test_every_record_is_published_or_refused_or_its_file_is_named(warehouse, tmp_path, batch):
    shutil.rmtree(tmp_path / "calls", ignore_errors=True)
    for file in batch:
        path = deliver(tmp_path, f"calls/{file.name}", file.content)
        if file.name.startswith("ahead"):
            os.utime(path, (4e9, 4e9))
    warehouse.execute("truncate audit.load, raw.hotline__call cascade")
    load = ledger.start_load(warehouse, CALLS, NIGHT, "fuzz")
    read = folder.read(CALLS, tmp_path, INTERVAL, SECRET)
    land(warehouse, load, read)
    ledger.record(warehouse, load, "validated")
    figures = publish.publish_load(warehouse, load)

    not_read = unread(read)
    for file in batch:
        name = f"calls/{file.name}"
        if file.is_unread is not None:
            assert (name in not_read) == file.is_unread
        check(warehouse, name, [] if name in not_read else file.records)
    taken = [file for file in batch if f"calls/{file.name}" not in not_read]
    assert sorted(read.deliveries.values()) == sorted(f"calls/{file.name}" for file in taken)
    assert figures.read == figures.published + figures.quarantined == sum(len(file.records) for file in taken)


def check(warehouse, name: str, written: list[Written]) -> None:
    """Look for each record of a file."""
    published = warehouse.execute(
        "select call_no, offered, caller, tags, place from raw.hotline__call where file_name = %s", [name]
    ).fetchall()
    refused = warehouse.execute(
        "select record ->> 'place' from quarantine.record where record ->> 'file_name' = %s", [name]
    ).fetchall()
    wanted = {w.values["Call No."]: w for w in written if w.is_good}
    assert {call_no: tuple(others) for call_no, *others, _ in published} == {
        key: (w.values["offered"], w.values["email"] and pseudonym(w.values["email"], SECRET), w.values["tags"])
        for key, w in wanted.items()
    }
    assert all(wanted[call_no].place in (None, place) for call_no, *_, place in published)
    assert Counter(place for (place,) in refused) == Counter(w.place for w in written if not w.is_good)
    assert len(published) + len(refused) == len(written)
