"""The sample workbooks as the reader finds them: printed figures, dirt as planted, two spellings that are one member."""

from __future__ import annotations

import json
from datetime import datetime

import openpyxl
import pytest

from crw import contracts
from crw.settings import CLOCK
from crw.sources import Batch, Interval, folder
from crw.sources.pseudonym import of_name
from sample_operator import liaison, people
from sample_operator.liaison.life import live
from tests.sample_operator.conftest import refused, validate_night

SECRET = b"test"
NIGHT = Interval(datetime(2013, 3, 31, tzinfo=CLOCK), datetime(2013, 4, 1, tzinfo=CLOCK))


@pytest.fixture(scope="module")
def drop(tmp_path_factory):
    where = tmp_path_factory.mktemp("drop")
    liaison.build(where)
    return where


@pytest.fixture(scope="module")
def records(drop):
    """What the reader finds on the night of 31 March 2013, by table."""
    return {
        table.name: [json.loads(block) for block in folder.read(table, drop, NIGHT, SECRET).blocks]
        for table in contracts.sources()["liaison"]
    }


def of_year(records, table, year):
    return [row for row in records[table] if row["file_name"].endswith(f"{year}.xlsx")]


def test_the_figures_printed_for_2009(records, database):
    assert len(of_year(records, "group", 2009)) == 2
    assert len(of_year(records, "meeting", 2009)) == 12
    assert len(of_year(records, "topic", 2009)) == 22
    ends = [row["term_to"] for row in of_year(records, "term", 2009)]
    (in_office,) = database.execute(
        "select count(*) from unnest(%s::text[]) as term_to where raw.typed_date(term_to) >= '2009-12-31'", [ends]
    ).fetchone()
    assert (in_office, len(ends)) == (60, 62)


def test_the_rows_refused_are_those_planted(records, database):
    """Landed and validated as on the night; the info rules report and refuse nothing."""

    def read(load):
        return Batch("json", map(json.dumps, records[load.table.name]))

    validate_night(database, contracts.sources()["liaison"], read)
    assert refused(database) == liaison.planted()


def test_a_roll_in_several_spellings_is_of_members(records):
    members = {
        (row["delivery_id"], key) for row in records["member"] for key in (row["name_key"], row["alias_key"]) if key
    }
    strangers = [row for row in records["attendance"] if (row["delivery_id"], row["name_key"]) not in members]
    assert len(strangers) == liaison.planted()["attendance", "attendee_known"]
    aliases = {row["alias_key"] for row in records["member"]} - {None}
    assert sum(row["name_key"] in aliases for row in records["attendance"]) > 50


def test_names_are_typed_in_many_ways_and_leave_as_one_pseudonym_each(drop, records):
    sheet = openpyxl.load_workbook(drop / "2010-01-15" / "Liaison_groups_2009.xlsx")["Attendance"]
    typed = {row[1].value for row in sheet.iter_rows(min_row=4) if row[1].value and row[1].value.strip()}
    assert len(typed) > 1.5 * len({row["name_key"] for row in of_year(records, "attendance", 2009)})
    everything = json.dumps(records, ensure_ascii=False)
    assert "Sample 7" not in everything
    assert "示例" not in everything
    assert of_name(people.member_of_public(70001, chinese=False).name, SECRET) in everything


def test_dates_are_typed_in_every_style_and_cells_are_merged(drop, records):
    dates = " ".join(row["held_on"] for row in records["meeting"])
    assert all(style in dates for style in ("/2012", "月", " 00:00:00", "-1"))
    assert any(month in dates for month in (" May ", " Nov ", " Mar "))
    book = openpyxl.load_workbook(drop / "2010-01-15" / "Liaison_groups_2009.xlsx")
    assert all(len(book[sheet].merged_cells.ranges) > 1 for sheet in ("Members", "Meetings", "Attendance", "Topics"))


def test_the_correction_takes_the_phantom_meeting_out(records):
    told = {row["file_name"][:10] for row in records["meeting"] if row["meeting_no"] == liaison.PHANTOM}
    assert told == {"2013-01-18"}


def test_2013_grows(drop):
    rows = {}
    for arrived in ("2013-03-22", "2013-04-12", "2013-04-26"):
        book = openpyxl.load_workbook(drop / arrived / "Liaison_groups_2013.xlsx")
        rows[arrived] = {sheet.title: sheet.max_row for sheet in book}
    first, second, third = rows.values()
    assert first != second
    assert first["Attendance"] <= second["Attendance"] < third["Attendance"]


def test_files_have_the_time_they_arrived(drop):
    for year, arrived in liaison.DELIVERIES:
        path = drop / f"{arrived:%Y-%m-%d}" / f"Liaison_groups_{year}.xlsx"
        assert datetime.fromtimestamp(path.stat().st_mtime, CLOCK) == arrived.replace(tzinfo=CLOCK)


@pytest.mark.parametrize("seed", range(5))
def test_the_printed_figures_hold_for_any_seed(seed):
    life = live(seed)
    last_day = datetime(2009, 12, 31).date()
    held = [meeting for meeting in life.meetings if meeting.day.year == 2009]
    assert sum(member.holds_office(last_day, last_day) for member in life.members) == 60
    assert (len(held), sum(len(meeting.topics) for meeting in held)) == (12, 22)
