"""How a sample case goes: what happens to it, when, and when that is entered into the case database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sample_operator.clock import END, office_time, recordable

SPOKEN = ("phone", "in_person")
REPLY_DAYS = {"complaint": (11, 0.6), "suggestion": (10, 0.6), "commendation": (6, 0.5),
              "lost_mail_claim": (15, 0.5), "enquiry": (4, 0.7)}  # fmt: skip
"""Median of the days to a substantive reply, and the spread of its logarithm."""
ACKNOWLEDGED_AFTER = {0: 18, 1: 32, 2: 22, 3: 12, 4: 7, 5: 4, 6: 2, 8: 2, 12: 1}
"""Working days, with weights: 95 % within the target of five."""
REOPENED = {"complaint": 0.04, "lost_mail_claim": 0.03, "enquiry": 0.002}
WITHDRAWN = {"complaint": 0.03, "suggestion": 0.01, "lost_mail_claim": 0.03}
REINSTATED = 0.2


@dataclass(frozen=True)
class Step:
    """Something that happened to a case, and when it was entered."""

    event_type: str
    occurred_at: datetime
    recorded_at: datetime


def steps(kind: str, channel: str, received: datetime, entered: datetime, rng: Random) -> list[Step]:
    """The whole life of a case, as far as it is recorded before the sample ends, in the order recorded."""
    happened = (
        _answered_at_once(received, rng)
        if kind == "enquiry" and channel in SPOKEN
        else _handled_in_writing(kind, received, rng)
    )
    life = [Step("received", received, entered)]
    for event_type, occurred in happened:
        recorded = recordable(max(occurred + _delay(rng), life[-1].recorded_at + timedelta(seconds=rng.randint(1, 40))))
        if recorded >= END:
            break
        life.append(Step(event_type, occurred, recorded))
    return life


def _answered_at_once(received: datetime, rng: Random) -> list[tuple[str, datetime]]:
    replied = received + timedelta(seconds=90 + int(rng.random() * 1500))
    return [("replied", replied), ("closed", replied + timedelta(seconds=int(rng.random() * 120)))]


def _handled_in_writing(kind: str, received: datetime, rng: Random) -> list[tuple[str, datetime]]:
    median, spread = REPLY_DAYS[kind]
    reply_days = median * rng.lognormvariate(0, spread)
    acknowledged = _after_working_days(received, _weighted(ACKNOWLEDGED_AFTER, rng), rng)
    assigned = max(acknowledged, office_time(received + timedelta(days=rng.random() * 4), rng))
    life = [("acknowledged", acknowledged), ("assigned", assigned)]
    replied = max(_later(assigned, rng), office_time(received + timedelta(days=reply_days), rng))
    if rng.random() < WITHDRAWN.get(kind, 0):
        withdrawn = _later(assigned, rng)
        life.append(("withdrawn", withdrawn))
        if rng.random() >= REINSTATED:
            return life
        reinstated = office_time(withdrawn + timedelta(days=3 + rng.random() * 20), rng)
        life.append(("reinstated", reinstated))
        replied = max(replied, _later(reinstated, rng))
    elif reply_days > 9.5:
        interim = office_time(received + timedelta(days=5 + (rng.random() * 4 if rng.random() < 0.9 else 9)), rng)
        if assigned < interim < replied:
            life.append(("interim_reply", interim))
    closed = _later(replied, rng, days=rng.random() ** 2 * 14)
    life += [("replied", replied), ("closed", closed)]
    if rng.random() < REOPENED.get(kind, 0):
        reopened = _later(closed, rng, days=3 + rng.random() * 40)
        replied_again = _later(reopened, rng, days=rng.random() * 15)
        life += [("reopened", reopened), ("replied", replied_again), ("closed", _later(replied_again, rng, days=2))]
    return life


def _later(moment: datetime, rng: Random, days: float = 1.0) -> datetime:
    later = office_time(moment + timedelta(days=days), rng)
    return later if later > moment else moment + timedelta(minutes=1 + int(rng.random() * 60))


def _after_working_days(moment: datetime, days: int, rng: Random) -> datetime:
    later = moment
    for _ in range(days):
        later = office_time(later + timedelta(days=1), rng)
    if days:
        return later
    return moment + timedelta(minutes=5 + int(rng.random() * 240))


def _delay(rng: Random) -> timedelta:
    """Most is entered within minutes, some the next day, a little days later."""
    lot = rng.random()
    if lot < 0.88:
        return timedelta(seconds=int(rng.random() * 900))
    return timedelta(hours=rng.random() * 24) if lot < 0.98 else timedelta(days=2 + rng.random() * 9)


def _weighted(weights: dict, rng: Random):
    return rng.choices(list(weights), list(weights.values()))[0]
