"""The sheets of one workbook of the liaison groups as the secretariat types them, with merged cells and several date styles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from random import Random
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from sample_operator import people
from sample_operator.liaison.life import GROUPS, Action, Life, Meeting, Member

Row = dict[str, Any]

HEADERS = {
    "Groups": ("Group", "Name", "名稱", "Founded", "Wound up"),
    "Members": ("Group", "Member No.", "Name", "Also written as", "Constituency", "District", "Phone", "E-mail"),
    "Terms": ("Member No.", "Term", "From", "To"),
    "Meetings": ("Group", "Meeting No.", "Date", "Venue", "Chair", "Chair's office"),
    "Attendance": ("Meeting No.", "Name", "Attended"),
    "Topics": ("Meeting No.", "Topic No.", "Topic", "Issue"),
    "Actions": ("Meeting No.", "Action No.", "Follow-up", "Raised", "Due", "Done"),
    "Improvements": ("Change No.", "Issue", "Service", "Change", "Changed", "Origin", "Origin No."),
}
MERGED = {"Members": "Group", "Terms": "Member No.", "Meetings": "Group",
          "Attendance": "Meeting No.", "Topics": "Meeting No.", "Actions": "Meeting No."}  # fmt: skip
"""Sheets and the column whose equal cells are merged into one."""

MARKS = {"present": ("Y", "Yes", "✓", "Y "), "apologies": ("Apologies", "apologies"), "absent": ("N", "No")}
ROLL_TYPED_AFTER = timedelta(days=3)

CHANGES = (
    # year, month, day; issue; service; what; where it came from
    (2010, 6, 1, "counter_waiting", "counter", "Express counters at 12 busy offices", "Feedback case", "CRD2010-00602"),
    (2010, 11, 15, "missed_card", "delivery", "Collection card reworded in two languages", "Liaison action", "CLG/2010/2-A1"),
    (2011, 3, 1, "redelivery", "delivery", "Redelivery by appointment on Saturdays", "Liaison action", "CLG/2010/3-A1"),
    (2011, 9, 1, "staff_attitude", "counter", "Courtesy training for all counter staff", "Feedback case", "CRD2011-00155"),
    (2012, 2, 1, "website", "online", "Tracking on the mobile website", "Liaison action", "CLN/2011/2-A1"),
    (2012, 7, 3, "delay", "mail_processing", "Second sorting run on Mondays", "Feedback case", "CRD2012-00034"),
    (2012, 10, 2, "hotline_wait", "hotline", "Call-back instead of waiting", "Liaison action", "CLG/2012/1-A1"),
    (2013, 3, 4, "charges", "", "Postage calculator at every office", "Liaison action", "PLG/2012/2-A1"),
)  # fmt: skip
"""The register of service changes; the issues are those that customers write about in the case database."""


def sheets(life: Life, year: int, told: date, chance: Random) -> dict[str, list[Row]]:
    """The rows of each sheet of a year's workbook as it stood on the day `told`."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    # A meeting of the next three months is planned already.
    meetings = [m for m in life.meetings if m.day.year == year and m.day <= told + timedelta(days=90)]
    members = [m for m in life.members if m.holds_office(first, last)]
    return {
        "Groups": [_group(code, chance) for code, (_, _, founded, _) in GROUPS.items() if founded <= last],
        "Members": [_member(member) for member in members],
        "Terms": [
            {"Member No.": member.number, "Term": n, "From": typed(start, chance), "To": typed(end, chance)}
            for member in members
            for n, (start, end) in enumerate(member.terms, start=1)
            if start <= last and end >= first
        ],
        "Meetings": [meeting_row(meeting, chance) for meeting in meetings],
        "Attendance": [
            row for meeting in meetings if meeting.day + ROLL_TYPED_AFTER <= told for row in roll(meeting, life, chance)
        ],
        "Topics": [
            {"Meeting No.": meeting.number, "Topic No.": number, "Topic": title, "Issue": issue}
            for meeting in meetings if meeting.day <= told
            for number, title, issue in meeting.topics
        ],
        "Actions": list(_actions(life, year, told, chance)),
        "Improvements": [
            {"Change No.": f"SC-{y}-{n:02d}", "Issue": issue, "Service": service, "Change": what,
             "Changed": typed(date(y, month, day), chance), "Origin": origin, "Origin No.": number}
            for n, (y, month, day, issue, service, what, origin, number) in enumerate(CHANGES, start=1)
            if y == year and date(y, month, day) <= told
        ],
    }  # fmt: skip


