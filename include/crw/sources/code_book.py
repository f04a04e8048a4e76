"""The code book beside a survey data file: which column is which, what its codes mean, how the file is encoded.

It is `<data file name>.codebook.yml`, kept in the same folder. docs/code_book.md shows a whole one, and tells of
each entry. Codes are text: 5, 5.0, "5,0" and "5" are one code. A column of the file that is named nowhere is refused.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass, fields
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import duckdb
import yaml

from crw.contracts import ContractError, as_told
from crw.sources.strict_yaml import Entry, Malformed, as_day, code, load

SUFFIX = ".codebook.yml"
BASES = ("calendar_year", "fiscal_year")
SCALES = ("rating", "nps", "category")
ISO_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Question:
    """One question: its name across waves, the column that holds it, and what its codes mean."""

    code: str
    column: str
    text: str
    scale: str
    valid: tuple[str, ...]
    top: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    blank: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coded:
    """A column and what its codes stand for; without codes the value is kept as delivered."""

    column: str
    codes: dict[str, Any] | None = None
    formats: tuple[str, ...] = ()
    """For a date without codes: the strptime formats it may be written in."""


@dataclass(frozen=True)
class Respondent:
    """Where the facts about a respondent are."""

    id: tuple[str, ...]
    id_pattern: str | None = None
    """A regular expression that every id matches as a whole: a total, a mean or a foot-note does not."""
    weight: str | None = None
    interviewed_on: Coded | None = None
    complete: Coded | None = None
    segment: Coded | None = None
    language: Coded | None = None
    district_code: Coded | None = None
    company_id: str | None = None
    consent: Coded | None = None


@dataclass(frozen=True)
class CodeBook:
    """A parsed code book."""

    wave: str
    format: str
    period_basis: str
    period_start: date
    period_end: date
    respondent: Respondent
    questions: tuple[Question, ...]
    ignored: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str = ","
    sheet: str | None = None
    header_row: int = 1
    first_row: int | None = None
    """Row in which the respondents begin; the one after the header where it is left out."""
    decimal: str = "."
    fieldwork_start: date | None = None
    fieldwork_end: date | None = None
    eligible_sample: int | None = None

    @property
    def columns(self) -> list[str]:
        """Columns of the data file that are kept, each once, in the order of the code book."""
        who = self.respondent
        coded = (who.interviewed_on, who.complete, who.segment, who.language, who.district_code, who.consent)
        names = [*who.id, who.weight, who.company_id, *(entry.column for entry in coded if entry)]
        return list(dict.fromkeys(name for name in [*names, *(q.column for q in self.questions)] if name))

    def check_header(self, header: list[str], where: str) -> None:
        """Compare the file's header with the code book.

        Raises:
            ContractError: a kept column is missing or there twice, or a column is neither kept nor ignored.
        """
        # What is the name of a column is no pattern: to one, the brackets of SEC[SQ001] are a single character.
        patterns = [entry for entry in self.ignored if entry not in header]
        problems = [
            f"column {name} is in the code book but not in the file" for name in self.columns if name not in header
        ]
        problems += [
            f"column {name} is there {header.count(name)} times" for name in self.columns if header.count(name) > 1
        ]
        problems += [
            f"column {as_told(name, header, self.columns)} is neither in the code book nor listed under `ignored`"
            if name
            else f'column {number} has no name (as ignored it is "")'
            for number, name in enumerate(header, 1)
            if name not in self.columns
            and name not in self.ignored
            and not any(fnmatchcase(name, pattern) for pattern in patterns)
        ]
        if problems:
            raise ContractError(f"{where}: {'; '.join(problems)}")


def parse(path: Path) -> CodeBook:
    """Read the code book at `path`. Raises ContractError naming file, entry and reason when it is malformed."""
    try:
        return _book(Entry(load(path.read_text(encoding="utf-8")), ""))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"{path.name}: not YAML in UTF-8: {error}") from None
    except Malformed as error:
        raise ContractError(f"{path.name}: {error}") from None


def _book(entry: Entry) -> CodeBook:
    period, fieldwork = entry.entry("period", required=True), entry.entry("fieldwork")
    questions = entry.take("questions", required=True)
    if not isinstance(questions, list) or not questions:
        raise Malformed("questions must be a list with at least one")
    entry.text("contractor")
    book = CodeBook(
        wave=entry.text("wave", required=True),
        format=entry.text("format", required=True, among=("csv", "xlsx", "sav")),
        encoding=entry.text("encoding"),
        delimiter=entry.text("delimiter") or ",",
        sheet=entry.text("sheet"),
        header_row=entry.number("header_row") or 1,
        first_row=entry.number("first_row"),
        decimal=entry.text("decimal", among=(".", ",")) or ".",
        period_basis=period.text("basis", required=True, among=BASES),
        period_start=period.day("start", required=True),
        period_end=period.day("end", required=True),
        fieldwork_start=fieldwork and fieldwork.day("start"),
        fieldwork_end=fieldwork and fieldwork.day("end"),
        eligible_sample=entry.number("eligible_sample"),
        respondent=_respondent(entry.entry("respondent", required=True)),
        questions=tuple(_question(Entry(item, f"questions[{i}]")) for i, item in enumerate(questions)),
        ignored=entry.texts("ignored"),
    )
    for done in filter(None, (entry, period, fieldwork)):
        done.end()
    return _checked(book)


def _respondent(entry: Entry) -> Respondent:
    who = Respondent(
        id=entry.texts("id", required=True),
        id_pattern=_id_pattern(entry),
        weight=entry.text("weight"),
        interviewed_on=_interview_date(entry.entry("interviewed_on")),
        complete=_listed(entry.entry("complete")),
        **{name: _mapped(entry.entry(name)) for name in ("segment", "language", "district_code")},
        company_id=entry.text("company_id"),
        consent=_listed(entry.entry("consent")),
    )
    entry.end()
    if not who.id:
        raise Malformed(f"{entry.where}.id is empty")
    if (who.company_id is None) != (who.consent is None):
        raise Malformed(f"{entry.where}.company_id and {entry.where}.consent need each other")
    return who


def _id_pattern(entry: Entry) -> str | None:
    pattern = entry.text("id_pattern")
    if pattern is not None:
        try:
            duckdb.execute("select regexp_full_match('', ?)", [pattern])
        except duckdb.Error as error:
            raise Malformed(f"{entry.name('id_pattern')} {pattern!r} cannot be read: {error}") from None
    return pattern


def _question(entry: Entry) -> Question:
    question = Question(
        code=entry.text("code", required=True),
        column=entry.text("column", required=True),
        text=entry.text("text", required=True),
        scale=entry.text("scale", required=True, among=SCALES),
        valid=entry.codes("valid", required=True),
        top=entry.codes("top"),
        not_applicable=entry.codes("not_applicable"),
        blank=entry.codes("blank"),
    )
    entry.end()
    if not question.valid or (question.scale == "rating" and not question.top):
        raise Malformed(f"{entry.where} ({question.code}): needs valid codes, and a rating needs top codes")
    if not set(question.top) <= set(question.valid):
        raise Malformed(f"{entry.where} ({question.code}): top has a code that is not valid")
    meanings = [*question.valid, *question.not_applicable, *question.blank]
    if len(set(meanings)) < len(meanings):
        raise Malformed(f"{entry.where} ({question.code}): a code has two meanings")
    return question


def _interview_date(entry: Entry | None) -> Coded | None:
    if entry is None:
        return None
    formats, codes = entry.texts("format"), entry.take("codes")
    for written in formats:
        try:
            duckdb.execute("select try_strptime('', ?)", [written])
        except duckdb.Error as error:
            raise Malformed(f"{entry.name('format')} {written!r} cannot be read: {error}") from None
    if codes is not None:
        days = Entry(codes, entry.name("codes"))
        codes = _by_code(days, {key: as_day(value, days.name(str(key))) for key, value in days.values.items()})
    coded = Coded(entry.text("column", required=True), codes, formats or ISO_DATES)
    entry.end()
    return coded


def _mapped(entry: Entry | None) -> Coded | None:
    if entry is None:
        return None
    codes = entry.take("codes")
    if codes is not None:
        meanings = Entry(codes, entry.name("codes"))
        if not all(value is None or isinstance(value, str) for value in meanings.values.values()):
            raise Malformed(f"{meanings.where} must map each code to text or null")
        codes = _by_code(meanings, meanings.values)
    coded = Coded(entry.text("column", required=True), codes)
    entry.end()
    return coded


def _by_code(entry: Entry, meanings: dict) -> dict[str, Any]:
    codes = {code(key, entry.where): value for key, value in meanings.items()}
    if len(codes) < len(meanings):
        raise Malformed(f"{entry.where} lists a code twice")
    return codes


def _listed(entry: Entry | None) -> Coded | None:
    if entry is None:
        return None
    coded = Coded(entry.text("column", required=True), dict.fromkeys(entry.codes("codes", required=True), True))
    entry.end()
    return coded


def _checked(book: CodeBook) -> CodeBook:
    """What no single entry can tell. Raises Malformed."""
    if book.period_end < book.period_start:
        raise Malformed("period ends before it starts")
    if book.fieldwork_start and book.fieldwork_end and book.fieldwork_end < book.fieldwork_start:
        raise Malformed("fieldwork ends before it starts")
    if len({question.code for question in book.questions}) < len(book.questions):
        raise Malformed("questions: a question code is there twice")
    if book.first_row and book.first_row <= book.header_row:
        raise Malformed("first_row must be below header_row")
    if len(book.delimiter) != 1 or book.delimiter in '"\r\n' or ord(book.delimiter) < ord("\t"):
        raise Malformed("delimiter must be one character, and no quote or line end")
    stray = [f.name for f in fields(book) if f.name in _ONLY_FOR and book.format not in _ONLY_FOR[f.name]
             and getattr(book, f.name) != f.default]  # fmt: skip
    if stray:
        raise Malformed(f"{stray[0]} means nothing for the format {book.format}")
    if book.encoding:
        try:
            codecs.lookup(book.encoding)
        except LookupError:
            raise Malformed(f"encoding {book.encoding!r} is unknown") from None
    return book


_ONLY_FOR = {"encoding": ("csv",), "delimiter": ("csv",), "sheet": ("xlsx",)} | dict.fromkeys(
    ("header_row", "first_row", "decimal"), ("csv", "xlsx")
)
