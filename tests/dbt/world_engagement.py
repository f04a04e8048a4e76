"""The small world's engagement, written by hand; every figure can be counted on fingers."""

from __future__ import annotations

from datetime import datetime

PEOPLE = {"p1": "K1", "p2": "K1", "p3": "K2", "p4": "K2", "p5": "K3"}
"""Contact persons that the CRM knows, by pseudonym. p6 and p7 it does not know."""
REQUESTED = {"p6": "2012-12-20 11:05+08", "p7": "2012-12-19 16:40+08"}
"""Between these and 8 January 2013 lie Christmas, the day after and New Year: ten and eleven working days."""


def email_event(number: int, person: str, category: str | list, event_type: str, at: str, **others) -> dict:
    """An event of the newsletter; `category` is JSON, `at` an ISO time with its offset."""
    row = {"event_id": f"e{number}", "person_key": person, "category": category, "event_type": event_type}
    return {**row, "occurred_epoch": int(datetime.fromisoformat(at).timestamp()), "delivered_at": at, **others}


def _events() -> list[dict]:
    """Issue a of 11 December 2012 went to p1-p7 and was opened by p1, and by p2's mail program; issue b of 8 January 2013
    to p2, p3, p4, p5 (which bounced), and to p6 and p7, who had asked not to get it."""
    a, b = '"enews-2012-12"', ["enews-2013-01", "e-club"]
    first, second = "2012-12-11 10:00+08", "2013-01-08 10:00+08"
    told = [(f"p{n}", a, "delivered", first, {}) for n in range(1, 8)]
    told += [("p1", a, "open", "2012-12-11 23:59+08", {}), ("p1", a, "click", "2012-12-12 00:01+08", {})]
    told += [("p2", a, "open", "2012-12-11 10:01+08", {"is_machine_open": True})]
    told += [(person, a, "unsubscribe", at, {}) for person, at in REQUESTED.items()]
    told += [(f"p{n}", b, "bounce" if n == 5 else "delivered", second, {}) for n in range(2, 8)]
    told += [("p3", b, "open", "2013-01-09 09:00+08", {})]
    return [email_event(number, *row, **others) for number, (*row, others) in enumerate(told, 1)]


def first_nights(warehouse) -> None:
    """What raw holds after the night of 30 March 2013."""
    contacts = [
        {"contact_id": f"c-{person}", "company_id": company, "person_key": person} for person, company in PEOPLE.items()
    ]
    warehouse.put("membership", "contact", "2013-03-30", 51, *contacts)
    warehouse.put("engagement", "email_event", "2013-03-30", 52, *_events())
    warehouse.put(
        "engagement", "activity", "2013-03-30", 53,
        {"activity_id": "S1", "kind": "Seminar ", "held_on": "2013-03-14", "seats": 8},
        {"activity_id": "X1", "kind": "expo", "held_on": "2012-11-08"},
        {"activity_id": "S2", "kind": "seminar", "held_on": "2013-04-18", "seats": 8},
    )  # fmt: skip
    # Six registered for S1 of whom the list before says nothing; three came to the expo, too few to be told of.
    # The first and the second of the six registered again, under another number.
    listed = [
        {"registration_id": f"S1-{n}", "activity_id": "S1", "person_key": f"q{n % 10}", "is_walk_in": False}
        for n in (*range(1, 7), 11, 12)
    ]
    came = [
        {"registration_id": f"X1-{n}", "activity_id": "X1", "company_id": " k2", "attended": True, "is_walk_in": n == 3}
        for n in range(1, 4)
    ]
    warehouse.put("engagement", "registration", "2013-03-30", 54, *listed, *came)
    warehouse.put(
        "engagement", "hotline_interval", "2013-03-30", 55,
        {"call_date": "2013-03-28", "start_time": "09:00", "offered": 5, "answered": 4, "abandoned": 1,
         "wait_seconds": 50, "answered_within_20s": 3},
        {"call_date": "2013-03-28", "start_time": "09:15", "offered": 0, "answered": 0, "abandoned": 0,
         "wait_seconds": 0, "answered_within_20s": 0},
    )  # fmt: skip
    day = {"date_day": "2013-03-30", "visits": 10, "logins": 4, "page_views": 90, "downloads": 1}
    warehouse.put("engagement", "website_day", "2013-03-30", 56, day)


def last_night(warehouse) -> None:
    """What 31 March 2013 brings: a late event, the list of who came to S1, a corrected day, and whom p6 speaks for."""
    late = email_event(90, "p4", '"enews-2012-12"', "open", "2012-12-31 12:00+08")
    warehouse.put("engagement", "email_event", "2013-03-31", 61, late)
    came = [
        {"registration_id": f"S1-{n}", "activity_id": "S1", "company_id": "K1", "person_key": f"q{n}",
         "attended": n < 5, "is_walk_in": False}
        for n in range(1, 7)
    ]  # fmt: skip
    walked_in = {"registration_id": "S1-7", "activity_id": "S1", "attended": True, "is_walk_in": True}
    # One night reads the list of before and of after, as after a missed night; and a day's first and second correction.
    before, after = {"delivered_at": "2013-03-08 19:30+08"}, {"delivered_at": "2013-03-14 19:30+08"}
    amended = [row | {"file_name": "after"} | after for row in [*came, walked_in]]
    expected = [row | {"attended": None, "file_name": "before"} | before for row in came]
    warehouse.put("engagement", "registration", "2013-03-31", 62, *amended, *expected)
    day = {"date_day": "2013-03-30", "visits": 10, "logins": 4, "page_views": 30, "downloads": 1}
    warehouse.put(
        "engagement", "website_day", "2013-03-31", 63,
        day | {"file_name": "second"} | after, day | {"page_views": 60, "file_name": "first"} | before,
    )  # fmt: skip
    warehouse.put(
        "membership", "contact", "2013-03-31", 64, {"contact_id": "c-p6", "company_id": "K3", "person_key": "p6"}
    )
