"""The files reader, on real files in every format: what is due, what is refused whole, and that no row is ever lost."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from datetime import date, datetime

import openpyxl
import pandas
import psycopg
import pyreadstat
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crw import contracts
from crw.contracts import ContractError
from crw.settings import HONG_KONG
from crw.sources import Interval, files

RESPONDENT = contracts.table("survey", "respondent")
NIGHT = Interval(datetime(2011, 2, 9, tzinfo=HONG_KONG), datetime(2011, 2, 11, tzinfo=HONG_KONG))
BEFORE = datetime(2011, 2, 10, 18, tzinfo=HONG_KONG)
BOOK = {
    "wave": "2010",
    "format": "csv",
    "period": {"basis": "calendar_year", "start": date(2010, 1, 1), "end": date(2010, 12, 31)},
    "eligible_sample": 100,
    "respondent": {
        "id": "ID",
        "weight": "WT",
        "interviewed_on": {"column": "DT", "format": "%d/%m/%Y"},
        "language": {"column": "LANG", "codes": {1: "en", 2: "tc"}},
    },
    "questions": [
        {"code": "overall", "column": "Q1", "text": "?", "scale": "rating", "valid": [1, 2, 3], "top": [2, 3]},
        {"code": "counter", "column": "Q2", "text": "?", "scale": "rating", "valid": [1, 2, 3], "top": [2, 3]},
    ],
    "ignored": ["NOTE*"],
}
HEADER = "ID,WT,DT,LANG,Q1,Q2,NOTE"


def deliver(folder, content, name="wave.csv", at=BEFORE, **changes):
    """Put a delivery into the drop folder: bytes as they are, text in UTF-8, anything else already written."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    book = path.with_name(path.name + ".codebook.yml")
    book.write_text(yaml.safe_dump(BOOK | changes), encoding="utf-8")
    for written in (path, book):
        os.utime(written, (at.timestamp(), at.timestamp()))
    return path


def respondents(folder, **arguments):
    """The rows read, as dicts with parsed answers, and the rejections."""
    batch = files.read(RESPONDENT, folder, NIGHT, **arguments)
    text = b"".join(batch.blocks).decode()
    rows = [dict(zip(RESPONDENT.column_names, row, strict=True)) for row in csv.reader(io.StringIO(text, newline=""))]
    for row in rows:
        row["answers"] = json.loads(row["answers"])
    return rows, batch.rejected


def csv_of(*lines, end="\n"):
    return end.join([HEADER, *lines]) + end


GOOD = "1,0.5,05/11/2010,1,3,2,fine"


def test_a_row_comes_out_in_the_contracts_columns(tmp_path):
    deliver(tmp_path, csv_of(GOOD), "2010/wave.csv")
    (row,), rejected = respondents(tmp_path)
    assert rejected == []
    assert len(row.pop("delivery_id")) == 64
    assert row == {
        "respondent_id": "1",
        "interviewed_on": "2010-11-05",
        "weight": "0.5",
        "is_weighted": "true",
        "is_complete": "true",
        "segment": "",
        "language": "en",
        "district_code": "",
        "answers": {"overall": "3", "counter": "2"},
        "delivered_at": "2011-02-10T18:00:00+08:00",
    }


def test_an_empty_folder_is_an_empty_batch(tmp_path):
    for table in contracts.sources()["survey"]:
        batch = files.read(table, tmp_path, NIGHT)
        assert (list(batch.blocks), batch.rejected, batch.deliveries) == ([], [], {})


def test_a_file_without_rows_is_an_empty_delivery(tmp_path):
    deliver(tmp_path, HEADER)
    assert respondents(tmp_path) == ([], [])
    assert len(files.read(RESPONDENT, tmp_path, NIGHT).deliveries) == 1


def test_only_what_arrived_before_the_end_of_the_interval_is_due(tmp_path):
    deliver(tmp_path, csv_of(GOOD), "old.csv", at=datetime(2001, 1, 1, tzinfo=HONG_KONG))
    deliver(tmp_path, csv_of(GOOD, GOOD), "at_the_end.csv", at=NIGHT.end)
    assert list(files.read(RESPONDENT, tmp_path, NIGHT).deliveries.values()) == ["old.csv"]


def test_a_file_sent_twice_is_one_delivery_and_a_corrected_one_another(tmp_path):
    deliver(tmp_path, csv_of(GOOD), "b/wave.csv", at=datetime(2011, 1, 1, tzinfo=HONG_KONG))
    deliver(tmp_path, csv_of(GOOD), "a/wave.csv")
    deliver(tmp_path, csv_of(GOOD, GOOD), "c/wave.csv")
    batch = files.read(RESPONDENT, tmp_path, NIGHT)
    assert list(batch.deliveries.values()) == ["b/wave.csv", "c/wave.csv"]
    first, second = batch.deliveries
    assert list(files.read(RESPONDENT, tmp_path, NIGHT, published=frozenset([first])).deliveries) == [second]