def typed(day: date, chance: Random) -> date | str:
    """A day as somebody types it: a date cell of the spreadsheet, or text in one of four styles."""
    styles = (
        day,
        day,
        f"{day.day}/{day.month}/{day.year}",
        f"{day:%Y-%m-%d}",
        f"{day.day} {day:%b} {day.year}",
        _chinese(day),
    )
    return chance.choice(styles)


def meeting_row(meeting: Meeting, chance: Random) -> Row:
    """A row of the sheet Meetings; the Postmaster General's office is spelled as it comes."""
    office = meeting.office
    if office == "Postmaster General":
        office = chance.choice(("Postmaster General", "PMG", "Postmaster-General", "postmaster general "))
    return {"Group": meeting.group, "Meeting No.": meeting.number, "Date": typed(meeting.day, chance),
            "Venue": "General Post Office", "Chair": "Ms Example Sample", "Chair's office": office}  # fmt: skip


def roll(meeting: Meeting, life: Life, chance: Random) -> list[Row]:
    """The roll of a meeting, members by the name that the clerk typed; some who were absent are not in it."""
    member = {m.number: m for m in life.members}
    return [
        {
            "Meeting No.": meeting.number,
            "Name": _spelled(member[number], chance),
            "Attended": chance.choice(MARKS[answer]),
        }
        for number, answer in meeting.roll.items()
        if answer in MARKS
    ]


def action_row(meeting: Meeting, action: Action, told: date, chance: Random) -> Row:
    """A row of the sheet Actions, as known on the day `told`."""
    done = typed(action.done, chance) if action.done and action.done <= told else None
    return {"Meeting No.": meeting.number, "Action No.": action.number, "Follow-up": action.title,
            "Raised": typed(action.raised, chance), "Due": typed(action.due, chance), "Done": done}  # fmt: skip


def write(rows: dict[str, list[Row]], year: int) -> Workbook:
    """The workbook: each sheet has a title over all its columns, its header in row 3, and blanks after its last row."""
    book = Workbook()
    book.remove(book.active)
    for name, headers in HEADERS.items():
        sheet = book.create_sheet(name)
        sheet.append([f"{name} of the liaison groups, {year}"])
        sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(headers))
        sheet.append([])
        sheet.append(headers)
        for row in rows[name]:
            sheet.append([row.get(header) for header in headers])
        if name in MERGED:
            _merge(sheet, [row[MERGED[name]] for row in rows[name]], headers.index(MERGED[name]) + 1)
        sheet.append([" "])
        sheet.append([None, " "])
    return book


def _merge(sheet: Worksheet, values: list[str], column: int) -> None:
    row = 4
    for _, equal in groupby(values):
        rows = len(list(equal))
        if rows > 1:
            sheet.merge_cells(start_row=row, end_row=row + rows - 1, start_column=column, end_column=column)
        row += rows


def _group(code: str, chance: Random) -> Row:
    english, chinese, founded, _ = GROUPS[code]
    return {"Group": code, "Name": english, "名稱": chinese, "Founded": typed(founded, chance)}


def _member(member: Member) -> Row:
    person = people.member_of_public(member.person, chinese=False)
    return {"Group": member.group, "Member No.": member.number, "Name": person.name, "Also written as": _alias(member),
            "Constituency": member.constituency, "District": member.district,
            "Phone": person.phone, "E-mail": person.email}  # fmt: skip


def _alias(member: Member) -> str | None:
    """Every third member is written in Chinese now and then."""
    return people.member_of_public(member.person, chinese=True).name if member.person % 3 == 0 else None


def _spelled(member: Member, chance: Random) -> str:
    name = people.member_of_public(member.person, chinese=False).name
    surname, *others = name.split()
    given = "-".join(others)
    return chance.choice((name, name, f"{surname.upper()}, {given}", f"{given} {surname}", _alias(member) or name))


def _actions(life: Life, year: int, told: date, chance: Random) -> Iterator[Row]:
    """Actions raised in the year, and those of the year before that were still open when it began."""
    for meeting in life.meetings:
        for action in meeting.actions:
            carried = action.raised.year == year - 1 and (action.done is None or action.done.year >= year)
            if action.raised <= told and (action.raised.year == year or carried):
                yield action_row(meeting, action, told, chance)


def _chinese(day: date) -> str:
    """二○一二年十一月五日, with U+25CB for zero."""
    numerals = "○一二三四五六七八九"
    year = "".join(numerals[int(digit)] for digit in str(day.year))
    return f"{year}年{_spoken(day.month)}月{_spoken(day.day)}日"


def _spoken(number: int) -> str:
    tens, ones = divmod(number, 10)
    numerals = ("", *"一二三四五六七八九")
    return ("" if tens == 0 else "十" if tens == 1 else numerals[tens] + "十") + numerals[ones]
