"""What lies in a drop folder: each file is read as it was when it was hashed, or named with the reason why it is not."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import socket
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests import survey_drop
from tests.drop_folder import COLUMNS, INTERVAL, NIGHT, NOON, SECRET, deliver, read, table, unread

from crw import ledger, publish
from crw.contracts import Bounds, Column, Layout
from crw.landing import land
from crw.sources import files, folder
from crw.warehouse import _create

HEADER = "Call No.,offered,email,tags\n"
CSV = HEADER + "K1,12,,\n"


def zipped(*names, content=CSV):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


def of_unknown_method():
    content = bytearray(zipped("k.csv"))
    for start in (content.index(b"PK\3\4") + 8, content.index(b"PK\1\2") + 10):
        content[start : start + 2] = (97).to_bytes(2, "little")
    return bytes(content)


def test_what_is_not_read_is_named_with_its_reason(tmp_path):
    for name, content in {
        "calls/good.csv": CSV,
        "calls/2013/below.csv": CSV + "K2,1,,\n",
        "calls/a.txt": CSV,
        "calls/a.csv.bz2": "BZh9",
        "calls/a.csv.part": CSV,
        "calls/.a.csv.Xd3f": CSV,
        "calls/empty.csv": "",
        "calls/folder.csv/inner.csv": CSV,
        "calls/two.zip": zipped("k.csv", "l.csv"),
        "calls/none.zip": "no zip",
        "calls/method.zip": of_unknown_method(),
        "calls/none.csv.gz": "no gzip",
        "calls/cut.csv.gz": gzip.compress(CSV.encode() * 99)[:-12],
    }.items():
        deliver(tmp_path, name, content)
    for passed_over in (
        ".DS_Store",
        "calls/Thumbs.db",
        "calls/~$a.csv",
        "calls/.~lock.a.csv#",
        "__MACOSX/calls/._a.csv",
    ):
        deliver(tmp_path, passed_over, "what a desktop leaves")
    deliver(tmp_path, "calls/ahead.csv", CSV, at=datetime.now(UTC) + timedelta(days=9))
    deliver(tmp_path, "calls/tomorrow.csv", CSV, at=INTERVAL.end)
    (tmp_path / "calls" / "out.csv").symlink_to(deliver(tmp_path.with_name("elsewhere"), "secret.csv", CSV))
    (tmp_path / "calls" / "in.csv").symlink_to("good.csv")
    (tmp_path / "calls" / "away").symlink_to("/")
    os.mkfifo(tmp_path / "calls" / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "calls" / "s.csv"))
        records, batch = read(table("calls/*.csv"), tmp_path)
    assert [record["call_no"] for record in records] == ["K1"]
    assert list(batch.deliveries.values()) == ["calls/good.csv"]
    no_pattern = "no pattern of hotline's tables matches: calls/*.csv"
    link = "a symbolic link, which is not followed"
    assert unread(batch) == {
        "calls/2013/below.csv": no_pattern,
        "calls/a.txt": no_pattern,
        "calls/a.csv.bz2": "packed in a way that is not read: send it as it is, as .gz, or as .zip of one file",
        "calls/a.csv.part": "still being written, by its name",
        "calls/.a.csv.Xd3f": "hidden, by its name",
        "calls/empty.csv": "it is empty",
        "calls/folder.csv": "no file but a folder",
        "calls/folder.csv/inner.csv": no_pattern,
        "calls/two.zip": "a zip of 2 files: send each by itself",
        "calls/none.zip": "it cannot be unpacked: BadZipFile",
        "calls/method.zip": "compressed by a method that is not known",
        "calls/none.csv.gz": "it cannot be unpacked: BadGzipFile",
        "calls/cut.csv.gz": "it cannot be unpacked: EOFError",
        "calls/ahead.csv": "its modification time lies ahead",
        "calls/out.csv": link,
        "calls/in.csv": link,
        "calls/away": link,
        "calls/pipe.csv": "no file but a FIFO",
        "calls/s.csv": "no file but a socket",
    }


def test_a_file_of_another_table_of_the_source_is_that_tables(tmp_path):
    deliver(tmp_path, "events/a.jsonl", "{}")
    _, batch = read(table("calls/*.csv"), tmp_path, layouts=[Layout("events/*.jsonl")])
    assert batch.unread == []


def test_what_may_not_be_opened_is_named(tmp_path, monkeypatch):
    drop, room = tmp_path / "drop", tmp_path / "scratch"
    deliver(drop, "good.csv", CSV)
    deliver(drop, "shut.csv", CSV).chmod(0)
    deliver(drop, "shut/a.csv", CSV).parent.chmod(0)
    room.mkdir()
    monkeypatch.setenv("CRW_SCRATCH", str(room))
    for path, mode in ((room, 0o777), *((above, 0o755) for above in (tmp_path, *tmp_path.parents[:3]))):
        path.chmod(mode)
    read(table("good.csv"), drop)  # what Python imports on first use may lie where root alone may look
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may open anything
    try:
        records, batch = read(table("**/*.csv"), drop)
    finally:
        os.seteuid(user)
        (drop / "shut").chmod(0o700)
    assert len(records) == 1
    assert unread(batch) == {
        "shut": "a folder that cannot be opened: Permission denied",
        "shut.csv": "it cannot be opened: Permission denied",
    }


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("熱線.csv".encode("big5"), "熱線.csv"),
        ("熱線.csv".encode(), "熱線.csv"),
        (b"caf\xe9.csv", r"caf\xe9.csv"),
        (b"a\nb\tc\x1b[31m.csv", r"a\nb\tc\x1b[31m.csv"),
        ("a\u202evsc.csv".encode(), r"a\u202evsc.csv"),
        (b"""it's "so" [bold].csv""", """it's "so" [bold].csv"""),
        (b"n" * 251 + b".csv", "n" * 251 + ".csv"),
        (b"\xff" * 251 + b".csv", r"\xff" * 251 + ".csv"),
    ],
)
def test_a_file_is_read_whatever_it_is_called(tmp_path, name, printed):
    where = tmp_path / "calls"
    where.mkdir()
    path = os.fsencode(where) + b"/" + name
    Path(os.fsdecode(path)).write_text(CSV)
    os.utime(path, (NOON.timestamp(),) * 2)
    (record,), batch = read(table("*/*.csv", (*COLUMNS, Column("file_name", "text", provenance=True))), tmp_path)
    assert record["file_name"] == f"calls/{printed}"
    assert list(batch.deliveries.values()) == [f"calls/{printed}"]


def test_a_name_that_is_no_text_reaches_raw_and_the_ledger(database, tmp_path):
    contract = table("*.csv", (*COLUMNS, Column("file_name", "text", provenance=True)))
    _create(database, contract)
    path = os.fsencode(tmp_path) + b"/\xff\n.csv"
    Path(os.fsdecode(path)).write_text(CSV)
    os.utime(path, (NOON.timestamp(),) * 2)
    load = ledger.start_load(database, contract, NIGHT, "test")
    land(database, load, folder.read(contract, tmp_path, load.interval, SECRET))
    ledger.record(database, load, "validated")
    assert publish.publish_load(database, load).published == 1
    assert database.execute("select file_name from raw.hotline__call").fetchall() == [(r"\xff\n.csv",)]
    assert database.execute("select deliveries from audit.load").fetchone()[0].popitem()[1] == r"\xff\n.csv"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("calls/a.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("calls/A.CSV.GZ", gzip.compress(CSV.encode(), mtime=0)),
        ("calls/a.csv.zip", zipped("other.txt")),
        ("calls/a.zip", zipped("some/", "some/a.csv", "__MACOSX/some/._a.csv")),
    ],
)
def test_a_compressed_file_is_read_as_the_one_it_holds(tmp_path, name, content):
    deliver(tmp_path, name, content)
    records, batch = read(table("calls/*.csv"), tmp_path)
    assert [record["offered"] for record in records] == ["12"]
    assert batch.deliveries == {hashlib.sha256(content).hexdigest(): name}
    assert batch.unread == []


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zip", "a.csv"])
def test_a_file_that_is_larger_than_its_bound_is_not_read(tmp_path, name):
    text = HEADER + "K1,1,,\n" * 10_000
    pack = {"a.csv.gz": gzip.compress(text.encode()), "a.csv.zip": zipped("a.csv", content=text), "a.csv": text}
    deliver(tmp_path, name, pack[name])
    deliver(tmp_path, "good.csv", CSV)
    records, batch = read(replace(table("*.csv"), bounds=Bounds(bytes=5_000)), tmp_path)
    assert len(records) == 1
    assert unread(batch) == {name: "more than 5,000 bytes, as its contract bounds it"}
    assert list(batch.deliveries.values()) == ["good.csv"]


def test_what_is_due_beyond_the_bound_comes_the_next_night(tmp_path):
    for day in range(3):
        deliver(tmp_path, f"{day}.csv", CSV + f"K{day},,,\n", at=NOON - timedelta(days=day))
    contract = replace(table("*.csv"), bounds=Bounds(files=2))
    _, batch = read(contract, tmp_path)
    assert list(batch.deliveries.values()) == ["2.csv", "1.csv"]
    assert unread(batch) == {"0.csv": "more than 2 are due: it comes the next night"}
    assert list(read(contract, tmp_path, published=batch.deliveries)[1].deliveries.values()) == ["0.csv"]


@pytest.mark.parametrize("change", ["cut", "grown", "gone", "a link"])
def test_a_file_that_changes_before_it_is_read_comes_the_next_night(tmp_path, change):
    path = deliver(tmp_path, "drop/a.csv", HEADER + "".join(f"K{i},1,,\n" for i in range(100)))
    deliver(tmp_path, "drop/b.csv", CSV)
    batch = folder.read(table("*.csv"), tmp_path / "drop", INTERVAL, SECRET)
    match change:
        case "cut":
            os.truncate(path, 90)
        case "grown":
            path.write_text(path.read_text() + "K100,1,,\n")
        case _:
            path.rename(tmp_path / "moved")
            if change == "a link":
                path.symlink_to(tmp_path / "moved")
    assert len(list(batch.blocks)) == 1
    assert list(batch.deliveries.values()) == ["b.csv"]
    reason = {"gone": "it cannot be opened: No such file", "a link": "it cannot be opened: Too many levels"}
    assert unread(batch)["a.csv"].startswith(reason.get(change, "it was changed while it was read"))
    if change in ("cut", "grown"):
        os.utime(path, (NOON.timestamp(),) * 2)
        records, _ = read(table("*.csv"), tmp_path / "drop", published=batch.deliveries)
        assert len(records) == {"cut": 9, "grown": 101}[change]


def test_a_file_that_is_cut_while_its_rows_go_out_is_read_as_it_was(tmp_path):
    path = deliver(tmp_path, "a.csv", HEADER + "".join(f"K{i},1,,\n" for i in range(50_000)))
    batch = folder.read(table("*.csv"), tmp_path, INTERVAL, SECRET)
    blocks = iter(batch.blocks)
    next(blocks)
    os.truncate(path, 90)
    assert sum(1 for _ in blocks) == 49_999


def test_a_survey_file_may_be_compressed_beside_its_code_book(tmp_path):
    content = survey_drop.csv_of(survey_drop.GOOD)
    survey_drop.deliver(tmp_path, gzip.compress(content.encode()), "wave.csv.gz")
    survey_drop.deliver(tmp_path, zipped("wave.csv", content=content), "wave.zip")
    rows, rejected = survey_drop.respondents(tmp_path)
    assert [row["answers"] for row in rows] == [["3", "2"]] * 2
    assert rejected == []


def test_what_of_a_survey_is_not_read_is_named(tmp_path):
    survey_drop.deliver(tmp_path, survey_drop.csv_of(survey_drop.GOOD), "good.csv")
    survey_drop.deliver(tmp_path, survey_drop.csv_of("2,1,,1,1,1,"), "alone.csv").with_name(
        "alone.csv.codebook.yml"
    ).unlink()
    survey_drop.deliver(tmp_path, survey_drop.csv_of("3,1,,1,1,1,"), "gone.csv").unlink()
    survey_drop.deliver(tmp_path, b"", "empty.csv")
    survey_drop.deliver(tmp_path, gzip.compress(b"x")[:-9], "cut.csv.gz")
    (tmp_path / "wave.csv").mkdir()
    (tmp_path / "link.csv").symlink_to("good.csv")
    batch = files.read(survey_drop.RESPONDENT, tmp_path, survey_drop.NIGHT)
    assert len(survey_drop.rows_of(batch)) == 1
    assert unread(batch) == {
        "alone.csv": "no code book alone.csv.codebook.yml beside it",
        "gone.csv.codebook.yml": "a code book without its data file",
        "empty.csv": "it is empty",
        "cut.csv.gz": "it cannot be unpacked: EOFError",
        "wave.csv": "no file but a folder",
        "link.csv": "a symbolic link, which is not followed",
    }


def test_a_survey_file_that_is_cut_before_it_is_read_comes_the_next_night(tmp_path):
    path = survey_drop.deliver(tmp_path, survey_drop.csv_of(survey_drop.GOOD, "2,1,,1,1,1,"))
    batch = files.read(survey_drop.RESPONDENT, tmp_path, survey_drop.NIGHT)
    path.write_text(survey_drop.csv_of(survey_drop.GOOD))
    assert survey_drop.rows_of(batch) == []
    assert batch.deliveries == {}
    assert unread(batch) == {"wave.csv": "it was changed while it was read"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", gzip.compress(CSV.encode()), "its content is gzip"),
        ("a.csv", zipped("a.csv"), "its content is a ZIP archive or a workbook"),
        ("a.csv.gz", gzip.compress(b"%PDF-1.7"), "its content is a PDF"),
        ("a.csv", "\ufeff\n <!DOCTYPE html><p>Sign in, please.", "its content is a page of HTML"),
        ("a.jsonl", "<?xml version='1.0'?>", "its content is XML"),
        ("a.xlsx", CSV, "it is no XLSX workbook: File is not a zip file"),
        ("a.xlsx", zipped("a.csv"), "it cannot be read: calamine error: Xlsx error: File not found '_rels/.rels'"),
    ],
    ids=["gzip", "zip", "PDF in gzip", "HTML", "XML", "CSV", "another zip"],
)
def test_what_is_not_of_the_kind_its_name_says_is_named_and_stops_nothing(tmp_path, name, content, reason):
    deliver(tmp_path, name, content)
    deliver(tmp_path, "b.csv", CSV)
    good, batch = read(table("*.csv"), tmp_path, layouts=[Layout("*.jsonl"), Layout("*.xlsx")])
    if name.endswith(("l", "x")):
        _, batch = read(table(f"*{Path(name).suffix}"), tmp_path, layouts=[Layout("*.csv")])
    assert [record["call_no"] for record in good] == ["K1"]
    assert unread(batch) == {name: reason}
    assert name not in batch.deliveries.values()
