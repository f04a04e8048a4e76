"""Which cases the sample has: how many of each kind a year, and what is out of the ordinary about some.

Calibrated on the published figures (seed `published_figure`): the state at the end of FY2012/13 holds exactly these cases
that count. What does not count (merged cases, rows that a suite refuses, late entries) comes on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from random import Random

from sample_operator.clock import END, OPENING, office_time, recordable
from sample_operator.feedback.case_life import SPOKEN

BY_FISCAL_YEAR = {
    2010: {"commendation": 1278, "complaint": 560, "suggestion": 204, "enquiry": 7120},
    2011: {"commendation": 1512, "complaint": 332, "suggestion": 196, "enquiry": 6980},
    2012: {"commendation": 2947, "complaint": 304, "suggestion": 211, "enquiry": 7015},
}
LOST_MAIL = {2010: 372, 2011: 505, 2012: 518, 2013: 124}
"""By calendar year, as published; 2010 from April, 2013 to March."""
COMMENDED_2010 = {"counter": 459, "delivery": 691}
COMMENDED_SERVICES = {"counter": 36, "delivery": 54, "hotline": 4, "mail_processing": 2, "online": 2,
                      "philately": 1, "agency": 1}  # fmt: skip
APRIL_2013 = {"commendation": 270, "complaint": 27, "suggestion": 18, "enquiry": 760, "lost_mail_claim": 42}
LATE = {"commendation": 12, "complaint": 4, "enquiry": 22, "lost_mail_claim": 2}
"""Received in March 2013 but entered in April: the year's count grows after the report's date."""
MERGED = {"complaint": 12, "enquiry": 40, "commendation": 8}
"""A year; entered twice under two numbers, so merged and not counted."""
AMENDED_IN_APRIL = {
    ("complaint", "enquiry"): 9,
    ("enquiry", "complaint"): 4,
    ("lost_mail_claim", "complaint"): 3,
    ("suggestion", "complaint"): 1,
    ("complaint", None): 2,
    ("enquiry", None): 3,
}
"""Kind at the end of FY2012/13, and the kind that the case is filed under afterwards, or None where it is merged."""
WAS_FILED_AS = {"complaint": "enquiry", "enquiry": "complaint", "lost_mail_claim": "enquiry", "suggestion": "complaint"}
COMMITTED_LATE = (date(2013, 4, 10), date(2013, 4, 18))
"""A case entered two minutes before midnight on these days is committed, and so visible, two minutes after it."""

CHANNELS = {"phone": 71.18, "form": 14.41, "referral": 7.63, "email": 4.24, "letter": 1.69, "in_person": 0.85,
            "web": 1.5}  # fmt: skip
"""Weights of a sister operator, with a little web, which it did not have."""
DAY_WEIGHTS = (1, 1, 1, 1, 1, 0.75, 0.6)


@dataclass(slots=True)
class CasePlan:
    """One case to come. `kind` is its kind at the end of FY2012/13."""

    kind: str
    received_at: datetime
    channel: str
    entered_at: datetime
    service: str | None = None
    kind_before: str | None = None
    reclassified_at: datetime | None = None
    kind_after: str | None = None
    amended_at: datetime | None = None
    """In April 2013: becomes `kind_after`, or merged where there is none."""
    received_before: datetime | None = None
    corrected_at: datetime | None = None
    merged_at: datetime | None = None
    entered_again_at: datetime | None = None
    """A second row of the same case number is entered then, and carries the case on."""
    visible_at: datetime | None = None
    dirt: str | None = None


def plans(scale: float, rng: Random) -> list[CasePlan]:
    """Every case of the sample but those planted as dirt."""
    found: list[CasePlan] = []
    for year, kinds in BY_FISCAL_YEAR.items():
        for kind, count in kinds.items():
            found += _received(kind, round(count * scale), date(year, 4, 1), date(year + 1, 3, 31), rng)
    for year, count in LOST_MAIL.items():
        first, last = max(date(year, 1, 1), date(2010, 4, 1)), min(date(year, 12, 31), date(2013, 3, 31))
        found += _received("lost_mail_claim", round(count * scale), first, last, rng)
    _move_to_midnight(found)
    for plan in found:
        if plan.entered_at >= OPENING:
            plan.entered_at = plan.received_at + min(timedelta(seconds=90), (OPENING - plan.received_at) / 2)
    _commend_services(found, scale, rng)
    _amend(found, rng)
    _amend_in_april(found, scale, rng)
    return found + _merged(scale, rng) + _late(scale, rng) + _april(scale, rng)


def _received(kind: str, count: int, first: date, last: date, rng: Random) -> list[CasePlan]:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    cumulative = list(accumulate(DAY_WEIGHTS[day.weekday()] for day in days))
    channels = rng.choices(list(CHANNELS), list(CHANNELS.values()), k=count)
    return [
        _plan(kind, day, channel, rng)
        for day, channel in zip(rng.choices(days, cum_weights=cumulative, k=count), channels, strict=True)
    ]


def _plan(kind: str, day: date, channel: str, rng: Random) -> CasePlan:
    second = 28800 + rng.random() * 43000 if channel in SPOKEN else 60 + rng.random() * 86000
    received = datetime.combine(day, time()) + timedelta(seconds=int(second))
    if channel in (*SPOKEN, "web"):
        entered = received + timedelta(seconds=30 + int(rng.random() * 300))
    else:
        entered = office_time(received + timedelta(days=1), rng)
    if rng.random() < 0.03:
        entered = office_time(entered + timedelta(days=2 + rng.random() * 18), rng)
    return CasePlan(kind, received, channel, recordable(entered))


def _move_to_midnight(found: list[CasePlan]) -> None:
    """One case a year and kind in the last minute of the year, and one at the first instant of it."""
    seen: set[tuple[str, int, bool]] = set()
    for plan in found:
        fiscal_year = plan.received_at.year - (plan.received_at.month < 4)
        for at_start in (True, False):
            if (plan.kind, fiscal_year, at_start) not in seen and plan.kind in ("complaint", "commendation"):
                seen.add((plan.kind, fiscal_year, at_start))
                plan.received_at = datetime(fiscal_year, 4, 1) if at_start else datetime(fiscal_year + 1, 3, 31, 23, 59)
                plan.channel, plan.entered_at = "web", plan.received_at + timedelta(seconds=35)
                break


def _commend_services(found: list[CasePlan], scale: float, rng: Random) -> None:
    commended = [plan for plan in found if plan.kind == "commendation"]
    for plan in commended:
        plan.service = rng.choices(list(COMMENDED_SERVICES), list(COMMENDED_SERVICES.values()))[0]
    first_year = [plan for plan in commended if plan.received_at < datetime(2011, 4, 1)]
    exact = [service for service, count in COMMENDED_2010.items() for _ in range(round(count * scale))]
    others = [service for service in COMMENDED_SERVICES if service not in COMMENDED_2010]
    exact += rng.choices(others, k=len(first_year) - len(exact))
    rng.shuffle(exact)
    for plan, service in zip(first_year, exact, strict=True):
        plan.service = service


def _amend(found: list[CasePlan], rng: Random) -> None:
    """Some cases were first filed under another kind, or with the day of entry as the day of receipt."""
    for plan in found:
        later = office_time(plan.entered_at + timedelta(days=1 + rng.random() * 70), rng)
        if later >= OPENING:
            continue
        if plan.kind in WAS_FILED_AS and rng.random() < (0.15 if plan.kind == "complaint" else 0.008):
            plan.kind_before, plan.reclassified_at = WAS_FILED_AS[plan.kind], later
        elif plan.entered_at - plan.received_at > timedelta(days=2) and rng.random() < 0.15:
            plan.received_before, plan.corrected_at = plan.entered_at, later


def _amend_in_april(found: list[CasePlan], scale: float, rng: Random) -> None:
    recent = [plan for plan in found if plan.received_at >= datetime(2013, 1, 1)]
    for (kind, after), count in AMENDED_IN_APRIL.items():
        candidates = [plan for plan in recent if plan.kind == kind and not plan.amended_at]
        for plan in rng.sample(candidates, min(len(candidates), max(1, round(count * scale)))):
            plan.kind_after = after
            plan.amended_at = recordable(office_time(OPENING + timedelta(days=rng.random() * 28), rng))


def _merged(scale: float, rng: Random) -> list[CasePlan]:
    found = []
    for year in BY_FISCAL_YEAR:
        for kind, count in MERGED.items():
            found += _received(kind, round(count * scale), date(year, 4, 1), date(year + 1, 2, 28), rng)
    for plan in found:
        plan.merged_at = office_time(plan.entered_at + timedelta(days=1 + rng.random() * 5), rng)
    return found


def _late(scale: float, rng: Random) -> list[CasePlan]:
    found = []
    for kind, count in LATE.items():
        found += _received(kind, round(count * scale), date(2013, 3, 10), date(2013, 3, 31), rng)
    for plan in found:
        plan.entered_at = recordable(office_time(OPENING + timedelta(days=rng.random() * 25), rng))
    return found


def _april(scale: float, rng: Random) -> list[CasePlan]:
    found = []
    for kind, count in APRIL_2013.items():
        found += _received(kind, round(count * scale), OPENING.date(), (END - timedelta(days=1)).date(), rng)
    for kind in ("complaint", "commendation"):
        found.append(CasePlan(kind, OPENING, "web", OPENING + timedelta(seconds=35)))
    for day in COMMITTED_LATE:
        entered = datetime.combine(day, time(23, 58, 20))
        visible = entered + timedelta(minutes=4)
        found.append(CasePlan("complaint", entered - timedelta(minutes=5), "web", entered, visible_at=visible))
    return [plan for plan in found if plan.entered_at < END]
