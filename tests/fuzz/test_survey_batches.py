"""Dirty survey files, made at random: each row that was written is published as written, or refused at its place, or is nothing."""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import dataclass

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from tests.survey_drop import BOOK, HEADER, deliver, respondents

ANSWERS = {
    "1": "1",
    "2": "2",
    "3": "3",
    "": None,
    "７": "7",
    "2.0": "2",
    "3,0": "3",
    " 1\u00a0": "1",
    "\ufeff2": "2",
    "05": "05",
}
"""Answers as they may be written, and the codes that they are."""
CODES = ("1", "2", "3")
PASTED = "\n90001,1,,1,1,1,a line\n90002,1,,1,2,2,that is like a row\n"
NOTES = ("", "fine", 'said "hi", twice', f"see{PASTED}end", "a\n\nb", "嘅咗", "x" * 150_000)
BOOK_AS_TEXT = {"questions": [{**question, "blank": ["NA"]} for question in BOOK["questions"]]}


@dataclass(frozen=True)
class Written:
    """A row as it stands in a file, and what is to become of it."""

    text: str
    outcome: str | None
    """`refused`, or None where it is nothing; else what is published, as `id weight answer answer`."""
    forbids: tuple[str, ...] = ()
    """Encodings that cannot hold it."""

    @property
    def lines(self) -> int:
        """How many lines it takes."""
        return self.text.count("\n") + 1


def published(number: int, weight: str, answers: list[str]) -> str:
    return f"R{number} {weight} {' '.join(map(str, (ANSWERS[answer] for answer in answers)))}"


def is_answered(answers: list[str]) -> bool:
    """Whether one of the answers is a code, or none is any."""
    codes = [ANSWERS[answer] for answer in answers]
    return any(code in CODES for code in codes) or not any(codes)


def good(draw, number: int) -> tuple[list[str], str]:
    answers = [draw(st.sampled_from([*ANSWERS])) for _ in range(2)]
    outcome = published(number, "0.5", answers) if is_answered(answers) else "refused"
    return [f"R{number}", "0.5", "", "1", *answers, draw(st.sampled_from(NOTES))], outcome


def quoted(cells: list[str], quoting: int) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerow(cells)
    return text.getvalue().removesuffix("\n")


@st.composite
def line(draw, number: int) -> Written:
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    kind = draw(st.sampled_from(["good"] * 6 + [*CSV_FAULTS, "nothing", "empty", "marked"]))
    cells, outcome = good(draw, number)
    match kind:
        case "good":
            return Written(quoted(cells, quoting), outcome)
        case "marked":
            return Written("\ufeff" + quoted(cells, quoting), outcome, ("big5hkscs",))
        case "nothing":
            return Written(draw(st.sampled_from([",,,,,,", '"",,,,,,', " ,,,,,,"])), None)
        case "empty":
            return Written("", None)
    return Written(
        CSV_FAULTS[kind].format(number=number, pasted=PASTED, header=HEADER, cells=quoted(cells, quoting)), "refused"
    )


CSV_FAULTS = {
    "few": "{number},1,,1",
    "many": "{cells},more,fields",
    "weight": 'R{number},"0,x",,1,1,1,"fine"',
    "language": "R{number},1,,9,1,1,",
    "date": "R{number},1,31/02/2010,1,1,1,",
    "nobody": ",1,,1,1,1,",
    "header": "{header}",
    "title": '"Response ID",1,,1,"Overall, how satisfied?",Counter?,',
    "mean": "Mean,1,,1,2.41,1.98,",
    "unclosed": 'R{number},1,,1,1,1,"never closed',
    "undoubled": 'R{number},1,,1,1,1,"said "hi" to{pasted}end"',
    "escaped": 'R{number},1,,1,1,1,"said \\"hi\\" to{pasted}end"',
    "overlong": "R{number},1,,1,1,1," + 500_000 * "x",
    "control": "R{number},1,,1,1,1,\0",
}
"""Rows that are to be refused, each alone."""


