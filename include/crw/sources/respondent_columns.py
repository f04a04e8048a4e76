"""How each column of a respondent is made of the text columns of a survey file, and what is wrong with a row, in DuckDB's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crw.settings import CLOCK
from crw.sources import BLANKS
from crw.sources.code_book import CodeBook, Coded, Respondent

MAPPED = ("segment", "language", "district_code")

AT_FAULT = {
    "bytes": "bytes that are not {encoding}",
    "header": "the header again",
    "columns": "a header with its columns in another order",
    "answers": "none of its answers is a code of the code book",
}
"""Problems of a row as a whole, and what is then said, without any of its values."""

NOTHING = ("na", "n/a", "nan", "null", "none", "blank", "-", ".", "0")
"""What programs write, and people type, where nothing was answered."""

# The tests for plain text come first: translate() is slow, and hardly a cell needs it.
MACROS = r"""
set timezone = '@clock';
create macro clean(value) as case
    when regexp_full_match(value, '[!-~]+') then value
    else nullif(trim(translate(value, '０１２３４５６７８９．，－／', '0123456789.,-/'), @blanks), '') end;
create macro whole(value, fraction) as case
    when regexp_full_match(value, '[0-9A-Za-z]+') then value
    when regexp_matches(value, '[.．,，]') then regexp_replace(clean(value), '^(-?[0-9]+)(' || fraction || ')$', '\1')
    else clean(value) end;
