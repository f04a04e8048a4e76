"""The survey contractor's drop folder: four waves in four shapes, a corrected file, files sent twice, and their dirt.

Everything is made from a seed. What the waves say is calibrated: the weighted top-two-box shares of the rows that are
fit for use come out as printed in the annual reports (98.6 / 97.9 / 98.7 / 95.5 for 2010, and so on), through
the answers and weights themselves. Dirty rows come on top and answer nothing, so that the shares hold whether a rule
drops such a row, or one of a pair, or keeps it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sample_operator.clock import arrive
from sample_operator.survey import files
from sample_operator.survey.answers import Person, interview
from sample_operator.survey.dirt import DIRT, soil
from sample_operator.survey.waves import WAVES, Wave

DELIVERIES = (
    # wave, folder, arrival, which version of it
    ("2009", "2009", datetime(2010, 2, 12, 17, 40), "final"),
    ("2010", "2010", datetime(2011, 2, 10, 18, 5), "first"),
    ("2010", "2010_corrected", datetime(2011, 3, 1, 9, 30), "final"),
    ("2011", "2011", datetime(2012, 2, 9, 16, 20), "final"),
    ("2011", "2011_resent", datetime(2012, 2, 20, 11, 0), "final"),
    ("2012-13", "2012-13", datetime(2013, 3, 28, 15, 10), "final"),
    ("2012-13", "2012-13_resent", datetime(2013, 4, 10, 10, 15), "final"),
)
"""Every delivery with its arrival on the Hong Kong clock: all deliveries of one wave have the same file name."""

MISCODED = 24
"""Respondents whose satisfaction the first 2010 file has upside down; the corrected file has it right."""


def build(folder: Path, seed: int = 2013, scale: float = 1.0) -> None:
    """Write the deliveries below `folder`, with the times they arrived.

    Args:
        folder: the drop folder; made if missing. Files of an earlier build are overwritten.
        seed: the same seed gives the same bytes.
        scale: multiplies respondents and eligible sample. Much below 1, a share may miss its printed decimal.
    """
    made: dict[str, tuple[Wave, list[Person]]] = {}
    for code, name, arrived, version in DELIVERIES:
        if code not in made:
            wave = WAVES[code].scaled(scale)
            made[code] = wave, interview(wave, seed)
        wave, people = made[code]
        rows = soil(wave, _miscoded(wave, people) if version == "first" else people, seed)
        path = folder / name / wave.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, wave, rows)
        for written in (path, files.write_code_book(path, wave)):
            arrive(written, arrived)


def planted() -> dict[tuple[str, str], int]:
    """Number of dirty rows in each delivery of a wave, by (wave, what). `survey.dirt.DIRT` says who catches them."""
    return {(wave, what): rows for what, dirt in DIRT.items() for wave, rows in dirt.rows.items()}


def _miscoded(wave: Wave, people: list[Person]) -> list[Person]:
    """The respondents as first delivered: every so many of them with the opposite of the overall answer they gave."""
    every = len(people) // MISCODED
    opposite = dict(zip(wave.scale, reversed(wave.scale), strict=True))
    return [
        replace(person, answers={**person.answers, "overall": opposite.get(person.answers["overall"], "")})
        if i % every == 0
        else person
        for i, person in enumerate(people)
    ]
