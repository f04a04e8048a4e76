"""The code book: the documented example is one, and every mistake is named with file and entry."""

from __future__ import annotations

import copy
import re
from datetime import date

import pytest
import yaml

from crw.contracts import ContractError
from crw.settings import PROJECT
from crw.sources import code_book

DOCUMENTED = re.search(r"```yaml\n(.*?)```", (PROJECT / "docs/code_book.md").read_text(encoding="utf-8"), re.S).group(1)


def parse(tmp_path, content):
    path = tmp_path / "wave.csv.codebook.yml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return code_book.parse(path)


def with_entry(path, value):
    """The documented example with one entry set, or taken out when `value` is None."""
    book = copy.deepcopy(yaml.safe_load(DOCUMENTED))
    *parents, last = path
    entry = book
    for key in parents:
        entry = entry[key]
    if value is None:
        del entry[last]
    else:
        entry[last] = value
    return book


def test_the_documented_example_is_a_code_book(tmp_path):
    book = parse(tmp_path, DOCUMENTED)
    assert (book.wave, book.encoding, book.period_basis, book.period_end) == (
        "2010",
        "big5hkscs",
        "calendar_year",
        date(2010, 12, 31),
    )
    assert book.respondent.id == ("REGION", "RESPNUM")
    assert book.respondent.language.codes == {"1": "en", "2": "tc", "3": "sc", "4": None}
    assert [question.code for question in book.questions] == ["overall", "recommend"]
    assert book.questions[0].top == ("4", "5")
    assert book.questions[1].blank == ("99", "NA")
    assert book.columns == [
        "REGION", "RESPNUM", "WT", "CRMNO", "INTDATE", "COMPLETE", "TYPE", "LANG", "DIST", "LINK", "Q1", "Q9",
    ]  # fmt: skip


def test_every_entry_of_the_documentation_is_one_of_the_reader(tmp_path):
    documented = set(re.findall(r"^\| `([a-z_]+)`", (PROJECT / "docs/code_book.md").read_text(encoding="utf-8"), re.M))
    assert documented == set(yaml.safe_load(DOCUMENTED)) - {"respondent"} | {"sheet"}


def test_codes_are_text_whatever_yaml_makes_of_them(tmp_path):
    book = parse(tmp_path, with_entry(["questions", 0, "valid"], [1, 2.0, "3", 4, 5]))
    assert book.questions[0].valid == ("1", "2", "3", "4", "5")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["wave"], None, "wave is missing"),
        (["wave"], 2010, "wave must be text, not 2010: put it in quotes"),
        (["format"], "ods", "format must be one of csv, xlsx, sav, not 'ods'"),
        (["period", "basis"], "year", "period.basis must be one of calendar_year, fiscal_year"),
        (["period", "end"], date(2009, 1, 1), "period ends before it starts"),
        (["period", "start"], "1 Jan", "period.start must be a date"),
        (["encoding"], "big6", "encoding 'big6' is unknown"),
        (["delimiter"], "||", "delimiter must be one character"),
        (["delimiter"], '"', "delimiter must be one character, and no quote"),
        (["sheet"], "Data", "sheet means nothing for the format csv"),
        (["header_row"], 0, "header_row must be a whole number from 1 up"),
        (["first_row"], 1, "first_row must be below header_row"),
        (["decimal"], ";", "decimal must be one of ., ,, not ';'"),
        (["respondent", "id_pattern"], "R_[0-9", "respondent.id_pattern 'R_[0-9' cannot be read: "),
        (["eligible_sample"], "many", "eligible_sample must be a whole number from 1 up"),
        (["colour"], "blue", "colour is not a known entry"),
        (["respondent", "id"], None, "respondent.id is missing"),
        (["respondent", "phone"], "TEL", "respondent.phone is not a known entry"),
        (["respondent", "consent"], None, "respondent.company_id and respondent.consent need each other"),
        (["respondent", "complete", "codes"], None, "respondent.complete.codes is missing"),
        (
            ["respondent", "interviewed_on", "format"],
            ["%d/%m/%Y", "%Q/%m"],
            "respondent.interviewed_on.format '%Q/%m' cannot be read: ",
        ),
        (["respondent", "segment", "codes"], {1: 2}, "respondent.segment.codes must map each code to text or null"),
        (["respondent", "interviewed_on", "codes"], {1: "May"}, "respondent.interviewed_on.codes.1 must be a date"),
        (["respondent", "segment", "codes"], {1: "a", "1": "b"}, "respondent.segment.codes lists a code twice"),
        (["questions"], [], "questions must be a list with at least one"),
        (["questions", 0, "top"], [5, 6], "questions[0] (overall): top has a code that is not valid"),
        (["questions", 0, "blank"], [9], "questions[0] (overall): a code has two meanings"),
        (["questions", 0, "valid"], [1, 1, 4, 5], "questions[0].valid lists a code twice"),
        (["questions", 0, "valid"], [True, 4, 5], "questions[0].valid: True is no code: put it in quotes"),
        (["questions", 0, "top"], None, "questions[0] (overall): needs valid codes, and a rating needs top codes"),
        (["questions", 0, "scale"], "stars", "questions[0].scale must be one of rating, nps, category"),
        (["questions", 1, "code"], "overall", "questions: a question code is there twice"),
        (["ignored"], [1], "ignored must be text or a list of texts"),
    ],
)
def test_a_mistake_is_named_with_file_and_entry(tmp_path, path, value, message):
    with pytest.raises(ContractError, match=re.escape("wave.csv.codebook.yml: " + message)):
        parse(tmp_path, with_entry(path, value))


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        (["SEC[SQ001]", "SEC[other]"], {"SECS"}),
        (["SEC[[]*"], {"SECS"}),
        (["SEC[SQ001]*"], {"SEC[SQ001]", "SEC[other]"}),
    ],
)
def test_a_name_with_brackets_is_a_name_before_it_is_a_pattern(tmp_path, ignored, left):
    book = parse(tmp_path, with_entry(["ignored"], ignored))
    header = [*book.columns, "SEC[SQ001]", "SEC[other]", "SECS"]
    with pytest.raises(ContractError) as refusal:
        book.check_header(header, "wave.csv")
    assert set(re.findall(r"column (\S+) is neither", str(refusal.value))) == left


@pytest.mark.parametrize("content", ["a: [", "- a list", "", b"\xff".decode("latin-1") + ": ["])
def test_what_is_no_mapping_is_refused(tmp_path, content):
    with pytest.raises(ContractError, match=r"wave\.csv\.codebook\.yml: "):
        parse(tmp_path, content)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("codes: {1: en, 2: tc, 3: sc, 1: tc}", "line 19: 1 is there twice"),
        ("column: X, column: LANG", "line 19: 'column'"),
    ],
)
def test_a_key_that_is_there_twice_is_refused(tmp_path, entry, message):
    language = re.sub("language: {.*}", f"language: {{{entry}}}", DOCUMENTED)
    with pytest.raises(ContractError, match=rf"wave\.csv\.codebook\.yml: {message}"):
        parse(tmp_path, language)