def test_a_changed_code_book_makes_another_delivery(tmp_path):
    deliver(tmp_path, csv_of(GOOD), "a.csv")
    deliver(tmp_path, csv_of(GOOD), "b.csv", eligible_sample=101)
    assert len(files.read(RESPONDENT, tmp_path, NIGHT).deliveries) == 2


def test_delivery_and_question_rows_have_the_contracts_fields(tmp_path):
    deliver(tmp_path, csv_of(GOOD))
    (delivery,) = map(json.loads, files.read(contracts.table("survey", "delivery"), tmp_path, NIGHT).blocks)
    assert delivery["wave_code"] == "2010"
    assert (delivery["encoding"], delivery["eligible_sample"], delivery["fieldwork_start"]) == ("utf-8", 100, None)
    questions = list(map(json.loads, files.read(contracts.table("survey", "question"), tmp_path, NIGHT).blocks))
    assert [(q["question_code"], q["column_name"], q["top_codes"]) for q in questions] == [
        ("overall", "Q1", ["2", "3"]),
        ("counter", "Q2", ["2", "3"]),
    ]


def test_a_data_file_without_a_code_book_fails_the_load(tmp_path):
    deliver(tmp_path, csv_of(GOOD)).with_name("wave.csv.codebook.yml").unlink()
    with pytest.raises(ContractError, match=r"wave\.csv: no code book wave\.csv\.codebook\.yml beside it"):
        files.read(RESPONDENT, tmp_path, NIGHT)


def test_a_code_book_without_its_data_file_fails_the_load(tmp_path):
    deliver(tmp_path, csv_of(GOOD)).unlink()
    with pytest.raises(ContractError, match=r"wave\.csv\.codebook\.yml: a code book without its data file"):
        files.read(RESPONDENT, tmp_path, NIGHT)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("ID,WT,DT,LANG,Q1,NOTE", "wave.csv: column Q2 is in the code book but not in the file"),
        ("ID,WT,DT,LANG,Q1,Q2,Q1", "wave.csv: column Q1 is there 2 times"),
        ("ID,WT,DT,LANG,Q1,Q2,PHONE", "wave.csv: column PHONE is neither in the code book nor listed under `ignored`"),
        ("", "wave.csv: no header in row 1"),
    ],
)
def test_columns_that_do_not_match_fail_the_load(tmp_path, header, message):
    deliver(tmp_path, header + "\n" + GOOD)
    with pytest.raises(ContractError, match=message.replace(".", r"\.")):
        files.read(RESPONDENT, tmp_path, NIGHT)


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("2,abc,05/11/2010,1,3,2,", "weight", "line 3: WT is not a number: 'abc'"),
        ("2,NaN,05/11/2010,1,3,2,", "weight", "line 3: WT is not a number: 'NaN'"),
        ("2,,05/11/2010,1,3,2,", "weight", "line 3: WT is not a number: None"),
        (",1,05/11/2010,1,3,2,", "respondent_id", "line 3: ID must name the respondent: None"),
        ("2,1,30/02/2010,1,3,2,", "interviewed_on", "line 3: DT is not a date written as %d/%m/%Y: '30/02/2010'"),
        ("2,1,05/11/10,1,3,2,", "interviewed_on", "line 3: DT is not a date written as %d/%m/%Y: '05/11/10'"),
        ("2,1,05/11/2010,5,3,2,", "language", "line 3: LANG has a code the code book lacks: '5'"),
        ("2,1,05/11/2010,1,3", None, "line 3: fewer than 7 fields"),
        ("2,1,05/11/2010,1,3,2,a,b", None, "line 3: at least 8 fields instead of 7"),
        ("2,1,05/11/2010,1,3,2,\0", None, "line 3: bytes that are not utf-8"),
        ('2,1,05/11/2010,1,3,2,"never closed', None, "line 3: a quote is opened and never closed"),
        ('2,1,05/11/2010,1,3,2,"x"y', None, "line 3: not CSV: unquoted value"),
    ],
)
def test_a_bad_row_is_refused_alone_and_by_line(tmp_path, line, column, reason):
    deliver(tmp_path, csv_of(GOOD, line, "3,1,,2,1,1,", '4,1,,2,1,1,"q"'))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "3", "4"]
    assert rejection.reason == f"wave.csv, {reason}"
    assert rejection.column == column


