"""CSV as contractors write it: a bad row is refused alone, by its line and with its reason, and no row is ever lost."""

from __future__ import annotations

import csv
import io
import shutil
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.survey_drop import BOOK, GOOD, HEADER, RESPONDENT, answers_of, csv_of, deliver, respondents

from crw.contracts import ContractError


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


@pytest.mark.parametrize("machine", ["America/New_York", "Asia/Tokyo"])
def test_a_date_with_its_zone_is_hong_kongs_day_whatever_the_machine_is_set_to(tmp_path, monkeypatch, machine):
    monkeypatch.setenv("TZ", machine)
    dated = {"column": "DT", "format": ["%d/%m/%Y %H:%M%z", "%d/%m/%Y"]}
    lines = ["1,1,05/11/2010 15:59+0000,1,3,2,", "2,1,05/11/2010 16:00+00,1,3,2,", "3,1,05/11/2010,1,3,2,"]
    deliver(tmp_path, csv_of(*lines), respondent=BOOK["respondent"] | {"interviewed_on": dated})
    rows, rejected = respondents(tmp_path)
    assert ([row["interviewed_on"] for row in rows], rejected) == (["2010-11-05", "2010-11-06", "2010-11-05"], [])


def test_a_refused_row_is_kept_in_the_contracts_columns_without_the_ignored_ones(tmp_path):
    deliver(tmp_path, csv_of("2,abc,05/11/2010,1,3,2,my secret", "3,1,,2,1,1,a secret,too many"))
    _, rejected = respondents(tmp_path)
    by_column = {rejection.column: rejection.record for rejection in rejected}
    assert set(by_column["weight"]) == set(RESPONDENT.column_names)
    assert by_column["weight"]["weight"] == "abc"
    assert by_column["weight"]["answers"] == "{3,2}"
    assert by_column[None]["place"] == "line 3"
    assert "secret" not in str(rejected)


def test_a_refused_value_of_several_lines_is_kept_as_it_stands(tmp_path):
    questions = [BOOK["questions"][0], {**BOOK["questions"][1], "column": "NOTE", "code": "note"}]
    lines = ['2,abc,,2,1,1,"a\n12,b\n\n7"', "3,abc,,2,1,1,plain", "4,1,,2,1,1,"]
    deliver(tmp_path, csv_of(GOOD, *lines), questions=questions, ignored=["Q2"])
    rows, rejected = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "4"]
    assert [answers_of(rejection.record["answers"])[1] for rejection in rejected] == ["a\n12,b\n\n7", "plain"]
    assert [rejection.reason.partition(":")[0] for rejection in rejected] == ["wave.csv, line 3", "wave.csv, line 7"]


def test_an_answer_with_a_comma_is_one_answer(tmp_path):
    questions = [{**question, "blank": [10, "1,2"]} for question in BOOK["questions"]]
    deliver(tmp_path, csv_of('1,1,,2,"1,2",3,', '2,1,,2,"1,2",,', "3,1,,2,10,05,"), questions=questions)
    rows, _ = respondents(tmp_path)
    assert [row["answers"] for row in rows] == [["1,2", "3"], ["1,2", None], ["10", "05"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_line_ends_bom_quotes_and_empty_lines(tmp_path, end, bom):
    lines = [GOOD, '2,1,,2,"1","2","a ""quoted"" word, and' + end + 'a second line"', "", '3,1,,2,,"",']
    deliver(tmp_path, bom + csv_of(*lines, "bad", "", "", end=end))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "2", "3"]
    assert rows[2]["answers"] == [None, None]
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


@pytest.mark.parametrize(
    "before",
    [
        '2,1,,2,1,1, "a blank, then a quote"',
        "2,1,,2,1,1,fine,,,",
        '2,1,,2,1,1,"ok" yes',
        '2,1,,2,1,1,"ok" ',
        "2,1,,2,1,1,a,b",
        '2,1,,2,1,1,a "b, c"',
        pytest.param("2,1,,2,1,1," + 200_000 * "x", id="long"),
    ],
)
def test_a_refused_value_has_its_own_line_whatever_stands_before_it(tmp_path, before):
    deliver(tmp_path, csv_of(GOOD, "", '3,1,,2,1,1,"two\n\nlines"', before, "4,abc,,2,1,1,", "5,1,,2,1,1,"))
    rows, rejected = respondents(tmp_path)
    assert len(rows) + len(rejected) == 5
    assert rejected[-1].reason == "wave.csv, line 8: WT is not a number: 'abc'"


@pytest.mark.parametrize("cell", ['"ok" yes', '"open'])
def test_a_row_refused_for_its_quotes_has_its_own_line_after_empty_ones(tmp_path, cell):
    deliver(tmp_path, csv_of(GOOD, "", "", f"2,1,,2,1,1,{cell}", "3,1,,2,1,1,"))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "3"]
    assert rejection.record["place"] == "line 5"


