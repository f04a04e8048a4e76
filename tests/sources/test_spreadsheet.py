"""XLSX and SPSS files, as their own libraries write them."""

from __future__ import annotations

from datetime import date, datetime

import openpyxl
import pandas
import pyreadstat
import pytest
from tests.survey_drop import BOOK, GOOD, HEADER, NIGHT, RESPONDENT, csv_of, deliver, respondents

from crw.contracts import ContractError
from crw.sources import files


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
def test_a_file_that_is_not_in_its_format_fails_the_load(tmp_path, name):
    deliver(tmp_path, csv_of(GOOD), name, format=name.rsplit(".", 1)[1])
    with pytest.raises(ContractError, match=r"wave\.(xlsx|sav): "):
        files.read(RESPONDENT, tmp_path, NIGHT)
