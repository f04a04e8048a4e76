"""A world in which hardly anything happens, and what does is lawful and odd: every gate must let it pass.

It is looked at on a leap day. One case is of 1999 and took twelve years, one fell on a leap day, the last was merged; one company is
in one club, and nobody joined since; all who were asked gave the same answer, more than were asked, and one wave nobody
answered; a campaign contacted one company, which responded.
"""

from __future__ import annotations

from tests.dbt import world
from tests.dbt.world_campaign import contact, response
from tests.dbt.world_engagement import email_event
from tests.dbt.world_liaison import GROUPS, workbook

NIGHT = "2016-02-29"
LEAP = "2012-02-29"
EQUAL = {**world.WAVE_2010, "wave_code": "equal", "eligible_sample": 2}
UNANSWERED = {**world.WAVE_2012, "wave_code": "unanswered"}


def fill(warehouse) -> None:
    """Write all of it, as one night."""
    put = warehouse.put
    put("feedback", "category", NIGHT, 1, *world.CATEGORIES)
    put(
        "feedback", "cases", NIGHT, 2,
        world.case("O1", "C-DELAY", "1999-06-01 09:00+08", closed_at="2011-09-01 09:00+08"),
        world.case("O2", "C-DELAY", f"{LEAP} 09:00+08", company_id="K1", status="open"),
        world.case("O3", "P-STAFF", "2015-12-31 09:00+08", status="merged"),
    )  # fmt: skip
    put(
        "feedback", "case_event", NIGHT, 3,
        world.event(1, "O1", "acknowledged", "2011-08-30 09:00+08"), world.event(2, "O1", "replied", "2011-09-01 09:00+08"),
    )  # fmt: skip
    put("membership", "company", NIGHT, 4, {"company_id": "K1"})
    put("membership", "membership", NIGHT, 5, world.membership("m1", "K1", "eclub", LEAP))
    world.survey(warehouse, 6, NIGHT, "d1", EQUAL, [("5", 1)] * 3)
    world.survey(warehouse, 7, NIGHT, "d2", UNANSWERED, [])
    campaign = {"campaign_id": "P1", "campaign_name": "One", "kind_code": "campaign", "starts_on": "2013-05-01"}
    put("campaign", "campaign", NIGHT, 8, campaign, campaign | {"campaign_id": "P2"})
    put(
        "campaign", "campaign_contact", NIGHT, 9,
        contact("c1", "P1", "K1", "2013-05-02", has_consent=True), contact("c2", "P2", "K1", "2013-07-01", has_consent=True),
    )  # fmt: skip
    put("campaign", "campaign_response", NIGHT, 10, response("r1", "P1", "K1", "order", "2013-05-02 10:00+08"))
    # What became of a message may be told before that it was sent, or without it.
    put("engagement", "email_event", NIGHT, 11, email_event(1, "p1", '"enews-2013-01"', "open", "2013-01-08 10:00+08"))
    put(
        "engagement",
        "activity",
        NIGHT,
        12,
        {"activity_id": "A1", "kind": "seminar", "held_on": "2013-03-14", "seats": 8},
    )
    calls = {"offered": 0, "answered": 0, "abandoned": 0, "wait_seconds": 0, "answered_within_20s": 0}
    put("engagement", "hotline_interval", NIGHT, 13, {"call_date": LEAP, "start_time": "09:00", **calls})
    visits = {"visits": 0, "logins": 0, "page_views": 0, "downloads": 0}
    put("engagement", "website_day", NIGHT, 14, {"date_day": LEAP, **visits})
    change = {
        "change_no": "S1",
        "issue_code": "delay",
        "changed_on": "29/2/2012",
        "origin_kind": "feedback case",
        "origin_no": "O1",
    }
    workbook(warehouse, 15, NIGHT, "w1", "L.xlsx", group=GROUPS, improvement=[change])
