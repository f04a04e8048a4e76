"""The sample's seminars and annual expo: programmes, and lists of who registered, who came and who walked in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from sample_operator.clock import END
from sample_operator.engagement.newsletter import COMPANIES
from sample_operator.people import company_id, contact_of_company

YEARS = (2010, 2011, 2012, 2013)
SEMINARS = ((4, 18), (5, 17), (6, 14), (7, 12), (9, 13), (10, 11), (11, 29), (1, 17), (2, 21), (3, 14))
"""Month and day around which a fiscal year's seminars take place, on a Thursday."""
EXPO = (11, 8)
TITLES = ("Direct mail that is read", "Customs forms without tears", "Parcels for web shops", "Address quality")
PROGRAMME_HEADER = ["Activity", "Kind", "Title", "Date", "Seats", "Speaker"]
LIST_HEADER = ["Registration No.", "Activity", "Company No.", "Name", "E-mail", "Phone", "Registered", "Attended", "Walk-in"]  # fmt: skip

PROGRAMME_DIRT: dict[str, list[dict[str, str]]] = {
    "type": [{"Date": "30/02/2012"}, {"Seats": "about 80"}],
    "kind_known": [{"Kind": "webinar"}],
    "seats_not_below_1": [{"Seats": "-40"}],
}
LIST_DIRT: dict[str, list[dict[str, str]]] = {
    "type": [{"Registered": "05/11/2012"}, {"Registered": "二○一二年十一月五日"}, {"Attended": "maybe"}],
    "registration_id_not_blank": [{"Registration No.": " "}],
    "registered_on_not_in_future": [{"Registered": "2031-11-05"}],
    "registered_by_the_day": [{"Registered": "2012-12-05"}],
    "walk_in_attended": [{"Walk-in": "Y", "Attended": "N", "Registered": "2012-11-08"}],
}
"""What is wrong in a row, by the rule that refuses it; each entry is one row, and each breaks one rule."""
SHORT_ROWS = 2


@dataclass(frozen=True)
class Activity:
    """A seminar or an expo."""

    code: str
    kind: str
    title: str
    held_on: date
    seats: int | None


def files(seed: int, scale: float) -> dict[str, tuple[datetime, list[list[str]]]]:
    """The files by path: when each arrived, and its rows with the header first. A programme a year, a list an activity.

    Args:
        seed: the same seed gives the same rows.
        scale: multiplies seats and registrations.
    """
    rng = Random(f"engagement activities {seed}")
    found: dict[str, tuple[datetime, list[list[str]]]] = {}
    for year in YEARS:
        programme = list(_programme(year, scale))
        rows = [_programme_row(activity) for activity in programme]
        if year == 2012:
            rows += _dirty(PROGRAMME_DIRT, PROGRAMME_HEADER, _programme_row(programme[0]), "Activity", "X")
        path = f"activity/{year}-{(year + 1) % 100:02d}.csv"
        found[path] = datetime(year, 3, 28, 17), [PROGRAMME_HEADER, *rows]
        for activity in programme:
            rows = list(_registrations(activity, scale, rng))
            if activity.code == "EXPO-2012":
                rows += _dirty(LIST_DIRT, LIST_HEADER, rows[0], "Registration No.", "EXPO-2012-X")
                rows += [row[:4] for row in rows[:SHORT_ROWS]]
            for path, arrived, listed in _lists(activity, rows):
                if arrived < END:
                    found[path] = arrived, [LIST_HEADER, *listed]
    return found


def planted() -> dict[tuple[str, str], int]:
    """How many rows up to 31 March 2013 each rule must refuse, by table and rule, read at once."""
    refused = {("activity", rule): len(rows) for rule, rows in PROGRAMME_DIRT.items()}
    refused |= {("registration", rule): len(rows) for rule, rows in LIST_DIRT.items()}
    refused["registration", "type"] += SHORT_ROWS
    return refused


def _programme(year: int, scale: float) -> Iterator[Activity]:
    for number, (month, day) in enumerate(SEMINARS, 1):
        middle = date(year if month >= 4 else year + 1, month, day)
        held_on = middle + timedelta(days=(3 - middle.weekday()) % 7)
        seats = max(8, round((60, 80, 100, 120)[number % 4] * scale))
        yield Activity(
            f"S{year}-{number:02d}", "seminar" if number % 5 else "Seminar ", TITLES[number % 4], held_on, seats
        )
    yield Activity(f"EXPO-{year}", "expo", f"SME Expo {year}", date(year, *EXPO), None)


def _programme_row(activity: Activity) -> list[str]:
    seats = "" if activity.seats is None else str(activity.seats)
    return [activity.code, activity.kind, activity.title, activity.held_on.isoformat(), seats, "Chan Sample"]


def _registrations(activity: Activity, scale: float, rng: Random) -> Iterator[list[str]]:
    """The rows of the list as it is after the activity."""
    registered = round(420 * scale) if activity.seats is None else round(activity.seats * 0.8)
    if activity.code == "S2011-05":
        registered = 3  # a typhoon warning in the morning: too few people to be told of
    walk_ins = round(registered * (0.3 if activity.seats is None else 0.08))
    for number in range(1, registered + walk_ins + 1):
        is_walk_in = number > registered
        company = 1 + rng.randrange(COMPANIES)
        person = contact_of_company(company, 1, chinese=rng.random() < 0.5)
        stated = (
            company_id(company)
            if rng.random() < 0.9
            else rng.choice(["", f" {company_id(company).lower()}", "C999998"])
        )
        # Registration closes a week before: a list sent six days before knows of nobody later.
        days = 0 if is_walk_in else 7 + rng.randrange(30)
        registered_on = activity.held_on - timedelta(days=days)
        attended = "Y" if is_walk_in or rng.random() < 0.7 else "N"
        yield [f"{activity.code}-{number:03d}", activity.code, stated, person.name, person.email, person.phone,
               registered_on.isoformat(), attended, "Y" if is_walk_in else "N"]  # fmt: skip


def _lists(activity: Activity, rows: list[list[str]]) -> Iterator[tuple[str, datetime, list[list[str]]]]:
    """Each list with its arrival: the evening of the day; of a few also six days before, without attendance."""
    evening = datetime.combine(activity.held_on, time(19, 30))
    if activity.code == "S2012-10" or activity.held_on >= date(2013, 4, 1):
        before = [[*row[:7], "", row[8]] for row in rows if row[8] == "N"]
        yield f"registration/{activity.code}_before.csv", evening - timedelta(days=6), before
    yield f"registration/{activity.code}.csv", evening, rows


def _dirty(
    dirt: dict[str, list[dict[str, str]]], header: list[str], good: list[str], key: str, code: str
) -> Iterator[list[str]]:
    wrong = [changes for entries in dirt.values() for changes in entries]
    for number, changes in enumerate(wrong, 1):
        yield list((dict(zip(header, good, strict=True)) | {key: f"{code}{number}"} | changes).values())
