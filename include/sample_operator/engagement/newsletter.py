"""The sample's e-newsletter: what an e-mail provider tells of each recipient of each issue, and when its files bring it.

Events come late, twice and out of order, as the provider sends them. One issue went to a person who had asked eleven
working days before not to get it any more; another person had asked ten before, with three public holidays between.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sample_operator.clock import END, FIRST_DAY, HONG_KONG, LAST_DAY, OPENING, hong_kong
from sample_operator.people import contact_of_company, member_of_public

SUBSCRIBERS = 800
STRANGERS = 40
"""Subscribers that the CRM does not know, among them."""
COMPANIES = 2_000
"""Subscribers speak for some of the oldest companies, which a small sample has too."""
MACHINES_FROM = date(2011, 9, 1)
"""From then on some recipients' mail programs open every message by themselves."""

LATE_ISSUE = "enews-2013-01"
"""The issue, sent on 8 January 2013, that reached a person whose request was eleven working days old."""
REQUESTS = {
    # Subscriber's place, when the request was made: 10 working days end on 8 January, or on the 7th.
    0: datetime(2012, 12, 20, 11, 5),
    1: datetime(2012, 12, 19, 16, 40),
}
RETURNS_AFTER = timedelta(days=40)
"""Who asks to be taken back does so this long after having left."""

DIRT: dict[str, list[dict[str, Any]]] = {
    "type": [{"timestamp": "2012-11-06 10:00"}, {"timestamp": 1352167200.5}, {"sg_machine_open": "perhaps"}],
    "event_id_not_blank": [{"sg_event_id": " "}],
    "event_type_known": [{"event": "processed"}, {"event": "Opened"}],
    "event_type_present": [{"event": ""}],
    "category_present": [{"category": None}, {"category": None}],
    "category_names_a_mailing": [{"category": []}, {"category": {"name": "enews-2012-11"}}, {"category": " "}],
    "occurred_epoch_present": [{"timestamp": ""}],
    "occurred_not_in_future": [{"timestamp": 1352167200000}, {"timestamp": 1352167260000}],
    "occurred_not_before_1997": [{"timestamp": 0}],
    "person_key_present": [{"email": ""}, {"email": None}],
}
"""What is wrong in an event, by the rule that refuses it; each entry is one event, and each breaks one rule."""
UNREADABLE = ['{"email": "broken', '["not", "an", "object"]']
"""Lines that are no event."""
REPEATED = 120
"""Events up to the opening that come twice, half of them in a later file."""


@dataclass
class Subscriber:
    """A person who gets the newsletter, or did."""

    email: str
    uses_machine: bool
    left_at: datetime | None = None
    returned_at: datetime | None = None

    def is_on_list(self, moment: datetime) -> bool:
        """Whether the operator writes to the person then."""
        return self.left_at is None or (self.returned_at is not None and moment >= self.returned_at)


def files(seed: int, scale: float) -> dict[str, tuple[datetime, list[str]]]:
    """The files by path: when each arrived, and its lines. A file a month, and a day in April 2013.

    Args:
        seed: the same seed gives the same lines.
        scale: multiplies the subscribers.
    """
    rng = Random(f"engagement newsletter {seed}")
    found: dict[str, tuple[datetime, list[str]]] = {}
    for arrived, line in sorted(_arrivals(_events(rng, scale), rng), key=lambda entry: entry[0].date()):
        is_daily = arrived >= OPENING
        path = f"newsletter/{arrived:%Y-%m-%d}.jsonl" if is_daily else f"newsletter/{arrived:%Y-%m}.jsonl"
        last = arrived.date() if is_daily else (arrived.replace(day=1) + timedelta(days=31)).replace(day=1).date()
        day = last if is_daily else last - timedelta(days=1)
        found.setdefault(path, (datetime.combine(day, time(23, 30)), []))[1].append(line)
    for _, lines in found.values():
        rng.shuffle(lines)
    return found


def planted() -> dict[str, int]:
    """How many events up to 31 March 2013 each rule must refuse, read at once."""
    refused = {rule: len(events) for rule, events in DIRT.items()}
    return refused | {"type": refused["type"] + len(UNREADABLE), "key_unique": REPEATED}


def issues() -> Iterator[tuple[str, datetime]]:
    """Code and moment of sending of each issue: at ten on the second Tuesday of a month."""
    month = FIRST_DAY
    while month <= LAST_DAY:
        tuesday = month + timedelta(days=(1 - month.weekday()) % 7 + 7)
        yield f"enews-{month:%Y-%m}", datetime.combine(tuesday, time(10))
        month = (month + timedelta(days=31)).replace(day=1)


def _subscribers(rng: Random, scale: float) -> list[Subscriber]:
    count = round(SUBSCRIBERS * scale)
    strangers = round(STRANGERS * scale)
    numbers = sorted(rng.sample(range(1, COMPANIES + 1), count - strangers))
    emails = [contact_of_company(number, 1, chinese=False).email for number in numbers]
    emails += [member_of_public(90_000 + number, chinese=False).email for number in range(strangers)]
    return [Subscriber(email, rng.random() < 0.15) for email in emails]


