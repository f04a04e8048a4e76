"""Seven waves of a real survey nobody here made, read through code books written from its public dictionaries."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from crw import contracts
from crw.settings import CLOCK
from crw.sources import Interval, files
from tests.survey_drop import by_question, rows_of

CODE_BOOKS = Path(__file__).parent / "code_books"
ALL = Interval(datetime(2010, 1, 1, tzinfo=CLOCK), datetime(2018, 1, 1, tzinfo=CLOCK))

# Top-two-box share of the overall item, computed independently: unweighted, weighted, valid answers, effective sample.
PUBLISHED = {
    "2010": ("75.4", "74.1", 3093, 2683),
    "2011": ("75.4", "75.4", 3694, 3694),
    "2012": ("78.8", "78.8", 3348, 3348),
    "2013": ("79.3", "79.3", 3334, 2709),
    "2014": ("78.9", "79.3", 2677, 1951),
    "2015": ("80.0", "80.5", 2810, 1994),
    "2016": ("81.0", "81.4", 2919, 2372),
}
ROWS = {"2010": 3234, "2011": 3872, "2012": 3521, "2013": 3535, "2014": 2818, "2015": 2958, "2016": 3087}
ARRIVED = datetime(2017, 8, 25, tzinfo=CLOCK).timestamp()


@pytest.fixture(scope="module")
def drop(real_data, tmp_path_factory):
    source = real_data / "survey_sfo"
    if not source.exists():
        pytest.skip(f"no SFO survey files at {source}")
    folder = tmp_path_factory.mktemp("sfo")
    for path in [*source.glob("*.csv"), *CODE_BOOKS.glob("*.codebook.yml")]:
        os.utime(shutil.copy(path, folder), (ARRIVED, ARRIVED))
    return folder


@pytest.fixture(scope="module")
def waves(drop):
    """Rows read and rejections, by wave."""
    table = contracts.table("survey", "respondent")
    batch = files.read(table, drop, ALL)
    read = {name[:4]: ([], []) for name in batch.deliveries.values()}
    wave_of = {delivery_id: name[:4] for delivery_id, name in batch.deliveries.items()}
    questions = files.read(contracts.table("survey", "question"), drop, ALL).blocks
    for row in by_question(rows_of(batch), list(map(json.loads, questions))):
        read[wave_of[row["delivery_id"]]][0].append(row)
    for rejection in batch.rejected:
        read[wave_of[rejection.record["delivery_id"]]][1].append(rejection)
    return read


@pytest.mark.parametrize("wave", PUBLISHED)
def test_the_overall_item_comes_out_as_computed_independently(waves, wave):
    n = satisfied = 0
    weight = weight_satisfied = weight_squared = 0.0
    for row in waves[wave][0]:
        code, w = row["answers"]["overall"], float(row["weight"])
        if code in {"1", "2", "3", "4", "5"}:
            n += 1
            satisfied += code in {"4", "5"}
            weight += w
            weight_satisfied += w * (code in {"4", "5"})
            weight_squared += w * w
    unweighted, weighted = f"{100 * satisfied / n:.1f}", f"{100 * weight_satisfied / weight:.1f}"
    assert (unweighted, weighted, n, round(weight**2 / weight_squared)) == PUBLISHED[wave]


@pytest.mark.parametrize("wave", ROWS)
def test_no_respondent_is_lost(waves, wave):
    rows, rejected = waves[wave]
    assert len(rows) + len(rejected) == ROWS[wave]
    assert len({row["respondent_id"] for row in rows}) == len(rows)
    assert len(rejected) <= 10


def test_interview_days_fall_into_the_fieldwork(drop, waves):
    for delivery in map(json.loads, files.read(contracts.table("survey", "delivery"), drop, ALL).blocks):
        days = {row["interviewed_on"] for row in waves[delivery["wave_code"]][0]} - {"", None}
        assert delivery["fieldwork_start"] <= min(days) <= max(days) <= delivery["fieldwork_end"]
