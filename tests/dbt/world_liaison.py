"""The liaison groups of the small world: the workbook of 2012, sent twice, and that of 2013."""

from __future__ import annotations

GROUPS = [
    {"group_code": "CLG", "name_en": "Customers", "founded_on": "1/4/1993"},
    {"group_code": "PLG", "name_en": "Philately", "founded_on": "1998-07-01"},
]


def workbook(warehouse, load_id: int, business_date: str, delivery: str, file_name: str, **sheets: list[dict]) -> None:
    """A delivery of a workbook: rows by table."""
    told = {"delivery_id": delivery, "file_name": file_name, "delivered_at": f"{business_date} 12:00+08"}
    for table, rows in sheets.items():
        placed = [{**row, **told, "place": f"row {number}"} for number, row in enumerate(rows, start=4)]
        warehouse.put("liaison", table, business_date, load_id, *placed)


def member(number: str, constituency: str, name: str, alias: str | None = None) -> dict:
    """A member of the customers' group."""
    return {
        "member_no": number,
        "group_code": "clg",
        "constituency": constituency,
        "name_key": name,
        "alias_key": alias,
    }


def term(number: str, first: str, last: str | None = None) -> dict:
    """A first term of office."""
    return {"member_no": number, "term_number": 1, "term_from": first, "term_to": last}


def meeting(number: str, day: str, office: str) -> dict:
    """A meeting of the customers' group."""
    return {"meeting_no": number, "group_code": "CLG", "held_on": day, "chair_office": office}


def roll(meeting_no: str, **answers: str) -> list[dict]:
    """A roll: names and marks."""
    return [{"meeting_no": meeting_no, "name_key": name, "attendance": mark} for name, mark in answers.items()]


def action(number: str, meeting_no: str, raised: str, due: str, done: str | None = None) -> dict:
    """A follow-up action."""
    return {"action_no": number, "meeting_no": meeting_no, "raised_on": raised, "due_on": due, "done_on": done}


MEMBERS = [
    *(member(f"M{n}", "Public", f"public{n}") for n in range(1, 7)),
    member("M7", " district council", "council", "議員"),
]
TERMS = [*(term(f"M{n}", "1 Jan 2012") for n in range(1, 7)), term("M7", "二○一二年一月一日", "2012-11-07 00:00:00")]
YEAR = {
    "group": GROUPS,
    "member": MEMBERS,
    "term": TERMS,
    "topic": [{"topic_no": "T1", "meeting_no": "m1", "title": "Queues", "issue_code": "counter_waiting"}],
    "improvement": [
        {
            "change_no": "S1",
            "issue_code": "delay",
            "changed_on": "1/10/2012",
            "origin_kind": "Liaison action",
            "origin_no": "A1",
        }
    ],
}


def first_nights(warehouse) -> None:
    """2012 as first sent: a second meeting that was called off, with its roll and its action."""
    workbook(
        warehouse, 31, "2013-01-18", "w1", "2013-01-18/L_2012.xlsx", **YEAR,
        meeting=[meeting("m1", "7/11/2012", "PMG"), meeting("m2", "2012-12-05", "DPMG")],
        attendance=[*roll("m1", public1="Y", public2="yes", 議員="Y"), *roll("m2", public1="Y")],
        action=[action("A1", "m1", "7/11/2012", "7/12/2012"), action("A2", "m2", "2012-12-05", "5/1/2013")],
    )  # fmt: skip


def last_night(warehouse) -> None:
    """2012 corrected, without that meeting, and 2013, in which A1 was carried over and done."""
    workbook(
        warehouse, 32, "2013-03-31", "w2", "2013-03-31/L_2012.xlsx", **YEAR,
        meeting=[meeting("m1", "7/11/2012", "Postmaster-General")],
        attendance=roll("m1", public1="Y", public2="Apologies", 議員="✓"),
        action=[action("A1", "m1", "7/11/2012", "7/12/2012")],
    )  # fmt: skip
    workbook(
        warehouse, 33, "2013-03-31", "w3", "2013-03-31/L_2013.xlsx",
        group=GROUPS, member=MEMBERS[:6], term=TERMS[:6],
        meeting=[meeting("m3", "30 May 2013", "PMG")],
        action=[action("A1", "m1", "7/11/2012", "7/12/2012", "2013-01-06 00:00:00")],
    )  # fmt: skip
