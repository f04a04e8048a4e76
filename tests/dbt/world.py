"""A small world of the sources, written by hand, night by night; every figure can be counted on fingers."""

from __future__ import annotations

from tests.dbt import world_campaign, world_engagement, world_liaison

CATEGORIES = [
    {"category_code": "C-DELAY", "kind": "complaint", "issue_code": "delay"},
    {"category_code": "P-STAFF", "kind": "commendation", "issue_code": "staff_attitude"},
    {"category_code": "L-LOST", "kind": "lost_mail_claim", "issue_code": "loss"},
]
RATING = {
    "scale": "rating",
    "valid_codes": ["1", "2", "3", "4", "5"],
    "top_codes": ["4", "5"],
    "not_applicable_codes": ["6"],
    "blank_codes": ["0"],
}


def case(number: str, category: str, received_at: str, **others) -> dict:
    """A case, closed and of the counter unless told otherwise."""
    defaults = {
        "case_id": 1,
        "service_code": "counter",
        "channel_code": "phone",
        "status": "closed",
        "is_anonymous": False,
    }
    return {
        **defaults,
        "case_no": number,
        "category_code": category,
        "received_at": received_at,
        "updated_at": received_at,
        **others,
    }


def event(number: int, case_no: str, event_type: str, occurred_at: str) -> dict:
    """An event, recorded when it happened."""
    return {
        "event_id": number,
        "case_no": case_no,
        "event_type": event_type,
        "occurred_at": occurred_at,
        "recorded_at": occurred_at,
    }


def membership(number: str, company: str, club: str, joined_on: str, left_on: str | None = None) -> dict:
    """A membership."""
    return {
        "membership_id": number,
        "company_id": company,
        "club_code": club,
        "joined_on": joined_on,
        "left_on": left_on,
    }


def survey(
    warehouse, load_id: int, business_date: str, delivery: str, wave: dict, answers: list[tuple[str, float]]
) -> None:
    """A delivery of a wave with the one question `overall`; answers are (code, weight)."""
    at = {"delivered_at": f"{business_date} 12:00+08"}
    warehouse.put(
        "survey", "delivery", business_date, load_id, {"delivery_id": delivery, "file_name": "f", **wave, **at}
    )
    question = {
        "delivery_id": delivery,
        "question_code": "overall",
        "question_no": 1,
        "column_name": "Q1",
        **RATING,
        **at,
    }
    warehouse.put("survey", "question", business_date, load_id, question)
    for number, (code, weight) in enumerate(answers):
        respondent = {"delivery_id": delivery, "respondent_id": f"r{number}", "weight": weight, "is_weighted": True}
        row = {**respondent, "is_complete": True, "answers": f"{{{code}}}", **at}
        warehouse.put("survey", "respondent", business_date, load_id, row)


WAVE_2010 = {
    "wave_code": "2010",
    "period_basis": "calendar_year",
    "period_start": "2010-01-01",
    "period_end": "2010-12-31",
}
WAVE_2012 = {
    "wave_code": "2012-13",
    "period_basis": "fiscal_year",
    "period_start": "2012-04-01",
    "period_end": "2013-03-31",
}


def first_nights(warehouse) -> None:
    """What raw holds after the night of 30 March 2013."""
    warehouse.put("feedback", "category", "2010-04-01", 1, *CATEGORIES)
    warehouse.put("feedback", "post_office", "2010-04-01", 2, {"post_office_code": "GPO", "district_code": "CW"})
    warehouse.put(
        "feedback", "cases", "2013-03-30", 3,
        case("A1", "C-DELAY", "2010-04-01 09:00+08", company_id="K1", closed_at="2010-04-20 09:00+08"),
        case("A2", "C-DELAY", "2011-03-31 23:59+08", is_anonymous=True),
        case("A3", "C-DELAY", "2011-04-01 00:00+08", company_id="K9", post_office_code="GPO"),
        case("A4", "C-DELAY", "2011-05-01 09:00+08", status="merged"),
        case("A5", "P-STAFF", "2011-05-01 09:00+08", service_code="delivery", incident_date_text="二○一一年四月三十日"),
        case("A6", "L-LOST", "2012-05-02 09:00+08"),
        case("A7", "C-DELAY", "2012-05-02 09:00+08", status="withdrawn"),
    )  # fmt: skip
    warehouse.put(
        "feedback", "case_event", "2013-03-30", 4,
        event(1, "A1", "acknowledged", "2010-04-12 09:00+08"),
        event(2, "A1", "replied", "2010-04-15 09:00+08"),
        event(3, "A6", "acknowledged", "2012-05-10 09:00+08"),
    )  # fmt: skip
    warehouse.put(
        "membership", "company", "2010-04-01", 5, {"company_id": "K1"}, {"company_id": "K2"}, {"company_id": "K3"}
    )
    warehouse.put(
        "membership", "membership", "2013-03-30", 6,
        membership("m1", "K1", "eclub", "2009-01-01"),
        membership("m2", "K1", "postalplus", "2010-06-01"),
        membership("m3", "K2", "eclub", "2010-06-01", "2011-06-01"),
        membership("m4", "K2", "eclub", "2012-06-01"),
        membership("m5", "K3", "postalplus", "2009-01-01", "2012-06-01"),
    )  # fmt: skip
    survey(warehouse, 7, "2011-01-20", "d1", WAVE_2010, [("5", 1), ("4", 1), ("1", 1), ("6", 1)])
    world_campaign.first_nights(warehouse)
    world_liaison.first_nights(warehouse)
    world_engagement.first_nights(warehouse)


def last_night(warehouse) -> None:
    """What 31 March 2013 brings: an amended and a late case, a re-classified one, a late event, a company that was not
    known, a re-joining, a corrected survey file and a new wave."""
    warehouse.put(
        "feedback", "cases", "2013-03-31", 11,
        case("A1", "P-STAFF", "2010-04-01 09:00+08", company_id="K1", updated_at="2013-03-31 09:00+08"),
        case("A8", "C-DELAY", "2010-12-01 09:00+08", company_id="K4", updated_at="2013-03-31 09:00+08"),
    )  # fmt: skip
    warehouse.put("feedback", "case_event", "2013-03-31", 12, event(4, "A3", "reopened", "2013-03-31 09:00+08"))
    warehouse.put("feedback", "category", "2013-03-31", 13, {**CATEGORIES[2], "issue_code": "part_loss"})
    warehouse.put("membership", "company", "2013-03-31", 14, {"company_id": "K9"}, {"company_id": "K4"})
    warehouse.put("membership", "membership", "2013-03-31", 15, membership("m6", "K3", "eclub", "2013-03-31"))
    survey(warehouse, 16, "2013-03-31", "d2", WAVE_2010, [("5", 3), ("4", 1), ("1", 1), ("3", 1)])
    survey(warehouse, 17, "2013-03-31", "d3", WAVE_2012, [("5", 1), ("5", 1)])
    world_campaign.last_night(warehouse)
    world_liaison.last_night(warehouse)
    world_engagement.last_night(warehouse)