def test_a_refused_row_is_kept_in_the_contracts_columns_without_the_ignored_ones(tmp_path):
    deliver(tmp_path, csv_of("2,abc,05/11/2010,1,3,2,my secret", "3,1,,2,1,1,a secret,too many"))
    _, rejected = respondents(tmp_path)
    by_column = {rejection.column: rejection.record for rejection in rejected}
    assert set(by_column["weight"]) == set(RESPONDENT.column_names)
    assert by_column["weight"]["weight"] == "abc"
    assert by_column["weight"]["answers"] == {"overall": "3", "counter": "2"}
    assert by_column[None]["place"] == "line 3"
    assert "secret" not in str(rejected)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_bom_quotes_and_empty_lines(tmp_path, end, bom):
    lines = [GOOD, '2,1,,2,"1","2","a ""quoted"" word, and' + end + 'a second line"', "", '3,1,,2,,"",']
    deliver(tmp_path, bom + csv_of(*lines, "bad", "", "", end=end))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "2", "3"]
    assert rows[2]["answers"] == {"overall": None, "counter": None}
    assert rejection.reason == "wave.csv, line 7: fewer than 7 fields"


def test_line_ends_may_be_mixed(tmp_path):
    deliver(tmp_path, HEADER + '\r\n1,1,,1,1,1,\n2,1,,1,1,1,"a\nb"\r\n3,1,,1,1,1,\r\n')
    rows, rejected = respondents(tmp_path)
    assert ([row["respondent_id"] for row in rows], rejected) == (["1", "2", "3"], [])


def test_several_unclosed_quotes_cost_their_own_rows_only(tmp_path):
    broken = [f'{n},1,,1,1,1,"open' for n in (2, 5, 9)]
    deliver(tmp_path, csv_of(GOOD, broken[0], "3,1,,1,1,1,", broken[1], '6,1,,1,1,1,"x"', broken[2], "10,1,,1,1,1,"))
    rows, rejected = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "3", "6", "10"]
    assert [rejection.record["place"] for rejection in rejected] == ["line 3", "line 5", "line 7"]


def test_a_file_that_is_all_unclosed_quotes_fails_the_load(tmp_path):
    deliver(tmp_path, csv_of(*(f'{n},1,,1,1,1,"open' for n in range(60))))
    with pytest.raises(ContractError, match=r"wave\.csv: more than 50 quotes are never closed"):
        respondents(tmp_path)


def test_big5_hkscs_rows_survive_and_one_bad_byte_costs_one_row(tmp_path):
    # 功 許 蓋 end in a backslash byte and 育 in a pipe; 嘅 咗 埗 邨 啓 exist in HKSCS only.
    notes = ["功許蓋育嘅咗埗邨啓", "好"]
    lines = [f"{n},1,,1,３ ,2.0,{note}" for n, note in enumerate(notes)]
    content = csv_of(*lines, "7,1,,1,1,1,@", "8,1,,1,1,1,").encode("big5hkscs").replace(b"@", b"\xfe")
    book = {
        "encoding": "big5hkscs",
        "questions": [BOOK["questions"][0], {**BOOK["questions"][1], "column": "NOTE", "code": "note"}],
    }
    deliver(tmp_path, content, **book, ignored=["Q2"])
    rows, (rejection,) = respondents(tmp_path)
    assert [row["answers"]["note"] for row in rows] == [*notes, None]
    assert rows[0]["answers"]["overall"] == "3"
    assert rejection.reason == "wave.csv, line 4: bytes that are not big5hkscs"
    assert rejection.record["answers"]["note"] == r"\xfe"


def test_preamble_delimiter_and_several_id_columns(tmp_path):
    respondent = {"id": ["AREA", "ID"], "interviewed_on": {"column": "DT", "codes": {1: date(2010, 9, 7), 15: None}}}
    content = 'title;\n"a\nb";\nAREA;ID;DT;Q1;Q2\nN;1;1;1.0;2\nN;2;15;1;\nN;3;2;1;1\n'
    deliver(tmp_path, content, delimiter=";", header_row=3, respondent=respondent, ignored=[])
    rows, (rejection,) = respondents(tmp_path)
    assert [(r["respondent_id"], r["interviewed_on"], r["weight"], r["is_weighted"]) for r in rows] == [
        ("N-1", "2010-09-07", "1", "false"),
        ("N-2", "", "1", "false"),
    ]
    assert rows[0]["answers"] == {"overall": "1", "counter": "2"}
    assert rejection.reason == "wave.csv, line 7: DT has a code the code book lacks: '2'"


