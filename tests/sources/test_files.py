"""The files reader: which deliveries are due, what is refused whole, and what of a delivery reaches landing."""

from __future__ import annotations

import json
from datetime import date, datetime

import psycopg
import pytest
from tests.survey_drop import BOOK, GOOD, HEADER, NIGHT, RESPONDENT, csv_of, deliver, respondents

from crw import contracts, landing, ledger
from crw.contracts import ContractError
from crw.settings import CLOCK
from crw.sources import files


def test_a_row_comes_out_in_the_contracts_columns(tmp_path):
    deliver(tmp_path, csv_of(GOOD), "2010/wave.csv")
    (row,), rejected = respondents(tmp_path)
    assert rejected == []
    assert len(row.pop("delivery_id")) == 64
    assert row == {
        "respondent_id": "1",
        "interviewed_on": "2010-11-05",
        "weight": "0.5",
        "is_weighted": "true",
        "is_complete": "true",
        "segment": None,
        "language": "en",
        "district_code": None,
        "consented_company_id": None,
        "answers": ["3", "2"],
        "delivered_at": "2011-02-10T18:00:00+08:00",
    }


def test_a_company_number_leaves_the_file_with_consent_alone(tmp_path):
    linked = BOOK["respondent"] | {"company_id": "Q2", "consent": {"column": "NOTE", "codes": [1]}}
    book = {"respondent": linked, "questions": BOOK["questions"][:1], "ignored": []}
    lines = ["1,1,,1,3,C1,1", "2,1,,1,3,C2,2", "3,1,,1,3,C3,", "4,x,,1,3,C4,9", "5,1,,1,3,,1"]
    deliver(tmp_path, csv_of(*lines), **book)
    rows, (rejection,) = respondents(tmp_path)
    assert {row["respondent_id"]: row["consented_company_id"] for row in rows} == {"1": "C1", "2": "", "3": "", "5": ""}
    assert rejection.record["consented_company_id"] is None
    assert "C4" not in str(rejection)


def test_an_empty_folder_is_an_empty_batch(tmp_path):
    for table in contracts.sources()["survey"]:
        batch = files.read(table, tmp_path, NIGHT)
        assert (list(batch.blocks), batch.rejected, batch.deliveries) == ([], [], {})


def test_a_file_without_rows_is_an_empty_delivery(tmp_path):
    deliver(tmp_path, HEADER)
    assert respondents(tmp_path) == ([], [])
    assert len(files.read(RESPONDENT, tmp_path, NIGHT).deliveries) == 1


def test_only_what_arrived_before_the_end_of_the_interval_is_due(tmp_path):
    deliver(tmp_path, csv_of(GOOD), "old.csv", at=datetime(2001, 1, 1, tzinfo=CLOCK))
    deliver(tmp_path, csv_of(GOOD, GOOD), "at_the_end.csv", at=NIGHT.end)
    assert list(files.read(RESPONDENT, tmp_path, NIGHT).deliveries.values()) == ["old.csv"]


def test_a_file_sent_twice_is_one_delivery_and_a_corrected_one_another(tmp_path):
    deliver(tmp_path, csv_of(GOOD), "b/wave.csv", at=datetime(2011, 1, 1, tzinfo=CLOCK))
    deliver(tmp_path, csv_of(GOOD), "a/wave.csv")
    deliver(tmp_path, csv_of(GOOD, GOOD), "c/wave.csv")
    batch = files.read(RESPONDENT, tmp_path, NIGHT)
    assert list(batch.deliveries.values()) == ["b/wave.csv", "c/wave.csv"]
    first, second = batch.deliveries
    assert list(files.read(RESPONDENT, tmp_path, NIGHT, published=frozenset([first])).deliveries) == [second]


def test_a_changed_code_book_makes_another_delivery(tmp_path):
    deliver(tmp_path, csv_of(GOOD), "a.csv")
    deliver(tmp_path, csv_of(GOOD), "b.csv", eligible_sample=101)
    assert len(files.read(RESPONDENT, tmp_path, NIGHT).deliveries) == 2


