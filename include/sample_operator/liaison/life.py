"""What the sample's liaison groups did from 2009 on: seats and who held them, meetings, rolls, topics, follow-up actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from random import Random

GROUPS = {
    # code: English, Chinese, founded, months of its meetings
    "CLG": ("Customer Liaison Group", "顧客聯絡小組", date(1993, 4, 1), (2, 5, 8, 11)),
    "CLN": ("Customer Liaison Group (New Territories)", "新界顧客聯絡小組", date(2011, 4, 1), (4, 8, 12)),
    "PLG": ("Philately Liaison Group", "集郵聯絡小組", date(1998, 7, 1), (3, 7, 11)),
}
MONTHS_OF_2009 = (1, 3, 5, 7, 9, 11)
"""In 2009 each of the two groups met six times: the 12 meetings of print."""

SEATS = {
    "CLG": {"District Council": 12, "Account customer": 12, "Public": 12},
    "CLN": {"District Council": 6, "Account customer": 5, "Public": 5},
    "PLG": {"Philatelist": 18, "Public": 6},
}
"""Seats by constituency: 36 + 24 are the 60 members of print."""

DISTRICTS = {"CLG": ("CW", "WC", "E", "S", "YTM", "SSP", "KC", "WTS", "KT", "TW", "KTS", "IS"),
             "CLN": ("TM", "YL", "N", "TP", "ST", "SK")}  # fmt: skip
PRESENCE = {"District Council": 0.72, "Account customer": 0.80, "Philatelist": 0.88, "Public": 0.83}
OFFICES = ("Deputy Postmaster General", "Director (External Affairs)", "Director (Operations)")
TERM_STARTS = (date(2009, 1, 1), date(2011, 1, 1), date(2013, 1, 1), date(2015, 1, 1))
LAST_YEAR = 2013

TOPICS = (
    ("Queueing at busy counters", "counter_waiting"), ("Redelivery at weekends", "redelivery"),
    ("Wording of the collection card", "missed_card"), ("Electronic services", "website"),
    ("Postage of small packets", "charges"), ("Speed of local mail", "delay"),
    ("New stamp issues of the year", None), ("Opening hours of post offices", "facility"),
    ("Waiting for the hotline", "hotline_wait"), ("First day covers by post", None),
)  # fmt: skip
TOPICS_OF_2009 = (2, 2, 2, 2, 2, 1)
"""Topics of a group's six meetings of 2009: twice 11 are the 22 of print."""


@dataclass(frozen=True)
class Member:
    """A seat's holder; `person` is the number of an invented person in `people`."""

    number: str
    group: str
    constituency: str
    district: str | None
    person: int
    terms: list[tuple[date, date]] = field(default_factory=list)

    def holds_office(self, first: date, last: date) -> bool:
        """Whether any of the terms touches the days from `first` to `last`."""
        return any(start <= last and end >= first for start, end in self.terms)


@dataclass(frozen=True)
class Action:
    """A follow-up action."""

    number: str
    title: str
    raised: date
    due: date
    done: date | None


@dataclass(frozen=True)
class Meeting:
    """A meeting with its roll: who was present, sent apologies or was absent."""

    number: str
    group: str
    day: date
    office: str
    roll: dict[str, str]
    topics: list[tuple[str, str, str | None]]
    actions: list[Action]


@dataclass(frozen=True)
class Life:
    """All that happened."""

    members: list[Member]
    meetings: list[Meeting]


def live(seed: int) -> Life:
    """The groups' life from 2009 to 2013; the same seed gives the same life."""
    chance = Random(f"liaison {seed}")
    members = list(_members(chance))
    meetings = [
        _meeting(group, day, place, members, chance)
        for year in range(2009, LAST_YEAR + 1)
        for group in GROUPS
        for place, day in enumerate(_days(group, year, chance), start=1)
    ]
    return Life(members, meetings)


def _members(chance: Random) -> Iterator[Member]:
    person = 70000
    for group, seats in SEATS.items():
        number = 0
        leaver = chance.randrange(sum(seats.values()))
        held = [(constituency, place) for constituency, count in seats.items() for place in range(count)]
        for seat, (constituency, place) in enumerate(held):
            district = DISTRICTS[group][place] if constituency == "District Council" else None
            member = None
            for start, end in _terms(group, chance if seat == leaver else None):
                if member is None or chance.random() < 0.3 or start.month != 1:
                    number, person = number + 1, person + 1
                    member = Member(f"{group}-{number:03d}", group, constituency, district, person)
                    yield member
                member.terms.append((start, end))


def _terms(group: str, leaver: Random | None) -> Iterator[tuple[date, date]]:
    """The terms of a seat; of one seat a group, the first holder leaves in the middle of the first term."""
    founded = GROUPS[group][2]
    for start, after in pairwise(TERM_STARTS):
        if founded < after:
            start, end = max(start, founded), after - timedelta(days=1)
            if leaver is not None:
                left, leaver = date(start.year, 6, 30), None
                yield start, left
                start = left + timedelta(days=1)
            yield start, end


def _days(group: str, year: int, chance: Random) -> Iterator[date]:
    _, _, founded, months = GROUPS[group]
    for month in MONTHS_OF_2009 if year == 2009 else months:
        day = date(year, month, 12 + chance.randrange(14))
        day += timedelta(days=3 - day.weekday())  # a Thursday
        if day >= founded:
            yield day


def _meeting(group: str, day: date, place: int, members: list[Member], chance: Random) -> Meeting:
    number = f"{group}/{day.year}/{place}"
    office = "Postmaster General" if place == 1 else chance.choice(OFFICES)
    seated = [m for m in members if m.group == group and m.holds_office(day, day)]
    count = TOPICS_OF_2009[place - 1] if day.year == 2009 else chance.randint(1, 3)
    topics = [(f"{number}-T{i}", *topic) for i, topic in enumerate(chance.sample(TOPICS, count), start=1)]
    actions = [_action(f"{number}-A{i}", topics, day, chance) for i in range(1, chance.randint(1, 3) + 1)]
    return Meeting(number, group, day, office, {m.number: _answer(m, chance) for m in seated}, topics, actions)


def _answer(member: Member, chance: Random) -> str:
    if chance.random() < PRESENCE[member.constituency]:
        return "present"
    return chance.choice(("apologies", "apologies", "absent", "not in the roll"))


def _action(number: str, topics: list[tuple[str, str, str | None]], day: date, chance: Random) -> Action:
    title = f"Report back: {chance.choice(topics)[1]}"
    done = day + timedelta(days=chance.randint(5, 150)) if chance.random() < 0.88 else None
    return Action(number, title, day, day + timedelta(days=chance.choice((30, 60, 90))), done)
