"""The sample case database: commendations, complaints and the like from April 2010 to April 2013, amended in place.

Everything is drawn from one seed. Calibrated by `case_plan`, dirtied by `case_dirt`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from random import Random

import psycopg

from sample_operator import clock
from sample_operator.clock import SampleTable
from sample_operator.crm.club_life import COMPANIES
from sample_operator.feedback import case_dirt, case_plan, categories, post_offices
from sample_operator.feedback.case_dirt import planted
from sample_operator.feedback.case_plan import CasePlan
from sample_operator.feedback.case_row import PUBLIC, CaseWriter

__all__ = ["TABLES", "build", "planted"]

SCHEMA = "case_management"
CASES = SampleTable(
    SCHEMA,
    "cases",
    {
        "case_id": "bigint",
        "case_no": "text not null",
        "category_code": "text",
        "service_code": "text",
        "channel_code": "text",
        "received_at": "timestamptz",
        "closed_at": "timestamptz",
        "status": "text",
        "outcome": "text",
        "incident_date_text": "text",
        "post_office_code": "text",
        "district_code": "text",
        "company_id": "text",
        "complainant_name": "text",
        "complainant_phone": "text",
        "complainant_email": "text",
        "complainant_address": "text",
        "description": "text",
        "language": "text",
        "is_anonymous": "boolean not null",
        "updated_at": "timestamptz not null",
    },
    key="case_id",
    watermark="updated_at",
)
CASE_EVENT = SampleTable(
    SCHEMA,
    "case_event",
    {
        "event_id": "bigint",
        "case_no": "text not null",
        "event_type": "text not null",
        "occurred_at": "timestamptz not null",
        "recorded_at": "timestamptz not null",
        "actor_unit": "text",
        "officer_name": "text",
        "note": "text",
    },
    key="event_id",
    watermark="recorded_at",
)
CATEGORY = SampleTable(
    SCHEMA,
    "category",
    {
        "category_code": "text",
        "kind": "text not null",
        "issue_code": "text",
        "name_en": "text",
        "name_zh": "text",
        "updated_at": "timestamptz not null",
    },
    key="category_code",
    watermark="updated_at",
)
POST_OFFICE = SampleTable(
    SCHEMA,
    "post_office",
    {
        "post_office_code": "text",
        "name_en": "text",
        "name_zh": "text",
        "district_code": "text",
        "opened_on": "date",
        "closed_on": "date",
        "updated_at": "timestamptz not null",
    },
    key="post_office_code",
    watermark="updated_at",
)
TABLES = (CASES, CASE_EVENT, CATEGORY, POST_OFFICE)
SET_UP = datetime(2010, 3, 1, 9)
"""When the case database went into service, and its reference tables were filled."""


def build(dsn: str, seed: int = 2013, scale: float = 1.0, until: datetime = clock.OPENING_HKT) -> int:
    """Fill an empty database with the sample, in one transaction, and set its clock.

    Args:
        dsn: the database, empty.
        seed: the same seed and scale give the same content, byte by byte.
        scale: 1 gives the published figures, 0.05 the least that has room for the dirt (whose amount is fixed).
        until: where the clock stands afterwards.

    Returns:
        Number of versions stored.
    """
    rng = Random(f"feedback {seed}")
    plans = case_plan.plans(scale, rng)
    case_dirt.enter_twice(plans, rng)
    plans += case_dirt.dirty_plans(rng)
    writer = CaseWriter(max(1, round(COMPANIES * scale)), rng, max(1, round(PUBLIC * scale)))
    cases, events = _cases(plans, writer)
    with psycopg.connect(dsn) as connection:
        clock.install(connection, TABLES)
        stored = clock.store(connection, CASES, cases)
        stored += clock.store(connection, CASE_EVENT, _numbered(events))
        stored += clock.store(connection, CATEGORY, _category_versions())
        stored += clock.store(connection, POST_OFFICE, _post_office_versions())
        clock.advance_within(connection, until)
    return stored


def _cases(plans: list[CasePlan], writer: CaseWriter) -> tuple[list[tuple], list[tuple]]:
    """Versions of all rows and all events. Rows are numbered as they are entered, cases by the year of entry."""
    entries = [(plan.entered_at, number, plan) for number, plan in enumerate(plans)]
    entries += [(plan.entered_again_at, number, None) for number, plan in enumerate(plans) if plan.entered_again_at]
    entries.sort(key=lambda entry: entry[:2])
    again = {number: case_id for case_id, (_, number, plan) in enumerate(entries, 1) if plan is None}
    cases: list[tuple] = []
    events: list[tuple] = []
    printed: dict[int, int] = {}
    for case_id, (entered, number, plan) in enumerate(entries, 1):
        if plan is None:
            continue
        printed[entered.year] = printed.get(entered.year, 0) + 1
        versions, life = writer.rows(plan, case_id, f"CRD{entered.year}-{printed[entered.year]:05d}")
        if plan.entered_again_at:
            versions = writer.entered_again(versions, again[number], plan.entered_again_at)
        cases += versions
        events += life
    example = next(event for event in events if event[1] == "replied")
    dirt = case_dirt.dirty_events(example[:7], writer.rng)
    return cases, events + [(*event, event[3]) for event in dirt]


def _numbered(events: list[tuple]) -> Iterator[tuple]:
    """Events with their numbers, in the order recorded."""
    for event_id, event in enumerate(sorted(events, key=lambda event: event[3]), 1):
        yield (event_id, *event)


def _category_versions() -> Iterator[tuple]:
    for code, kind, issue, name_en, name_zh, _ in categories.rows():
        yield (code, kind, issue, name_en, name_zh, SET_UP, SET_UP)
    amendments = [
        ("LM01", "lost_mail_claim", "loss", "Loss of a mail item", "郵件遺失或下落不明", datetime(2011, 6, 1)),
        ("EN06", "enquiry", "website", "Electronic services and app", "電子服務及流動應用程式", datetime(2012, 9, 3)),
        ("XP01", "enquiry", "parcel_locker", "Trial of parcel lockers", "郵件櫃試驗", datetime(2012, 11, 5, 10)),
        ("EN07", "enquiry", "other", "Use of personal data", "直接促銷及個人資料", datetime(2013, 4, 2, 9)),
    ]
    for amendment in amendments:
        yield (*amendment, amendment[-1])


def _post_office_versions() -> Iterator[tuple]:
    for code, name_en, name_zh, district, opened, closed in post_offices.rows():
        office = (code, name_en, name_zh, district, date(opened, 4, 1))
        yield (*office, date(closed, 10, 1) if closed and closed < 2010 else None, SET_UP, SET_UP)
        if closed and closed >= 2010:
            announced = datetime(closed, 9, 3, 10)
            yield (*office, date(closed, 10, 1), announced, announced)
    dirty, opening, added = datetime(2011, 2, 9, 10), datetime(2013, 4, 15, 10), datetime(2013, 4, 18, 10)
    yield ("TM99", "Sample Counter", "示例櫃位", "TM", date(2011, 2, 8), date(2001, 2, 8), dirty, dirty)
    yield ("KC10", "Kai Ching Estate", "啓晴邨", "KC", date(2013, 4, 22), None, opening, opening)
    yield ("N07", "Wu Tip Shan", "蝴蝶山", "N", date(1988, 4, 1), None, added, added)
