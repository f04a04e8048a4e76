"""The drop folder of the liaison groups' secretariat: one workbook a calendar year, sent again as it grows or is mended.

The figures printed for 2009 (2 groups, 60 members, 12 meetings, 22 topics) come out of the workbook of 2009. The first
workbook of 2012 has mistakes, among them a meeting that never took place; the corrected one has them mended.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from random import Random

from sample_operator.clock import arrive
from sample_operator.liaison import book
from sample_operator.liaison.book import Row
from sample_operator.liaison.life import Action, Life, Meeting, live
from sample_operator.workbook import save

DELIVERIES = (
    (2009, datetime(2010, 1, 15, 16, 40)),
    (2010, datetime(2011, 1, 14, 17, 5)),
    (2011, datetime(2012, 1, 13, 15, 30)),
    (2012, datetime(2013, 1, 18, 11, 20)),
    (2012, datetime(2013, 2, 8, 9, 45)),
    (2013, datetime(2013, 3, 22, 17, 10)),
    (2013, datetime(2013, 4, 12, 16, 0)),
    (2013, datetime(2013, 4, 26, 18, 15)),
)
"""Year of the workbook and arrival on the Hong Kong clock; all deliveries of a year have the same file name."""

MISTAKEN = DELIVERIES[3]
"""The first workbook of 2012: its dirt and its phantom meeting are not in the corrected one."""

PHANTOM = "CLG/2012/5"

DIRT: dict[int, tuple[tuple[str, str, str, Row], ...]] = {
    # year: table, the rule that refuses the row, sheet, and what a row of its own says
    2010: (
        ("member", "constituency_present", "Members",
         {"Group": "PLG", "Member No.": "PLG-901", "Name": "Staff Sample", "Constituency": "NA"}),
        ("term", "term_to_readable", "Terms",
         {"Member No.": "PLG-901", "Term": 1, "From": "1/1/2010", "To": "30 Feb 2010"}),
        ("term", "term_ends_after_it_begins", "Terms",
         {"Member No.": "PLG-902", "Term": 1, "From": "2010-07-01", "To": "30/6/2010"}),
        ("meeting", "chair_office_known", "Meetings",
         {"Group": "PLG", "Meeting No.": "PLG/2010/9", "Date": "2/12/2010", "Chair's office": "Ms Example Sample"}),
        ("attendance", "attendee_known", "Attendance",
         {"Meeting No.": "PLG/2010/3", "Name": "Visitor Sample", "Attended": "Y"}),
        ("attendance", "attendee_known", "Attendance",
         {"Meeting No.": "PLG/2010/3", "Name": "Guest Sample", "Attended": "Y"}),
    ),
    2011: (
        ("meeting", "held_on_readable", "Meetings",
         {"Group": "PLG", "Meeting No.": "PLG/2011/9", "Date": "30/2/2011", "Chair's office": "PMG"}),
        ("topic", "topic_no_unique", "Topics",
         {"Meeting No.": "CLG/2011/1", "Topic No.": "CLG/2011/1-T1", "Topic": "Typed twice"}),
        ("action", "done_on_or_after_raised", "Actions",
         {"Meeting No.": "PLG/2011/1", "Action No.": "PLG/2011/1-A9", "Raised": "2011-03-17", "Due": "17 Apr 2011",
          "Done": "2/3/2011"}),
        ("improvement", "issue_known", "Improvements",
         {"Change No.": "SC-2011-90", "Issue": "weather", "Change": "Umbrellas", "Changed": "1/5/2011",
          "Origin": "Liaison action", "Origin No.": "CLG/2010/1-A1"}),
    ),
    2012: (
        ("attendance", "attendee_known", "Attendance",
         {"Meeting No.": "PLG/2012/3", "Name": "Nobody Sample", "Attended": "Y"}),
        ("attendance", "attendance_known", "Attendance", {"Meeting No.": "PLG/2012/3", "Attended": "?"}),
        ("action", "done_on_or_after_raised", "Actions",
         {"Meeting No.": "PLG/2012/1", "Action No.": "PLG/2012/1-A9", "Raised": "2012-03-15", "Due": "15/4/2012",
          "Done": "15 Mar 2011"}),
        ("action", "raised_on_readable", "Actions",
         {"Meeting No.": "PLG/2012/1", "Action No.": "PLG/2012/1-A8", "Raised": "mid March"}),
    ),
}  # fmt: skip
"""Rows that must not get in, each wrong in one way; those of 2012 are in the first workbook of that year alone."""


def build(folder: Path, seed: int = 2013) -> None:
    """Write the deliveries below `folder`, with the times they arrived.

    Args:
        folder: the drop folder; made if missing. Files of an earlier build are overwritten.
        seed: the same seed gives the same bytes. The printed figures hold for every seed.
    """
    life = live(seed)
    for year, arrived in DELIVERIES:
        chance = Random(f"{seed} {arrived}")
        rows = book.sheets(life, year, arrived.date(), chance)
        if (year, arrived) == MISTAKEN:
            _add_phantom(rows, life, chance)
        if (year, arrived) == MISTAKEN or year != MISTAKEN[0]:
            # The bad mark is one of a real member, so that nothing else is wrong with it.
            someone = {"Name": rows["Members"][-1]["Name"]}
            for table, _, sheet, row in DIRT.get(year, ()):
                rows[sheet].append({**(someone if table == "attendance" else {}), **row})
        path = folder / f"{arrived:%Y-%m-%d}" / f"Liaison_groups_{year}.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)
        save(book.write(rows, year), path, arrived)
        arrive(path, arrived)


def planted() -> dict[tuple[str, str], int]:
    """Number of dirty rows in all deliveries, by (table, the rule that refuses them)."""
    return dict(Counter((table, rule) for dirt in DIRT.values() for table, rule, _, _ in dirt))


def _add_phantom(rows: dict[str, list[Row]], life: Life, chance: Random) -> None:
    """A meeting of the Customer Liaison Group that was called off, typed as if it had been held, with all that follows."""
    day = date(2012, 12, 13)
    present = {m.number: "present" for m in life.members if m.group == "CLG" and m.holds_office(day, day)}
    action = Action(f"{PHANTOM}-A1", "Report back: nothing", day, date(2013, 1, 13), None)
    meeting = Meeting(PHANTOM, "CLG", day, "Postmaster General", present, [], [action])
    rows["Meetings"].append(book.meeting_row(meeting, chance))
    rows["Attendance"] += book.roll(meeting, life, chance)
    rows["Topics"].append({"Meeting No.": PHANTOM, "Topic No.": f"{PHANTOM}-T1", "Topic": "Nothing", "Issue": None})
    rows["Actions"] += [book.action_row(meeting, action, day, chance)]
