"""The sample deliveries: printed shares come out of the files, and dirt is as planted."""

from __future__ import annotations

import collections
import json
from datetime import datetime

import pytest

from crw import contracts
from crw.settings import CLOCK
from crw.sources import Interval, files
from sample_operator import survey
from sample_operator.survey.dirt import DIRT
from sample_operator.survey.waves import WAVES
from tests.survey_drop import by_question, rows_of

PRINTED = {
    "2010": {"overall": "98.6", "counter": "97.9", "delivery": "98.7", "hotline": "95.5"},
    "2011": {"overall": "99.2", "counter": "97.6", "delivery": "98.7", "hotline": "97.4"},
    "2012-13": {"overall": "98.5", "counter": "96.9", "delivery": "98.5", "hotline": "96.2"},
}


@pytest.fixture(scope="module")
def drop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drop")
    survey.build(folder)
    return folder


@pytest.fixture(scope="module")
def batches(drop):
    """The three tables as read the night after the last delivery: rows by table, and the rejections."""
    night = Interval(datetime(2013, 4, 1, tzinfo=CLOCK), datetime(2013, 5, 1, tzinfo=CLOCK))
    read = {table.name: files.read(table, drop, night) for table in contracts.sources()["survey"]}
    questions = [json.loads(record) for record in read["question"].blocks]
    return {
        "delivery": [json.loads(record) for record in read["delivery"].blocks],
        "question": questions,
        "respondent": by_question(rows_of(read["respondent"]), questions),
        "rejected": read["respondent"].rejected,
    }


def latest(batches, wave):
    return max((d for d in batches["delivery"] if d["wave_code"] == wave), key=lambda d: d["delivered_at"])[
        "delivery_id"
    ]


def rows_in(batches, delivery_id):
    return [row for row in batches["respondent"] if row["delivery_id"] == delivery_id]


def share(batches, delivery_id, code):
    question = next(q for q in batches["question"] if (q["delivery_id"], q["question_code"]) == (delivery_id, code))
    valid = satisfied = 0.0
    for row in rows_in(batches, delivery_id):
        if row["answers"][code] in question["valid_codes"] and float(row["weight"]) > 0:
            valid += float(row["weight"])
            satisfied += float(row["weight"]) * (row["answers"][code] in question["top_codes"])
    return f"{100 * satisfied / valid:.1f}"


@pytest.mark.parametrize("wave", PRINTED)
def test_the_printed_shares_come_out(batches, wave):
    assert {code: share(batches, latest(batches, wave), code) for code in PRINTED[wave]} == PRINTED[wave]


def test_the_first_2010_file_says_something_else(batches):
    first = min((d for d in batches["delivery"] if d["wave_code"] == "2010"), key=lambda d: d["delivered_at"])
    assert first["file_name"] == "2010/PO_CSS_2010.csv"
    assert share(batches, first["delivery_id"], "overall") not in ("98.6", "98.5", "98.7")


def test_files_sent_again_are_no_deliveries(batches):
    assert [d["file_name"] for d in batches["delivery"]] == [
        "2009/PO_CSS_2009.xlsx",
        "2010/PO_CSS_2010.csv",
        "2010_corrected/PO_CSS_2010.csv",
        "2011/PO_CSS_2011.csv",
        "2012-13/PO_CSS_FY2012_13.sav",
    ]


def test_files_have_the_time_they_arrived(drop):
    for _, folder, arrived, _ in survey.DELIVERIES:
        for path in (drop / folder).iterdir():
            assert datetime.fromtimestamp(path.stat().st_mtime, CLOCK) == arrived.replace(tzinfo=CLOCK)


def test_every_row_is_read_or_refused(batches):
    for wave, respondents in (("2009", 2264), ("2010", 2268), ("2011", 2273), ("2012-13", 2270)):
        delivery_id = latest(batches, wave)
        rows = rows_in(batches, delivery_id)
        refused = [r for r in batches["rejected"] if r.record["delivery_id"] == delivery_id]
        dirty = sum(d.rows.get(wave, 0) for d in DIRT.values() if d.caught_by != "cleaned")
        assert len(rows) + len(refused) == respondents + round(respondents * 0.011) + dirty
        assert sum(row["is_complete"] == "true" for row in rows) == respondents
        assert len(refused) == sum(d.rows.get(wave, 0) for d in DIRT.values() if d.caught_by == "reader")


def test_dirt_for_the_suite_is_as_planted(batches):
    planted = survey.planted()
    codes = {
        (q["delivery_id"], q["question_code"]): {*q["valid_codes"], *q["not_applicable_codes"], *q["blank_codes"], None}
        for q in batches["question"]
    }
    for wave in WAVES:
        delivery_id = latest(batches, wave)
        rows = rows_in(batches, delivery_id)
        ids = collections.Counter(row["respondent_id"] for row in rows)
        found = {
            "duplicate_id": sum(n for n in ids.values() if n > 1),
            "negative_weight": sum(float(row["weight"]) <= 0 for row in rows),
            "interviewed_in_the_future": sum((row["interviewed_on"] or "") > row["delivered_at"] for row in rows),
            "code_outside_code_book": sum(
                any(answer not in codes[delivery_id, code] for code, answer in row["answers"].items()) for row in rows
            ),
        }
        assert found == {what: planted.get((wave, what), 0) for what in found}


def test_weights_average_one(batches):
    for wave in PRINTED:
        weights = [float(r["weight"]) for r in rows_in(batches, latest(batches, wave)) if r["is_complete"] == "true"]
        assert sum(weights) / len(weights) == pytest.approx(1, abs=0.001)
        assert len(set(weights)) > 20


def test_the_comments_hold_what_makes_encodings_hard(drop):
    big5 = (drop / "2010_corrected/PO_CSS_2010.csv").read_bytes().decode("big5hkscs", errors="replace")
    assert all(character in big5 for character in "嘅咗埗邨啓功許蓋育")
    utf8 = (drop / "2011/PO_CSS_2011.csv").read_bytes()
    assert utf8.startswith(b"\xef\xbb\xbf")
    assert "\u00a0😀".encode() in utf8


def test_scale_multiplies_the_sample(tmp_path):
    survey.build(tmp_path, scale=0.1)
    night = Interval(datetime(2009, 1, 1, tzinfo=CLOCK), datetime(2010, 3, 1, tzinfo=CLOCK))
    (delivery,) = map(json.loads, files.read(contracts.table("survey", "delivery"), tmp_path, night).blocks)
    assert delivery["eligible_sample"] == 412