create macro identifier(value) as whole(value, '\.0+');
create macro code(value) as whole(value, '\.0+|,0{1,2}');
create macro element(value) as coalesce('"' || replace(replace(code(value), '\', '\\'), '"', '\"') || '"', 'NULL');
create macro is_number(value) as regexp_full_match(value, '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?');
""".replace("@blanks", "concat(" + ", ".join(f"chr({ord(character)})" for character in BLANKS) + ")").replace(
    "@clock", CLOCK.key
)


@dataclass(frozen=True)
class Field:
    """How a column of the contract comes out of `parsed`, in SQL."""

    value: str
    raw: str = "null"
    """What the file says, shown where the value cannot be made."""
    problem: str | None = None
    """Condition under which it cannot, in terms of the value, by the column's name, and of `parsed`."""
    complaint: str = ""
    """What is then wrong, for people."""


def of(book: CodeBook, cell: dict[str, str]) -> dict[str, Field]:
    """The columns of the contract that differ from row to row; `cell` names the column of `parsed` that holds a column of the file."""
    who = book.respondent
    fields = {"respondent_id": _respondent_id(who, cell)}
    if who.weight:
        fields["weight"] = _weight(who.weight, book.decimal, cell)
    if who.complete:
        fields["is_complete"] = Field(_has_code(who.complete, cell))
    if who.company_id:
        has_consented = _has_code(who.consent, cell)
        fields["consented_company_id"] = Field(f"case when {has_consented} then clean({cell[who.company_id]}) end")
    if who.interviewed_on:
        fields["interviewed_on"] = _interviewed_on(who.interviewed_on, cell)
    fields |= {name: _mapped(coded, cell) for name in MAPPED if (coded := getattr(who, name))}
    cells = [cell[question.column] for question in book.questions]
    # The last: whoever has another fault is told of that.
    return fields | {"answers": Field(_array(cells), "answers", _no_answer_is_a_code(book, cells))}


def problems(fields: dict[str, Field], cell: dict[str, str], header: list[str]) -> dict[str, str]:
    """What may be wrong with a row, the first that is so counts: a column of the contract, or one of AT_FAULT; and its condition."""
    row = f"concat({', chr(31), '.join(cell.values())})"
    blank = f"[{BLANKS}]*"
    again = "\x1f".join(f"{blank}{re.escape(name)}{blank}" for name in cell)
    # A code may be a name, too, where that is a number.
    name = f"{blank}({'|'.join(re.escape(name) for name in header if not name.isdigit())}){blank}"
    mixed = f"{name}(\x1f{name})*"
    # Of nearly all rows the first cell tells that they are neither.
    is_named = f"when regexp_full_match({next(iter(cell.values()))}, {literal(name)})"
    return {
        "bytes": "marked",
        "header": f"case {is_named} then regexp_full_match({row}, {literal(again)}) end",
        "columns": f"case {is_named} then regexp_full_match({row}, {literal(mixed)}) end",
        **{name: field.problem for name, field in fields.items() if field.problem},
    }


def _respondent_id(who: Respondent, cell: dict[str, str]) -> Field:
    value = " || '-' || ".join(f"identifier({cell[name]})" for name in who.id)
    problem, complaint = "respondent_id is null", f"{' and '.join(who.id)} must name the respondent"
    if who.id_pattern:
        problem = f"not coalesce(regexp_full_match(respondent_id, {literal(who.id_pattern)}), false)"
        complaint += f" as {who.id_pattern}"
    return Field(value, value, problem, complaint)


def _no_answer_is_a_code(book: CodeBook, cells: list[str]) -> str:
    """Condition that there are answers, and none is a code of its question: such a row is a title, a total or a mean."""
    # By patterns, which know the spellings that the macro `code` evens out: its text, once for each question, takes long to plan.
    blank = f"[{BLANKS}]*"
    coded = []
    for name, question in zip(cells, book.questions, strict=True):
        listed = map(re.escape, [*question.valid, *question.not_applicable, *question.blank])
        codes = "|".join(
            re.sub("[0-9]", lambda digit: f"[{digit[0]}{chr(ord(digit[0]) + 0xFEE0)}]", text) for text in listed
        )
        pattern = f"{blank}({codes})([.．][0０]+|[,，][0０]{{1,2}})?{blank}"
        coded.append(f"when regexp_full_match({name}, {literal(pattern)}) then false")
    said = f"concat_ws(' ', {', '.join(cells)})"
    nothing = f"(?i)({'|'.join(map(re.escape, NOTHING))}|{blank[:-1]})*"
    return f"case {' '.join(coded)} else not regexp_full_match({said}, {literal(nothing)}) end"


def _is_among(value: str, texts: Iterable[str], of_null: str = "false") -> str:
    """Condition that a value is one of the texts. Of a long list after `in` DuckDB makes a join, after which rows have no order."""
    return f"coalesce(regexp_full_match({value}, {literal('|'.join(map(re.escape, texts)))}), {of_null})"


def _array(cells: list[str]) -> str:
    """The text of PostgreSQL's array of the codes in `cells`."""
    joined = "concat(" + ", ',', ".join(cells) + ")"
    # Nearly all rows are numbers alone: one test for all cells. It counts them, for a cell may hold a comma.
    numbers = ",".join(["[0-9]+"] * len(cells))
    elements = ", ".join(f"element({name})" for name in cells)
    return (
        f"case when regexp_full_match({joined}, '{numbers}') then concat('{{', {joined}, '}}') "
        f"else '{{' || concat_ws(',', {elements}) || '}}' end"
    )


def _weight(column: str, decimal: str, cell: dict[str, str]) -> Field:
    problem = "not coalesce(is_number(weight), false)"
    return Field(
        f"replace(clean({cell[column]}), {literal(decimal)}, '.')", cell[column], problem, f"{column} is not a number"
    )


def _has_code(coded: Coded, cell: dict[str, str]) -> str:
    """Condition that the column holds one of the codes."""
    return _is_among(f"code({cell[coded.column]})", coded.codes)


def _interviewed_on(coded: Coded, cell: dict[str, str]) -> Field:
    if coded.codes is not None:
        return _mapped(coded, cell)
    text = f"clean({cell[coded.column]})"
    day = f"cast(try_strptime({text}, [{', '.join(map(literal, coded.formats))}]) as date)"
    # A year of two digits read as %Y is no year of ours.
    problem = f"{text} is not null and coalesce(interviewed_on < date '1900-01-01', true)"
    return Field(
        day, cell[coded.column], problem, f"{coded.column} is not a date written as {' or '.join(coded.formats)}"
    )


def _mapped(coded: Coded, cell: dict[str, str]) -> Field:
    if coded.codes is None:
        return Field(f"clean({cell[coded.column]})")
    code = f"code({cell[coded.column]})"
    cases = " ".join(f"when {literal(key)} then {literal(value)}" for key, value in coded.codes.items())
    problem = f"not {_is_among(code, coded.codes, of_null='true')}"
    return Field(
        f"case {code} {cases} end", cell[coded.column], problem, f"{coded.column} has a code the code book lacks"
    )


def literal(value: Any) -> str:
    """A value of a code book as SQL text."""
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"