def test_xlsx(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.create_sheet("Data")
    sheet.append([])
    sheet.append([*HEADER.split(","), "NOTE2"])
    sheet.append([1, 1.25, date(2010, 11, 5), 1, 3, "2 ", "x"])
    sheet.append([])
    sheet.append(["2", "n/a", datetime(2010, 11, 5, 0, 0), 2.0, 3, 2])
    sheet.append([3, 1, None, None, None, "NA"])
    workbook.save(tmp_path / "wave.xlsx")
    respondent = {**BOOK["respondent"], "interviewed_on": {"column": "DT"}}
    deliver(tmp_path, None, "wave.xlsx", format="xlsx", sheet="Data", header_row=2, respondent=respondent)
    rows, (rejection,) = respondents(tmp_path)
    assert [(r["respondent_id"], r["weight"], r["interviewed_on"], r["language"]) for r in rows] == [
        ("1", "1.25", "2010-11-05", "en"),
        ("3", "1", "", ""),
    ]
    assert [r["answers"] for r in rows] == [{"overall": "3", "counter": "2"}, {"overall": None, "counter": "NA"}]
    assert rejection.reason == "wave.xlsx, row 5: WT is not a number: 'n/a'"


def test_sav(tmp_path):
    frame = pandas.DataFrame(
        {"ID": [1.0, 2.0, None], "WT": [0.75, 1.0, 1.0], "DT": [date(2010, 11, 5), None, None], "LANG": [1.0, 2.0, 2.0],
         "Q1": [3.0, 9.0, 1.0], "Q2": ["2", "", "1"]}
    )  # fmt: skip
    labels = {"Q1": {3.0: "very satisfied", 9.0: "not applicable"}}
    pyreadstat.write_sav(frame, tmp_path / "wave.sav", variable_value_labels=labels, missing_ranges={"Q1": [9]})
    respondent = {**BOOK["respondent"], "interviewed_on": {"column": "DT"}}
    deliver(tmp_path, None, "wave.sav", format="sav", respondent=respondent)
    rows, (rejection,) = respondents(tmp_path)
    assert [(r["respondent_id"], r["weight"], r["interviewed_on"], r["language"]) for r in rows] == [
        ("1", "0.75", "2010-11-05", "en"),
        ("2", "1", "", "tc"),
    ]
    # The code, not its label, and also where SPSS declares it missing.
    assert [r["answers"] for r in rows] == [{"overall": "3", "counter": "2"}, {"overall": "9", "counter": None}]
    assert rejection.reason == "wave.sav, case 3: ID must name the respondent: None"


@pytest.mark.parametrize("name", ["wave.xlsx", "wave.sav"])
def test_a_file_that_is_not_in_its_format_fails_the_load(tmp_path, name):
    deliver(tmp_path, csv_of(GOOD), name, format=name.rsplit(".", 1)[1])
    with pytest.raises(ContractError, match=r"wave\.(xlsx|sav): "):
        files.read(RESPONDENT, tmp_path, NIGHT)


def test_postgresql_takes_the_blocks_as_they_are(tmp_path, database: psycopg.Connection):
    note = {"code": "note", "column": "NOTE", "text": "?", "scale": "category", "valid": ["x"]}
    deliver(
        tmp_path,
        csv_of(GOOD, '2,1e-3,,2,,"0","back\\slash, ""quote"" and\nnew line 😀"'),
        questions=[*BOOK["questions"], note],
        ignored=[],
    )
    columns = ", ".join(RESPONDENT.column_names)
    with (
        database.cursor() as cursor,
        cursor.copy(f"copy landing.survey__respondent ({columns}) from stdin (format csv)") as copy,
    ):
        for block in files.read(RESPONDENT, tmp_path, NIGHT).blocks:
            copy.write(block)
    rows = database.execute(
        "select respondent_id, weight, interviewed_on, segment, answers from landing.survey__respondent order by 1"
    ).fetchall()
    assert rows[0][2:4] == (date(2010, 11, 5), None)
    assert (float(rows[1][1]), rows[1][2]) == (0.001, None)
    assert rows[1][4] == {"overall": None, "counter": "0", "note": 'back\\slash, "quote" and\nnew line 😀'}


def test_a_reader_that_stops_early_leaves_nothing_behind(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    deliver(tmp_path / "drop", csv_of(*(f"{n},1,,1,1,1," for n in range(50_000))))
    blocks = files.read(RESPONDENT, tmp_path / "drop", NIGHT).blocks
    assert next(blocks)
    blocks.close()
    assert list(scratch.iterdir()) == []


CELL = st.text(st.sampled_from('1a,"\n\r 嘅\0'), max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, st.booleans()), max_size=12))
def test_no_row_that_was_written_is_ever_lost(tmp_path_factory, cells):
    """Rows with any quoting are either read or refused, one for one; a broken line costs nothing but itself."""
    folder = tmp_path_factory.mktemp("drop")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for number, (answer, note, is_broken) in enumerate(cells):
        if is_broken:
            text.write(f"{number},1\n")
        else:
            writer.writerow([number, 1, "", 1, answer, 1, note])
    deliver(folder, HEADER + "\n" + text.getvalue())
    rows, rejected = respondents(folder)
    assert len(rows) + len(rejected) == len(cells)
    fit = [str(n) for n, (a, note, is_broken) in enumerate(cells) if not is_broken and "\0" not in a + note]
    assert [row["respondent_id"] for row in rows] == fit
    shutil.rmtree(folder)