def _events(rng: Random, scale: float) -> Iterator[dict[str, Any]]:
    subscribers = _subscribers(rng, scale)
    for number, (code, sent_at) in enumerate(issues()):
        for place, person in enumerate(subscribers):
            if place in REQUESTS and code == LATE_ISSUE:
                yield from _issue(person, code, sent_at, rng)
            elif place in REQUESTS and sent_at > REQUESTS[place]:
                continue
            elif person.is_on_list(sent_at):
                yield from _issue(person, code, sent_at, rng, may_leave=place not in REQUESTS)
            elif rng.random() < 0.2:
                yield _event(person, "dropped", code, sent_at + timedelta(seconds=rng.randrange(900)), rng)
        if code == "enews-2012-12":
            for place, moment in REQUESTS.items():
                yield _event(subscribers[place], "unsubscribe", code, moment, rng)
        if number == 5:
            # A trial of the next design, to two colleagues: too few to be told of.
            for colleague in (Subscriber(f"colleague{n}@example.com", False) for n in (1, 2)):
                yield _event(colleague, "delivered", "enews-trial", sent_at + timedelta(hours=3), rng)


def _issue(
    person: Subscriber, code: str, sent_at: datetime, rng: Random, may_leave: bool = False
) -> Iterator[dict[str, Any]]:
    """What happens to one issue sent to one person."""
    at = sent_at + timedelta(seconds=rng.randrange(2400))
    if rng.random() < 0.02:
        yield _event(person, "bounce", code, at, rng, reason="550 no such mailbox", type="bounce")
        return
    yield _event(person, "delivered", code, at, rng, response="250 OK")
    if person.uses_machine and at.date() >= MACHINES_FROM:
        yield _event(person, "open", code, at + timedelta(seconds=20), rng, sg_machine_open=True)
    if rng.random() > 0.31:
        return
    opened = at + timedelta(minutes=1 + int(rng.expovariate(1 / 1500)))
    yield _event(person, "open", code, opened, rng, sg_machine_open=False)
    if rng.random() < 0.25:
        yield _event(person, "open", code, opened + timedelta(hours=1 + rng.randrange(72)), rng)
    if rng.random() < 0.22:
        clicked = opened + timedelta(seconds=30 + rng.randrange(600))
        yield _event(person, "click", code, clicked, rng, url="https://club.example.com/offer")
    if may_leave and rng.random() < 0.012:
        person.left_at, person.returned_at = opened + timedelta(seconds=45), None
        yield _event(person, "unsubscribe", code, person.left_at, rng)
        if rng.random() < 0.2:
            person.returned_at = person.left_at + RETURNS_AFTER
            yield _event(person, "resubscribe", code, person.returned_at, rng)
    elif rng.random() < 0.003:
        yield _event(person, "spamreport", code, opened + timedelta(seconds=30), rng)


def _event(person: Subscriber, kind: str, code: str, at: datetime, rng: Random, **others: Any) -> dict[str, Any]:
    return {
        "email": person.email if rng.random() < 0.97 else f" {person.email.upper()}",
        "timestamp": int(hong_kong(at).timestamp()),
        "event": kind,
        "category": code if rng.random() < 0.6 else [code, "e-club"],
        "sg_event_id": hashlib.sha256(f"{person.email} {kind} {code} {at}".encode()).hexdigest()[:22],
        "sg_message_id": hashlib.sha256(f"{person.email} {code}".encode()).hexdigest()[:20],
        "ip": "192.0.2.1",
        "useragent": "Mozilla/5.0 (sample)",
        **others,
    }


def _arrivals(events: Iterator[dict[str, Any]], rng: Random) -> Iterator[tuple[datetime, str]]:
    """Each event as a line with the moment it is handed over: mostly soon, some days later, some again."""
    repeatable = []
    for event in events:
        occurred = datetime.fromtimestamp(event["timestamp"], HONG_KONG).replace(tzinfo=None)
        handed_over = occurred + timedelta(minutes=31)
        if rng.random() < 0.02:
            handed_over += timedelta(days=1 + rng.randrange(4))
        if handed_over >= END:
            continue
        yield handed_over, json.dumps(event, ensure_ascii=False)
        if handed_over < datetime(2013, 2, 1):
            repeatable.append((handed_over, event))
    for number, (handed_over, event) in enumerate(rng.sample(repeatable, REPEATED)):
        yield handed_over + timedelta(days=30 * (number % 2)), json.dumps(event, ensure_ascii=False)
    nobody = Subscriber("dirt@example.com", False)
    at = datetime(2012, 11, 6, 10)
    number = 0
    for changes in DIRT.values():
        for change in changes:
            number += 1
            event = _event(nobody, "open", "enews-2012-11", at + timedelta(seconds=number), rng) | change
            yield at + timedelta(days=1), json.dumps(event, ensure_ascii=False)
    for line in UNREADABLE:
        yield at + timedelta(days=1), line
