"""The dirt of the sample deliveries: what is wrong, in how many rows of which wave, and who must catch it.

A dirty row is a respondent of its own who answered nothing that counts, so no printed share depends on what becomes of
it. Rows whose dirt is cleaned away are the exception: they are fit for use.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from sample_operator.survey.answers import PARTIAL, Person, unanswered
from sample_operator.survey.waves import Wave

BAD_BYTES = "@bytes@"
"""Placeholder that the CSV writer replaces by bytes that are no character of the file's encoding."""

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@dataclass(frozen=True)
class Row:
    """A row to be written: the text of each cell, and what the CSV writer must do to the line."""

    cells: dict[str, str]
    shape: str = ""


@dataclass(frozen=True)
class Dirt:
    """One kind of dirt."""

    caught_by: str
    """`reader` refuses the row, a rule of the `suite` quarantines it, or it is `cleaned` and the row is good."""
    rows: dict[str, int]
    """Rows by wave."""
    make: Callable[[Wave, Row], Row]


def _cell(name: str, value: str | Callable[[Wave, Row], str]) -> Callable[[Wave, Row], Row]:
    def make(wave: Wave, row: Row) -> Row:
        return replace(row, cells={**row.cells, name: value if isinstance(value, str) else value(wave, row)})

    return make


def _shape(shape: str) -> Callable[[Wave, Row], Row]:
    return lambda wave, row: replace(row, shape=shape)


def _all(**rows: int) -> dict[str, int]:
    return {name.removeprefix("w").replace("_", "-"): count for name, count in rows.items()}


DIRT = {
    "bad_bytes": Dirt("reader", _all(w2010=3, w2011=2), _cell("comment", f"派遞{BAD_BYTES}")),
    "short_row": Dirt("reader", _all(w2010=2, w2011=1), _shape("short")),
    "long_row": Dirt("reader", _all(w2010=1, w2011=1), _shape("long")),
    "unclosed_quote": Dirt("reader", _all(w2011=1), _shape("unclosed")),
    "weight_not_a_number": Dirt("reader", _all(w2010=2, w2011=1), _cell("weight", "n/a")),
    "weight_missing": Dirt("reader", _all(w2010=1, w2012_13=2), _cell("weight", "")),
    "id_missing": Dirt("reader", _all(w2009=1, w2010=1, w2011=1, w2012_13=1), _cell("id", "")),
    "impossible_date": Dirt(
        "reader",
        _all(w2009=1, w2010=2, w2011=1, w2012_13=1),
        # 30 February, in the wave's own way of writing dates.
        _cell(
            "date",
            lambda wave, _: wave.fieldwork[0].replace(month=2, day=28).strftime(wave.date_format).replace("28", "30"),
        ),
    ),
    "unknown_language": Dirt("reader", _all(w2009=1, w2010=1, w2012_13=1), _cell("language", "7")),
    "negative_weight": Dirt("suite", _all(w2010=2, w2011=2, w2012_13=2), _cell("weight", "-1.0000")),
    "code_outside_code_book": Dirt("suite", _all(w2009=2, w2010=3, w2011=3, w2012_13=3), _cell("overall", "8")),
    "interviewed_in_the_future": Dirt(
        "suite",
        _all(w2010=1, w2012_13=1),
        _cell("date", lambda wave, _: wave.fieldwork[0].replace(year=2031).strftime(wave.date_format)),
    ),
    # Pairs of one number: the second of a pair says another segment.
    "duplicate_id": Dirt("suite", _all(w2009=2, w2010=4, w2011=2, w2012_13=2), _cell("segment", "2")),
    "full_width_code": Dirt(
        "cleaned",
        _all(w2009=3, w2010=4, w2011=4),
        _cell("overall", lambda _, row: row.cells["overall"].translate(FULL_WIDTH)),
    ),
    "trailing_space": Dirt(
        "cleaned", _all(w2009=3, w2010=5, w2011=5), _cell("overall", lambda _, row: row.cells["overall"] + "  ")
    ),
    "code_with_fraction": Dirt(
        "cleaned", _all(w2010=4, w2011=4), _cell("overall", lambda _, row: row.cells["overall"] + ".0")
    ),
}


def soil(wave: Wave, people: list[Person], seed: int) -> list[Row]:
    """The rows of a delivery: the respondents, with dirty rows strewn among them."""
    chance = random.Random(f"{seed} {wave.code} dirt")
    rows = [_row(wave, person) for person in people]
    _strew_cleaned(wave, rows, chance)
    for what, dirt in DIRT.items():
        if dirt.caught_by == "cleaned":
            continue
        for number in range(dirt.rows.get(wave.code, 0)):
            row = _row(wave, _bystander(wave, people, what, number, chance))
            is_first_of_pair = what == "duplicate_id" and number % 2 == 0
            rows.insert(chance.randrange(len(rows)), row if is_first_of_pair else dirt.make(wave, row))
    return rows


def _strew_cleaned(wave: Wave, rows: list[Row], chance: random.Random) -> None:
    answered = [i for i, row in enumerate(rows) if row.cells["overall"] in wave.scale]
    for dirt in DIRT.values():
        if dirt.caught_by == "cleaned":
            for _ in range(dirt.rows.get(wave.code, 0)):
                i = answered.pop(chance.randrange(len(answered)))
                rows[i] = dirt.make(wave, rows[i])


def _bystander(wave: Wave, people: list[Person], what: str, number: int, chance: random.Random) -> Person:
    """A respondent who broke off before the first rating, under a number nobody else has; a pair shares one."""
    kind = 90001 + 100 * list(DIRT).index(what)
    identifier = kind + (number // 2 if what == "duplicate_id" else number)
    example = chance.choice(people)
    return replace(
        example, id=str(identifier), status=PARTIAL, segment="1", weight="1.0000", answers=unanswered(wave), comment=""
    )


def _row(wave: Wave, person: Person) -> Row:
    facts = {
        "id": person.id,
        "date": person.day.strftime(wave.date_format),
        "status": person.status,
        "segment": person.segment,
        "language": person.language,
        "district": person.district,
        "weight": person.weight,
        "comment": person.comment,
    }
    return Row({**{name: value for name, value in facts.items() if name in wave.columns}, **person.answers})