@st.composite
def csv_batch(draw) -> tuple[list[Written], str, str, str]:
    rows = [draw(line(number)) for number in range(draw(st.integers(0, 12)))]
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "big5hkscs"]))
    rows = [row for row in rows if encoding not in row.forbids]
    if encoding == "big5hkscs":
        rows = [Written(row.text.replace("\ufeff", "").replace("\u00a0", ""), row.outcome) for row in rows]
    return rows, encoding, draw(st.sampled_from(["\n", "\r\n", "\r"])), draw(st.sampled_from(["", "\n"]))


def check(found: tuple, expected: list[tuple[str, str | None]], read_at_most: int) -> None:
    """Compare what came out with what was written: each row once, as it was, in its order; each refusal at its place."""
    rows, rejected = found
    out = [f"{row['respondent_id']} {row['weight']} {' '.join(map(str, row['answers']))}" for row in rows]
    assert out == [outcome for _, outcome in expected if outcome not in (None, "refused")]
    places = [
        rejection.record.get("place") or rejection.reason.split(", ")[1].partition(":")[0] for rejection in rejected
    ]
    assert sorted(places) == sorted(place for place, outcome in expected if outcome == "refused")
    assert all(rejection.reason.partition(": ")[2] for rejection in rejected)
    assert len(rows) + len(rejected) == sum(outcome is not None for _, outcome in expected) <= read_at_most


@given(csv_batch())
def test_each_line_of_a_csv_file_is_accounted_for(tmp_path_factory, batch):
    rows, encoding, end, last = batch
    folder = tmp_path_factory.mktemp("drop")
    text = "\n".join([HEADER, *(row.text for row in rows)]) + last
    number, expected = 2, []
    for row in rows:
        expected.append((f"line {number}", row.outcome))
        number += row.lines
    deliver(folder, text.replace("\n", end).encode(encoding), encoding=encoding.removesuffix("-sig"), **BOOK_AS_TEXT)
    check(respondents(folder), expected, len(rows))
    shutil.rmtree(folder)


SHEET_FAULTS = {"error": "#N/A", "formula": "=B2+1"}


@st.composite
def sheet_row(draw, number: int) -> tuple[list[object], str | None]:
    cells, outcome = good(draw, number)
    cells = [None if cell == "" else cell for cell in cells[:6]]
    numbers = draw(st.booleans())
    cells = [int(cell) if numbers and str(cell) in ("1", "2", "3") else cell for cell in cells]
    match draw(st.sampled_from(["good"] * 5 + ["nothing", "blank", "header", "title", "weight", *SHEET_FAULTS])):
        case "nothing":
            return [], None
        case "blank":
            return [" ", None, "\ufeff"], None
        case "header":
            return HEADER.split(","), "refused"
        case "title":
            return ["Response ID", 1, None, 1, "Overall?", "Counter?"], "refused"
        case "weight":
            return [cells[0], "n/a", *cells[2:]], "refused"
        case ("error" | "formula") as kind:
            at = draw(st.sampled_from([0, 1, 3, 4, 5]))
            return [*cells[:at], SHEET_FAULTS[kind], *cells[at + 1 :]], "refused"
    return cells, outcome


@st.composite
def sheet_batch(draw) -> tuple[list[tuple[list[object], str | None]], int, int, str | None]:
    rows = [draw(sheet_row(number)) for number in range(draw(st.integers(0, 10)))]
    stray = draw(st.sampled_from([None, None, "XFD1048576", "Z1048576", "K200"]))
    return rows, draw(st.integers(0, 2)), draw(st.integers(0, 2)), stray


@given(sheet_batch())
def test_each_row_of_a_sheet_is_accounted_for(tmp_path_factory, batch):
    rows, above, left, stray = batch
    folder = tmp_path_factory.mktemp("drop")
    book = openpyxl.Workbook()
    for cells in [*([[]] * above), HEADER.split(","), *(cells for cells, _ in rows)]:
        book.active.append([None] * left + cells)
    if stray:
        book.active[stray] = " "
    book.save(folder / "wave.xlsx")
    deliver(folder, None, "wave.xlsx", format="xlsx", header_row=above + 1, **BOOK_AS_TEXT)
    expected = [(f"row {number}", outcome) for number, (_, outcome) in enumerate(rows, above + 2)]
    check(respondents(folder), expected, len(rows))
    shutil.rmtree(folder)
