"""XLSX and SPSS files, as their own libraries write them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from zipfile import ZipFile

import openpyxl
import pandas
import pyreadstat
import pytest
from openpyxl.worksheet.formula import ArrayFormula
from tests.survey_drop import BOOK, GOOD, HEADER, NIGHT, RESPONDENT, csv_of, deliver, respondents, rows_of

from crw.contracts import Bounds, ContractError
from crw.sources import Unread, files


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
    assert [r["answers"] for r in rows] == [["3", "2"], [None, "NA"]]
    assert rejection.reason == "wave.xlsx, row 5: WT is not a number: 'n/a'"


def test_sav(tmp_path):
    frame = pandas.DataFrame(
        {"ID": [1.0, 2.0, None], "WT": [0.75, 1.0, 1.0], "DT": [date(2010, 11, 5), None, None], "LANG": [1.0, 2.0, 2.0],
         "Q1": [3.0, 9.0, 1.0], "Q2": ["2", "", "1"]}
    )  # fmt: skip
    labels = {"Q1": {3.0: "very satisfied", 9.0: "not applicable"}}
    pyreadstat.write_sav(frame, tmp_path / "wave.sav", variable_value_labels=labels, missing_ranges={"Q1": [9]})
    respondent = {**BOOK["respondent"], "interviewed_on": {"column": "DT"}}
    overall, counter = BOOK["questions"]
    questions = [{**overall, "not_applicable": [9]}, counter]
    deliver(tmp_path, None, "wave.sav", format="sav", respondent=respondent, questions=questions)
    rows, (rejection,) = respondents(tmp_path)
    assert [(r["respondent_id"], r["weight"], r["interviewed_on"], r["language"]) for r in rows] == [
        ("1", "0.75", "2010-11-05", "en"),
        ("2", "1", "", "tc"),
    ]
    # The code, not its label, and also where SPSS declares it missing.
    assert [r["answers"] for r in rows] == [["3", "2"], ["9", None]]
    assert rejection.reason == "wave.sav, case 3: ID must name the respondent: None"


def test_a_date_that_no_calendar_has_costs_its_case_alone(tmp_path):
    days = [13_500_000_000.0, 1e15, -1e300, None, 0.0]
    frame = pandas.DataFrame(
        {"ID": [1.0, 2, 3, 4, 5], "DT": days, "AT": [13_500_003_600.5, 1e15, 1, 1, 1], "Q1": [1.0] * 5}
    )
    pyreadstat.write_sav(frame, tmp_path / "wave.sav", variable_format={"DT": "DATE11", "AT": "DATETIME23"})
    book = {"respondent": {"id": ["ID", "AT"], "interviewed_on": {"column": "DT"}}, "questions": BOOK["questions"][:1]}
    deliver(tmp_path, None, "wave.sav", format="sav", **book)
    rows, rejected = respondents(tmp_path)
    assert [(row["respondent_id"], row["interviewed_on"]) for row in rows] == [
        ("1-2010-08-01 01:00:00.500000", "2010-08-01"),
        ("4-1582-10-14 00:00:01", ""),
    ]
    assert [rejection.reason.partition(": ")[0] for rejection in rejected] == [f"wave.sav, case {n}" for n in (2, 3, 5)]
    assert rejected[0].reason.endswith("'1e+15 seconds'")


def test_a_row_with_an_error_is_refused_by_row_and_column(tmp_path):
    workbook = openpyxl.Workbook()
    for row in ([*HEADER.split(",")], [1, 1, None, 1, 3, 2], [], [2, 1, None, 1, "#N/A", "#DIV/0!"],
                [3, 1, None, 1, 3, 2, "#REF!"], [4, 1, None, 5, 1, 1]):  # fmt: skip
        workbook.active.append([None, *row])
    workbook.save(tmp_path / "wave.xlsx")
    deliver(tmp_path, None, "wave.xlsx", format="xlsx")
    rows, rejected = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "3"]
    assert [rejection.reason for rejection in rejected] == [
        "wave.xlsx, row 4: Q1 is #N/A, Q2 is #DIV/0!",
        "wave.xlsx, row 6: LANG has a code the code book lacks: '5'",
    ]


def test_a_blank_sheet_has_no_header(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.title = "Cover"
    workbook.create_sheet("Data").append(HEADER.split(","))
    workbook.save(tmp_path / "wave.xlsx")
    deliver(tmp_path, None, "wave.xlsx", format="xlsx")
    with pytest.raises(ContractError, match=r"wave\.xlsx: no header in row 1 of the sheet Cover"):
        files.read(RESPONDENT, tmp_path, NIGHT)


@pytest.mark.parametrize("name", ["wave.xlsx", "wave.sav"])
def test_a_file_that_is_not_in_its_format_is_named_and_stops_nothing(tmp_path, name):
    deliver(tmp_path, csv_of(GOOD), name, format=name.rsplit(".", 1)[1])
    deliver(tmp_path, csv_of(GOOD), "good.csv")
    batch = files.read(RESPONDENT, tmp_path, NIGHT)
    assert [row["respondent_id"] for row in rows_of(batch)] == ["1"]
    assert {file.file_name for file in batch.unread} == {name}
    assert "it is no " in batch.unread[0].reason


def test_a_sheet_that_is_not_read_is_named_where_it_has_values(tmp_path):
    book = book_of([1, 1, None, 1, 3, 2])
    book.create_sheet("Blank").append([" "])
    book.create_sheet("Wave 2").append([*HEADER.split(",")])
    book.create_chartsheet("Chart")
    book.save(tmp_path / "wave.xlsx")
    deliver(tmp_path, None, "wave.xlsx", format="xlsx")
    batch = files.read(RESPONDENT, tmp_path, NIGHT)
    assert len(rows_of(batch)) == 1
    assert batch.unread == [Unread("wave.xlsx, sheet Wave 2", "it has values, and its code book names another sheet")]


def reasons(table, folder):
    """Why the only delivery of the folder is not read."""
    batch = files.read(table, folder, NIGHT)
    assert (list(batch.blocks), batch.deliveries) == ([], {})
    return [file.reason for file in batch.unread]


def respondents_of(tmp_path, book, name="wave.xlsx", **changes):
    book.save(tmp_path / name)
    deliver(tmp_path, None, name, format="xlsx", **changes)
    return respondents(tmp_path)


def book_of(*rows):
    book = openpyxl.Workbook()
    for row in ([*HEADER.split(",")], *rows):
        book.active.append(row)
    return book


def test_a_formula_that_was_never_calculated_is_refused_and_a_calculated_nothing_is_none(tmp_path):
    book = book_of([1, 1, None, 1, "=E3", 2], [2, 1, None, 1, 3, 2], [3, 1, None, 1, 3, 3], [4, 1, None, 1, 3, 1])
    book.active["F3"] = ArrayFormula("F3:F4", "=E3:E4")
    book.save(tmp_path / "made.xlsx")
    empty = {b'<c r="E5" t="n"><v>3</v></c>': b'<c r="E5" t="str"><f>""</f><v></v></c>',
             b'<c r="F4" t="n"><v>3</v></c>': b""}  # fmt: skip
    rewrite(tmp_path / "made.xlsx", tmp_path / "wave.xlsx", empty)
    (tmp_path / "made.xlsx").unlink()
    deliver(tmp_path, None, "wave.xlsx", format="xlsx")
    rows, rejected = respondents(tmp_path)
    assert [row["answers"] for row in rows] == [[None, "1"]]
    assert [rejection.reason for rejection in rejected] == [
        f"wave.xlsx, row {row}: {column} is a formula without a value"
        for row, column in ((2, "Q1"), (3, "Q2"), (4, "Q2"))
    ]


def rewrite(source, target, changes, part="xl/worksheets/sheet1.xml"):
    """A copy of a workbook with bytes of one of its parts replaced."""
    with ZipFile(source) as made, ZipFile(target, "w") as written:
        for name in made.namelist():
            content = made.read(name)
            for old, new in changes.items() if name == part else ():
                assert old in content
                content = content.replace(old, new)
            written.writestr(name, content)


def test_a_date_beyond_the_librarys_calendar_is_refused_and_truth_is_text(tmp_path):
    book = book_of([1, 1, 1e10, 1, 3, 2], [2, 1, -5, 1, 3, 2], [3, 1, 41218, 1, 3, True], [4, 1, 2958466, 1, 3, 2])
    for row in range(2, 6):
        book.active.cell(row, 3).number_format = "yyyy-mm-dd"
    rows, rejected = respondents_of(
        tmp_path, book, respondent={**BOOK["respondent"], "interviewed_on": {"column": "DT"}}
    )
    assert [(row["interviewed_on"], row["answers"]) for row in rows] == [("2012-11-05", ["3", "true"])]
    assert [rejection.reason.partition(": ")[::2] for rejection in rejected] == [
        ("wave.xlsx, row 2", "DT is a value that cannot be read"),
        ("wave.xlsx, row 3", "DT is not a date written as %Y-%m-%d or %Y-%m-%d %H:%M:%S: '1899-12-26 00:00:00'"),
        ("wave.xlsx, row 5", "DT is not a date written as %Y-%m-%d or %Y-%m-%d %H:%M:%S: '+10000-01-01 00:00:00'"),
    ]


@pytest.mark.parametrize("stray", ["XFD1048576", "Z1048576", "XFD2", "J7"])
def test_a_stray_blank_is_nothing_however_far_off(tmp_path, stray):
    book = book_of([1, 1, None, 1, 3, 2], [2, 1, None, 1, 3, 2])
    book.active[stray] = " \u200b"
    rows, rejected = respondents_of(tmp_path, book)
    assert ([row["respondent_id"] for row in rows], rejected) == (["1", "2"], [])


def test_a_stray_value_that_makes_a_sheet_too_large_refuses_the_file(tmp_path):
    book = book_of([1, 1, None, 1, 3, 2])
    book.active["XFD1048576"] = "x"
    book.save(tmp_path / "wave.xlsx")
    deliver(tmp_path, None, "wave.xlsx", format="xlsx")
    assert reasons(RESPONDENT, tmp_path) == [
        "the sheet Sheet has values from row 1 to 1048576 and from column A to XFD: 17,179,869,184 cells, and at most 10,000,000 "
        "are read"
    ]


def test_a_sheet_is_read_whatever_prefix_its_xml_has_and_without_addresses(tmp_path):
    book_of([1, 1, None, 1, 3, 2], [2, 1, None, 1, "#N/A", 2]).save(tmp_path / "made.xlsx")
    rewrite(tmp_path / "made.xlsx", tmp_path / "wave.xlsx", {b' r="G1"': b"", b' r="3"': b""})
    (tmp_path / "made.xlsx").unlink()
    deliver(tmp_path, None, "wave.xlsx", format="xlsx")
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1"]
    assert rejection.reason == "wave.xlsx, row 3: Q1 is #N/A"


def test_hidden_rows_are_rows_and_where_they_begin_can_be_told(tmp_path):
    book = book_of(["Import", "", "", "", "", ""], [1, 1, None, 1, 3, 2], ["Total", 1, None, 1, 3, 2])
    book.active.row_dimensions[3].hidden = True
    known = {**BOOK["respondent"], "id_pattern": "[0-9]+"}
    rows, (rejection,) = respondents_of(tmp_path, book, first_row=3, respondent=known)
    assert [row["respondent_id"] for row in rows] == ["1"]
    assert rejection.reason == "wave.xlsx, row 4: ID must name the respondent as [0-9]+: 'Total'"


def test_what_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path):
    book_of([1, 1, None, 1, 3, 2]).save(tmp_path / "wave.xlsx")
    small = replace(RESPONDENT, bounds=Bounds(unpacked=1000))
    deliver(tmp_path, None, "wave.xlsx", format="xlsx")
    (reason,) = reasons(small, tmp_path)
    assert re.fullmatch("it unpacks to [0-9,]+ bytes, and at most 1,000 are read", reason)


def test_a_workbook_under_a_password_or_of_the_old_format_is_told_apart(tmp_path):
    deliver(tmp_path, bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000), "wave.xlsx", format="xlsx")
    assert reasons(RESPONDENT, tmp_path) == [
        "it is under a password, or of the format XLS: to be saved as XLSX without one"
    ]