def test_delivery_and_question_rows_have_the_contracts_fields(tmp_path):
    deliver(tmp_path, csv_of(GOOD))
    (delivery,) = map(json.loads, files.read(contracts.table("survey", "delivery"), tmp_path, NIGHT).blocks)
    assert delivery["wave_code"] == "2010"
    assert (delivery["encoding"], delivery["eligible_sample"], delivery["fieldwork_start"]) == ("utf-8", 100, None)
    questions = list(map(json.loads, files.read(contracts.table("survey", "question"), tmp_path, NIGHT).blocks))
    assert [(q["question_code"], q["column_name"], q["top_codes"]) for q in questions] == [
        ("overall", "Q1", ["2", "3"]),
        ("counter", "Q2", ["2", "3"]),
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("ID,WT,DT,LANG,Q1,NOTE", "wave.csv: column Q2 is in the code book but not in the file"),
        ("ID,WT,DT,LANG,Q1,Q2,Q1", "wave.csv: column Q1 is there 2 times"),
        ("ID,WT,DT,LANG,Q1,Q2,PHONE", "wave.csv: column PHONE is neither in the code book nor listed under `ignored`"),
        ("", "wave.csv: no header in row 1"),
    ],
)
def test_columns_that_do_not_match_fail_the_load(tmp_path, header, message):
    deliver(tmp_path, header + "\n" + GOOD)
    with pytest.raises(ContractError, match=message.replace(".", r"\.")):
        files.read(RESPONDENT, tmp_path, NIGHT)


def land(database, folder):
    load = ledger.start_load(database, RESPONDENT, date(2011, 2, 10), "r")
    landing.land(database, load, files.read(RESPONDENT, folder, NIGHT))


def test_postgresql_takes_the_blocks_as_they_are(tmp_path, database: psycopg.Connection):
    note = {"code": "note", "column": "NOTE", "text": "?", "scale": "category", "valid": ["x"]}
    notes = ['"back\\slash, ""quote"" and\nnew line 😀"', "null", "{}", '"a,b"', "  ", "\\", "好"]
    lines = [f'{n},1e-3,,2,,"2",{note}' for n, note in enumerate(notes, start=2)]
    deliver(tmp_path, csv_of(GOOD, *lines), questions=[*BOOK["questions"], note], ignored=[])
    land(database, tmp_path)
    rows = database.execute(
        "select weight, interviewed_on, segment, answers::text[] from landing.survey__respondent order by respondent_id"
    ).fetchall()
    assert rows[0][1:3] == (date(2010, 11, 5), None)
    assert (float(rows[1][0]), rows[1][1]) == (0.001, None)
    assert rows[1][3] == [None, "2", 'back\\slash, "quote" and\nnew line 😀']
    assert [row[3][2] for row in rows[2:]] == ["null", "{}", "a,b", None, "\\", "好"]


def test_each_delivery_lands_with_what_its_own_rows_share(tmp_path, database: psycopg.Connection):
    deliver(tmp_path, csv_of(GOOD), "weighted.csv")
    unweighted = {"id": "ID", "interviewed_on": BOOK["respondent"]["interviewed_on"]}
    deliver(tmp_path, csv_of(GOOD), "unweighted.csv", respondent=unweighted, ignored=["WT", "LANG", "NOTE"])
    land(database, tmp_path)
    rows = database.execute(
        "select delivery_id, is_weighted, weight::text, language from landing.survey__respondent"
    ).fetchall()
    assert {row[0] for row in rows} == set(files.read(RESPONDENT, tmp_path, NIGHT).deliveries)
    assert {row[1:] for row in rows} == {(True, "0.5", "en"), (False, "1", None)}
    # Nothing of it stays behind for the next load.
    defaults = (
        "select column_name from information_schema.columns where table_schema = 'landing' and column_default <> ''"
    )
    assert database.execute(defaults).fetchall() == []


def test_a_reader_that_stops_early_leaves_nothing_behind(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("CRW_SCRATCH", str(scratch))
    deliver(tmp_path / "drop", csv_of(*(f"{n},1,,1,1,1," for n in range(50_000))))
    (section,) = files.read(RESPONDENT, tmp_path / "drop", NIGHT).blocks
    assert next(section.blocks)
    (folder,) = scratch.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    section.blocks.close()
    assert list(scratch.iterdir()) == []