@pytest.mark.parametrize(
    ("lines", "reason"), [(10, "a quote is opened and never closed"), (300_000, "more than 500,000 characters")]
)
def test_a_header_that_cannot_be_split_fails_the_load(tmp_path, lines, reason):
    deliver(tmp_path, '"' + csv_of(*lines * ["x"]))
    with pytest.raises(ContractError, match=rf"wave\.csv: no header in row 1: {reason}"):
        respondents(tmp_path)


def test_a_file_that_is_all_unclosed_quotes_is_refused_row_by_row(tmp_path):
    deliver(tmp_path, csv_of(*(f'{n},1,,1,1,1,"open' for n in range(60))))
    rows, rejected = respondents(tmp_path)
    assert rows == []
    assert [rejection.record["place"] for rejection in rejected] == [f"line {n}" for n in range(2, 62)]


@pytest.mark.parametrize("fault", ['1,"a"b,2,"c" my secret', '1,"a"b,2,"c"d', '1,1,1,"' + 12_000 * "x"])
def test_a_row_with_several_faults_is_refused_once_and_alone(tmp_path, fault):
    deliver(tmp_path, csv_of(GOOD, '2,1,,1,1,1,"two\nlines"', f"3,1,,{fault}", "4,1,,1,1,1,", "5,abc,,1,1,1,"))
    rows, rejected = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "2", "4"]
    assert [rejection.reason.partition(":")[0] for rejection in rejected] == ["wave.csv, line 5", "wave.csv, line 7"]
    assert "secret" not in str(rejected)


def test_a_refused_row_has_its_own_line_after_many_empty_ones(tmp_path):
    deliver(tmp_path, csv_of(GOOD, *12_000 * [""], "2,1,,1,1", "3,1,,1,1,1,"))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "3"]
    assert rejection.reason == "wave.csv, line 12003: fewer than 7 fields"


@pytest.mark.parametrize("cell", [600_000 * "x", 700_000 * "嘅"])
def test_a_row_too_long_is_refused_alone(tmp_path, cell):
    deliver(tmp_path, csv_of(GOOD, f"2,1,,1,1,1,{cell}", "3,1,,1,1,1,"))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == ["1", "3"]
    assert rejection.reason == "wave.csv, line 3: more than 500,000 characters"


PASTED = "\n".join(f"{n},1,,1,1,1,{'x' * 40}" for n in range(9000, 13_000))
"""Lines of a value that are like rows: 220,000 characters."""


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (f'"{140_000 * "x"}"', None),
        (f'"{PASTED}"', None),
        (f'"{PASTED}, ""quoted"" and {200_000 * "x"}"', None),
        (f'"{PASTED}\n{PASTED}\n{PASTED}"', "more than 500,000 characters"),
        (f'"{700_000 * "x"}\n{PASTED}"', "more than 500,000 characters"),
        (f'"said "hi" to\n{PASTED}\nend"', "not CSV: unquoted value"),
        (f'"\n{PASTED}\nsaid "hi" to\n{PASTED}\n"', "not CSV: unquoted value"),
        (f'"he said \\"hi\\"\n{PASTED}\nend"', "not CSV: unquoted value"),
        (f'"he said \\"hi\\", and\n{PASTED}\nend"', "not CSV: unquoted value"),
    ],
    ids=range(9),
)
def test_the_lines_of_a_value_are_no_rows_whatever_is_wrong_with_it(tmp_path, note, reason):
    deliver(tmp_path, csv_of(GOOD, f"2,1,,2,1,1,{note}", "3,1,,2,1,1,", "4,abc,,2,1,1,"))
    rows, rejected = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == (["1", "3"] if reason else ["1", "2", "3"])
    last = 5 + note.count("\n")
    expected = [f"wave.csv, line 3: {reason}"] if reason else []
    assert [r.reason for r in rejected] == [*expected, f"wave.csv, line {last}: WT is not a number: 'abc'"]


