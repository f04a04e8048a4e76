"""Which companies the sample's CRM has, and when each was a member of which club.

Calibrated on the published numbers of member companies (seed `published_figure`): close to 43,000 at the end of FY2011/12,
over 43,000 a year later. A company counts once, whatever clubs it is in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from sample_operator.clock import LAST_DAY, OPENING, recordable

# Fiscal year of joining: companies that join for the first time, that leave for good or for a while, that come back.
YEARS = {
    2003: (6_500, 60, 0),
    2004: (6_160, 160, 10),
    2005: (6_420, 230, 30),
    2006: (6_490, 300, 50),
    2007: (6_610, 360, 80),
    2008: (5_060, 420, 120),
    2009: (4_040, 430, 140),
    2010: (2_430, 460, 150),
    2011: (1_240, 470, 164),
    2012: (730, 500, 160),
}
APRIL_2013 = (64, 38, 12)
NEVER_MEMBERS = 120
"""Companies that the CRM knows without a membership."""
COMPANIES = sum(joined for joined, _, _ in YEARS.values()) + APRIL_2013[0] + NEVER_MEMBERS

CLUBS = ("postalplus", "eclub")
IN_BOTH = 0.36
LEAVES_SECOND_CLUB = 0.03
REASONS = ("closed_down", "moved", "no_longer_needed", "no_reply", "merged", None)


@dataclass(slots=True)
class Spell:
    """One membership of one club; `left_on` is the first day that is no longer of it."""

    club: str
    joined_on: date
    left_on: date | None = None
    reason: str | None = None


@dataclass(slots=True)
class Company:
    """One company of the CRM, numbered in the order in which the CRM came to know it."""

    number: int
    registered_on: date
    entered_at: datetime
    """When the CRM got it; nothing of the company is entered before that."""
    spells: list[Spell] = field(default_factory=list)
    last_joined_on: date | None = None


def companies(scale: float, rng: Random) -> list[Company]:
    """Every company with its memberships up to the end of April 2013, in the order of registration."""
    periods = [(date(year, 4, 1), date(year + 1, 3, 31), *counts) for year, counts in YEARS.items()]
    periods.append((OPENING.date(), LAST_DAY, *APRIL_2013))
    first_day = [day for start, end, joined, *_ in periods for day in _days(start, end, round(joined * scale), rng)]
    without = set(rng.sample(range(len(first_day)), round(NEVER_MEMBERS * scale)))
    found = [
        Company(number, day, entered(day, rng))
        for number, day in enumerate(sorted(first_day + [first_day[n] for n in without]), 1)
    ]
    never = set(rng.sample(range(len(found)), len(without)))
    joiners = [company for place, company in enumerate(found) if place not in never]
    members: list[Company] = []
    former: list[Company] = []
    waiting = iter(joiners)
    upcoming = next(waiting, None)
    for start, end, _, left, returned in periods:
        leavers = _take(members, round(left * scale), rng)
        while upcoming and upcoming.registered_on <= end:
            _join(upcoming, upcoming.registered_on, rng)
            members.append(upcoming)
            upcoming = next(waiting, None)
        comers = _take(former, round(returned * scale), rng)
        for company, day in zip(comers, _days(start, end, len(comers), rng), strict=True):
            _join(company, day, rng)
            members.append(company)
        for company, day in zip(leavers, _days(start, end, len(leavers), rng), strict=True):
            _leave(company, day, rng)
        former += leavers
    return found


def entered(day: date, rng: Random) -> datetime:
    """When something of that day is entered: mostly the same day."""
    days = 0 if rng.random() < 0.9 else 1 + int(rng.random() * 4)
    morning = datetime.combine(day + timedelta(days=days), time(9))
    return recordable(morning + timedelta(seconds=int(rng.random() * 32000)))


def _days(start: date, end: date, count: int, rng: Random) -> list[date]:
    """Weekdays, but a few Saturdays: the clubs take entries by web too."""
    length = (end - start).days + 1
    days = [start + timedelta(days=int(rng.random() * length)) for _ in range(count)]
    return sorted(day - timedelta(days=1 if day.day > 1 else -1) if day.weekday() == 6 else day for day in days)


def _take(companies: list[Company], count: int, rng: Random) -> list[Company]:
    """Remove some at random from the list, and return them."""
    taken = []
    for _ in range(min(count, len(companies))):
        place = int(rng.random() * len(companies))
        companies[place], companies[-1] = companies[-1], companies[place]
        taken.append(companies.pop())
    return taken


def _join(company: Company, day: date, rng: Random) -> None:
    """Join one club, and often the other one later."""
    first = CLUBS[rng.random() < 0.4]
    company.spells.append(Spell(first, day))
    company.last_joined_on = day
    if rng.random() < IN_BOTH:
        second_day = day + timedelta(days=int(rng.random() ** 2 * 900))
        if second_day <= LAST_DAY:
            second = Spell(CLUBS[first == CLUBS[0]], second_day)
            company.spells.append(second)
            if rng.random() < LEAVES_SECOND_CLUB:
                left = second_day + timedelta(days=120 + int(rng.random() * 1500))
                if left <= LAST_DAY:
                    second.left_on, second.reason = left, rng.choice(REASONS)


def _leave(company: Company, day: date, rng: Random) -> None:
    """Leave every club on the day; a club that was to be joined later is never joined."""
    day = max(day, company.last_joined_on + timedelta(days=1))
    reason = rng.choice(REASONS)
    company.spells = [spell for spell in company.spells if spell.joined_on < day]
    for spell in company.spells:
        if spell.left_on is None or spell.left_on > day:
            spell.left_on, spell.reason = day, reason
