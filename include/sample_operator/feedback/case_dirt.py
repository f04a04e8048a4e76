"""Dirt planted in the case database, so that the landing suites have something to refuse or report.

A planted row breaks exactly one rule, so the rows refused are the sum of the numbers below. It has no events: such rows
were typed in from paper and never handled.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sample_operator.clock import OPENING, office_time
from sample_operator.feedback.case_plan import CasePlan

Row = dict[str, Any]

TWICE_IN_ONE_NIGHT = 12
TWICE_LATER = 12
DIRTY_CASES = {
    "closed_on_or_after_received": 8,
    "received_at_not_in_future": 4,
    "received_at_present": 4,
    "received_at_not_before_1997": 3,
    "category_exists": 3,
    "district_known": 3,
    "anonymous_has_no_person": 3,
    "channel_known": 2,
    "service_known": 2,
    "status_known": 2,
    "outcome_known": 2,
    "language_known": 2,
}
DIRTY_EVENTS = {
    "case_exists": 6,
    "event_type_known": 5,
    "recorded_on_or_after_occurred": 5,
    "occurred_at_not_before_1997": 2,
}
REPORTED = ("district_known", "channel_known", "service_known", "outcome_known", "language_known", "case_exists")
"""Not refused: what only describes a case is published as not stated, and an event may come before its case (these never come)."""
DIRTY_IN_APRIL = {
    date(2013, 4, 10): ("cases", "closed_on_or_after_received"),
    date(2013, 4, 15): ("cases", "received_at_not_in_future"),
    date(2013, 4, 16): ("case_event", "event_type_known"),
    date(2013, 4, 23): ("cases", "closed_on_or_after_received"),
}
TWICE_IN_APRIL = (date(2013, 4, 9), date(2013, 4, 17), date(2013, 4, 24))


def planted(night: date | None = None) -> dict[tuple[str, str], int]:
    """How many rows each rule of the landing suites must refuse.

    Args:
        night: a night of April 2013, read on its own; without it, all up to 31 March 2013 read at once.

    Returns:
        (table, rule) to the number of rows. No row breaks two rules.
    """
    if night is None:
        cases = {("cases", "key_unique"): TWICE_IN_ONE_NIGHT + TWICE_LATER}
        cases |= {("cases", rule): count for rule, count in DIRTY_CASES.items() if rule not in REPORTED}
        cases |= {("case_event", rule): count for rule, count in DIRTY_EVENTS.items() if rule not in REPORTED}
        return cases | {("post_office", "closed_after_opened"): 1}
    dirt = {("cases", "key_unique"): 1} if night in TWICE_IN_APRIL else {}
    return dirt | ({DIRTY_IN_APRIL[night]: 1} if night in DIRTY_IN_APRIL else {})


def enter_twice(plans: list[CasePlan], rng: Random) -> None:
    """Let some cases be entered a second time, in the same night or days later, and add some such in April."""
    daytime = [plan for plan in plans if 10 <= plan.entered_at.hour < 17 and not plan.merged_at and not plan.amended_at]
    opening = [plan for plan in daytime if plan.entered_at < OPENING - timedelta(days=30)]
    chosen = rng.sample(opening, TWICE_IN_ONE_NIGHT + TWICE_LATER)
    for plan in chosen[:TWICE_IN_ONE_NIGHT]:
        plan.entered_again_at = plan.entered_at + timedelta(minutes=rng.randint(2, 40))
    for plan in chosen[TWICE_IN_ONE_NIGHT:]:
        plan.entered_again_at = office_time(plan.entered_at + timedelta(days=rng.randint(1, 20)), rng)
    for night in TWICE_IN_APRIL:
        received = datetime(night.year, night.month, night.day, 10, 40)
        plan = CasePlan("enquiry", received, "letter", received + timedelta(minutes=20))
        plan.entered_again_at = plan.entered_at + timedelta(minutes=rng.randint(2, 40))
        plans.append(plan)


def dirty_plans(rng: Random) -> list[CasePlan]:
    """The cases that the suite must refuse; `spoil` makes them so."""
    found = []
    for rule, count in DIRTY_CASES.items():
        for _ in range(count):
            entered = office_time(datetime(2010, 4, 5) + timedelta(days=rng.random() * 1085), rng)
            found.append(_dirty(rule, entered, rng))
    for night, (table, rule) in DIRTY_IN_APRIL.items():
        if table == "cases":
            found.append(_dirty(rule, office_time(datetime(night.year, night.month, night.day), rng), rng))
    return found


def _dirty(rule: str, entered: datetime, rng: Random) -> CasePlan:
    # No figure that was printed may count what is published.
    kind = "enquiry" if rule in REPORTED else rng.choice(["complaint", "enquiry", "commendation"])
    return CasePlan(kind, entered - timedelta(days=4), "form", entered, dirt=rule)


def spoil(row: Row, rule: str, rng: Random) -> None:
    """Break one rule in a row of cases."""
    received = row["received_at"]
    spoilt: dict[str, Callable[[], Row]] = {
        "closed_on_or_after_received": lambda: {"status": "closed", "closed_at": received - timedelta(days=3)},
        "received_at_not_in_future": lambda: {"received_at": received.replace(year=rng.choice([2031, 2103]), day=5)},
        "received_at_present": lambda: {"received_at": None},
        "received_at_not_before_1997": lambda: {"received_at": received.replace(year=1912, day=5)},
        "category_exists": lambda: {"category_code": rng.choice(["CP00", "XX01", "CM-1"])},
        "district_known": lambda: {"district_code": rng.choice(["HK", "Kowloon", "九龍"])},
        "anonymous_has_no_person": lambda: {"is_anonymous": True, "complainant_email": "anonymous@example.com"},
        "channel_known": lambda: {"channel_code": rng.choice(["fax", "facebook"])},
        "service_known": lambda: {"service_code": rng.choice(["courier", "Counter & delivery"])},
        "status_known": lambda: {"status": rng.choice(["pending approval", "Closed?"])},
        "outcome_known": lambda: {"outcome": "see memo"},
        "language_known": lambda: {"language": rng.choice(["jp", "putonghua"])},
    }  # fmt: skip
    row.update(spoilt[rule]())


def dirty_events(event: tuple, rng: Random) -> list[tuple]:
    """Events that the suite must refuse, with case number, unit and officer of an event of a valid case."""
    case_no, _, _, _, unit, officer, _ = event
    night = datetime(2013, 4, 16, 14, 30)
    found = []
    for rule, count in DIRTY_EVENTS.items():
        for number in range(count):
            recorded = office_time(datetime(2012, 5, 7) + timedelta(days=rng.random() * 300), rng)
            changed = {
                "case_exists": (f"CRD2012-9{number:04d}", "assigned", recorded, recorded),
                "event_type_known": (case_no, rng.choice(["phoned", "answered", "re-opened"]), recorded, recorded),
                "recorded_on_or_after_occurred": (case_no, "assigned", recorded + timedelta(days=3), recorded),
                "occurred_at_not_before_1997": (case_no, "assigned", datetime(1900, 1, 1), recorded),
            }[rule]
            found.append((*changed, unit, officer, "示例 dirt"))
    return [*found, (case_no, "phoned", night, night, unit, officer, "示例 dirt")]
