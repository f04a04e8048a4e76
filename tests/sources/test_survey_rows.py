"""Which rows of a survey file are respondents, and which are headers, titles, totals or nothing; and what their text is read as."""

from __future__ import annotations

import re

import pytest
from tests.survey_drop import BOOK, GOOD, HEADER, csv_of, deliver, respondents

from crw import contract_rules
from crw.contracts import ContractError
from crw.sources import BLANKS


def test_rows_of_delimiters_alone_are_none(tmp_path):
    nothing = [",,,,,,", " ,,,,,,", '"",,,,,,', ",\u3000,,,,\ufeff,"]
    deliver(tmp_path, csv_of(*nothing, GOOD, *nothing, '2,1,,1,1,1,"x"', *nothing, "3,abc,,1,1,1,"))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "2"]
    assert rejection.reason == "wave.csv, line 16: WT is not a number: 'abc'"


def test_titles_totals_and_means_are_no_respondents_and_a_blank_one_is(tmp_path):
    respondent = {"id": "ID"}
    lines = ['Response ID,,,,"Overall, how\nsatisfied?",Counter?,', '{"ImportId":"_recordId"},,,,x,y,', "1,,,,3,2,",
             "2,,,,,,", "3,,,,NA,-,", "Mean,,,,2.4,2.1,", "Total,,,,5,,", "4,,,,7,2,"]  # fmt: skip
    deliver(tmp_path, csv_of(*lines), respondent=respondent, ignored=["WT", "DT", "LANG", "NOTE"])
    rows, rejected = respondents(tmp_path)
    assert [(row["respondent_id"], row["answers"]) for row in rows] == [
        ("1", ["3", "2"]), ("2", [None, None]), ("3", ["NA", "-"]), ("4", ["7", "2"]),
    ]  # fmt: skip
    said = "none of its answers is a code of the code book"
    assert [r.reason for r in rejected] == [f"wave.csv, line {line}: {said}" for line in (2, 4, 8, 9)]
    assert {r.column for r in rejected} == {"answers"}


def test_a_code_book_says_where_respondents_begin_and_how_their_numbers_are_written(tmp_path):
    lines = ['Response ID,,,,"Overall, how\nsatisfied?",Counter?,', "import,1,,1,1,1,", "R_1,1,,1,3,2,",
             "Mean,1,,1,3,2,", "Source: the contractor,1,,1,,,"]  # fmt: skip
    known = {**BOOK["respondent"], "id_pattern": "R_[0-9]+"}
    deliver(tmp_path, csv_of(*lines), first_row=4, respondent=known)
    rows, rejected = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["R_1"]
    assert [r.reason.partition(": ")[::2] for r in rejected] == [
        ("wave.csv, line 6", r"ID must name the respondent as R_[0-9]+: 'Mean'"),
        ("wave.csv, line 7", r"ID must name the respondent as R_[0-9]+: 'Source: the contractor'"),
    ]


@pytest.mark.parametrize("quote", ["", '"'])
def test_files_joined_to_one_have_one_header_and_no_mark_in_a_key(tmp_path, quote):
    again = ",".join(f"{quote}{name}{quote}" for name in HEADER.split(","))
    first = f"{quote}201{quote},1,,1,1,1,"
    lines = [GOOD, "\ufeff" + again, "\ufeff" + first, "\u200b202\u00a0\ufeff,1,,1,1,1,"]
    deliver(tmp_path, "\ufeff" + csv_of(*lines))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "201", "202"]
    assert rejection.reason == "wave.csv, line 3: the header again"


def test_a_second_header_in_another_order_fails_the_load(tmp_path):
    deliver(tmp_path, csv_of(GOOD, "WT,ID,DT,LANG,Q2,Q1,NOTE", "1,2,,1,1,1,"))
    with pytest.raises(ContractError, match=r"wave\.csv, line 3: a header with its columns in another order"):
        respondents(tmp_path)


def test_a_code_with_a_decimal_of_nothing_is_that_code_and_a_number_keeps_its_own(tmp_path):
    lines = [
        '"1,000","0,75",,"1,0","3,00",2.0,',
        '"2","1,5",,1,"３，０",02,',
        '"3","1.5",,1,3,"1,000",',
        '"4","1.234,5",,1,3,1,',
    ]
    deliver(tmp_path, csv_of(*lines), decimal=",")
    rows, (rejection,) = respondents(tmp_path)
    assert [(row["respondent_id"], row["weight"], row["language"], row["answers"]) for row in rows] == [
        ("1,000", "0.75", "en", ["3", "2"]),
        ("2", "1.5", "en", ["3", "02"]),
        ("3", "1.5", "en", ["3", "1,000"]),
    ]
    assert rejection.reason == "wave.csv, line 5: WT is not a number: '1.234,5'"


@pytest.mark.parametrize(
    ("written", "declared", "shown"),
    [("utf-16", None, "utf-16"), ("utf-16-le", None, "utf-16-le"), ("utf-16-be", "big5hkscs", "utf-16-be"),
     ("utf-8-sig", "big5hkscs", "utf-8"), ("utf-32", "utf-8", "utf-32")],
)  # fmt: skip
def test_an_encoding_that_shows_is_told_by_name(tmp_path, written, declared, shown):
    encoding = {"encoding": declared} if declared else {}
    deliver(tmp_path, csv_of(GOOD).encode(written), **encoding)
    with pytest.raises(
        ContractError, match=rf"wave\.csv: begins as {shown} does, and is declared to be {declared or 'utf-8'}"
    ):
        respondents(tmp_path)


def test_utf_8_that_is_declared_to_be_big5_is_told_and_not_read_as_other_chinese(tmp_path):
    text = csv_of("1,1,,1,1,1,服務很好", "2,1,,1,1,1,", "3,1,,1,1,1,派遞太慢")
    deliver(tmp_path, text.encode(), encoding="big5hkscs")
    with pytest.raises(ContractError, match=r"wave\.csv: is utf-8 throughout, and is declared to be big5hkscs"):
        respondents(tmp_path)
    # Two bytes that UTF-8 has too prove nothing, and neither does a file of which a part is UTF-8.
    for content, known in ((csv_of("1,1,,1,1,1,").encode() + "2,1,,1,1,1,礎\n".encode("big5hkscs"), ["1", "2"]),
                           (text.encode() + "4,1,,1,1,1,很好\n".encode("big5hkscs"), ["2", "4"])):  # fmt: skip
        deliver(tmp_path, content, encoding="big5hkscs")
        assert set(known) <= {row["respondent_id"] for row in respondents(tmp_path)[0]}


@pytest.mark.parametrize(
    ("written", "declared"), [("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-16", "UTF_16")]
)
def test_utf_16_is_read_where_it_is_declared(tmp_path, written, declared):
    text = csv_of(GOOD, '2,1,,2,1,1,"said "嘅" to\n9,1,,1,1,1,\n"', "3,1,,2,1,1,\udcff".replace("\udcff", "埗"))
    deliver(tmp_path, text.encode(written), encoding=declared)
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "3"]
    assert rejection.reason == "wave.csv, line 3: not CSV: unquoted value"


def test_what_is_blank_to_a_reader_is_blank_to_staging():
    escaped = contract_rules.BLANKS.removeprefix("U&'").removesuffix("'")
    assert set(re.sub(r"\\(\w{4})", lambda code: chr(int(code[1], 16)), escaped)) == set(BLANKS)