def test_an_unclosed_quote_costs_its_own_row_however_far_the_next_quote_is(tmp_path):
    deliver(tmp_path, csv_of('1,1,,1,1,1,"open', PASTED, PASTED, PASTED, '2,1,,1,1,1,"closed"'))
    rows, (rejection,) = respondents(tmp_path)
    assert len(rows) == 12_001
    assert rejection.reason == "wave.csv, line 2: a quote is opened and never closed"


# DuckDB reads 2 MiB at a time, by several threads: each case has a few of them.
FILLER = [f"{n},1,,1,1,1,note {n:08}" for n in range(100, 90_100)]


def test_an_unclosed_quote_before_a_long_file_costs_its_own_row(tmp_path):
    deliver(tmp_path, csv_of('1,1,,1,1,1,"open', *FILLER))
    rows, (rejection,) = respondents(tmp_path)
    assert len(rows) == len(FILLER)
    assert rejection.reason == "wave.csv, line 2: a quote is opened and never closed"


def test_many_refused_rows_are_each_refused_and_none_is_sent(tmp_path):
    faults = ["{},abc,,1,1,1,", "{},1,,1,1", "{},1,,1,1,1,"]
    deliver(tmp_path, csv_of(*(faults[n % 3].format(n) for n in range(150_000))))
    rows, rejected = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows] == [str(n) for n in range(2, 150_000, 3)]
    assert {rejection.reason.split(":")[0] for rejection in rejected} == {
        f"wave.csv, line {n + 2}" for n in range(150_000) if n % 3 != 2
    }
    assert len(rejected) == 100_000


def test_lines_of_a_quoted_value_are_no_rows_wherever_they_stand(tmp_path):
    like_rows = "\n".join(f"{n},1,,1,1,1,a row, or not" for n in range(10))
    lines = [f'{line}\n{number},1,,1,1,1,"{like_rows}"' for number, line in enumerate(FILLER[::10], 200_000)]
    deliver(tmp_path, csv_of(*lines, "7,abc,,1,1,1,"))
    rows, (rejection,) = respondents(tmp_path)
    assert [row["respondent_id"] for row in rows if int(row["respondent_id"]) < 100] == []
    assert len(rows) == 2 * len(lines)
    assert rejection.reason == f"wave.csv, line {2 + 11 * len(lines)}: WT is not a number: 'abc'"


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
    assert [row["answers"][1] for row in rows] == [*notes, None]
    assert rows[0]["answers"][0] == "3"
    assert rejection.reason == "wave.csv, line 4: bytes that are not big5hkscs"
    assert answers_of(rejection.record["answers"])[1] == r"\xfe"


def test_preamble_delimiter_and_several_id_columns(tmp_path):
    respondent = {"id": ["AREA", "ID"], "interviewed_on": {"column": "DT", "codes": {1: date(2010, 9, 7), 15: None}}}
    content = 'title;\n"a\nb";\nAREA;ID;DT;Q1;Q2\nN;1;1;1.0;2\nN;2;15;1;\nN;3;2;1;1\n'
    deliver(tmp_path, content, delimiter=";", header_row=3, respondent=respondent, ignored=[])
    rows, (rejection,) = respondents(tmp_path)
    assert [(r["respondent_id"], r["interviewed_on"], r["weight"], r["is_weighted"]) for r in rows] == [
        ("N-1", "2010-09-07", "1", "false"),
        ("N-2", "", "1", "false"),
    ]
    assert rows[0]["answers"] == ["1", "2"]
    assert rejection.reason == "wave.csv, line 7: DT has a code the code book lacks: '2'"


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
