"""The sample's hotline, by quarters of an hour, and the members' website, by days."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sample_operator.clock import FIRST_DAY, LAST_DAY, OPENING

HOTLINE_HEADER = ["日期", "時段", "來電", "接聽", "放棄", "輪候秒數", "20秒內接聽", "備註"]
NOTES = ("", "", "", "", "", "颱風後查詢派遞", "查詢鰂魚涌邨信箱", "系統維修")
BAD_BYTES = "\ue000"
"""Stands in a cell for bytes that are no character of Big5."""

HOTLINE_DIRT: dict[str, list[dict[str, str]]] = {
    "type": [{"日期": "31/04/2012"}, {"時段": "25:00"}, {"來電": "n/a"}, {"接聽": "二十"}, {"備註": BAD_BYTES}],
    "calls_add_up": [{"放棄": "9"}, {"放棄": "0"}],
    "within_20s_are_answered": [{"20秒內接聽": "19"}],
    "wait_seconds_not_below_0": [{"輪候秒數": "-1"}],
    "starts_a_quarter": [{"時段": "18:05"}],
    "call_date_not_in_future": [{"日期": "2031-11-07"}],
}
"""What is wrong in a row, by the rule that refuses it; each entry is one row, and each breaks one rule."""
WEBSITE_DIRT: dict[str, list[dict[str, Any]]] = {
    "type": [{"date": "2012-02-30"}, {"visits": "n/a"}],
    "logins_are_visits": [{"logins": 2_000}],
    "pages_at_least_visits": [{"page_views": 10}],
    "downloads_not_below_0": [{"downloads": -5}],
    "date_day_not_in_future": [{"date": "2031-11-07"}],
}
CORRECTED = date(2012, 8, 31)
"""The month ending then was counted with robots at first and sent again: each of its days is there twice."""
OPEN = (time(9), time(18))


def hotline(seed: int) -> dict[str, tuple[datetime, list[list[str]]]]:
    """The files by path: when each arrived, and its rows with the header first. A file a month, and a day in April 2013."""
    rng = Random(f"engagement hotline {seed}")
    found: dict[str, tuple[datetime, list[list[str]]]] = {}
    for day in _days():
        if day.weekday() < 5:
            path, arrived = _file("hotline", "csv", day)
            rows = found.setdefault(path, (arrived, [HOTLINE_HEADER]))[1]
            rows += _quarters(day, rng)
            if day == date(2012, 11, 7):
                rows += _dirty_quarters(day)
    return found


def website(seed: int) -> dict[str, tuple[datetime, list[dict[str, Any]]]]:
    """The files by path: when each arrived, and its records. A file a month, and a day in April 2013."""
    rng = Random(f"engagement website {seed}")
    found: dict[str, tuple[datetime, list[dict[str, Any]]]] = {}
    for day in _days():
        path, arrived = _file("website", "jsonl", day)
        found.setdefault(path, (arrived, []))[1].append(_website_day(day, rng))
    path, arrived = _file("website", "jsonl", CORRECTED)
    correct = found[path][1]
    found[path] = arrived, [{**record, "page_views": record["page_views"] * 3} for record in correct]
    found[path.replace(".jsonl", "_corrected.jsonl")] = arrived + timedelta(days=5), correct
    path, _ = _file("website", "jsonl", date(2012, 11, 7))
    spoilt = [changes for entries in WEBSITE_DIRT.values() for changes in entries]
    good = {"visits": 300, "logins": 90, "page_views": 1_200, "downloads": 12}
    found[path][1].extend({"date": f"2009-11-{n:02d}", **good} | changes for n, changes in enumerate(spoilt, 1))
    return found


def planted() -> dict[tuple[str, str], int]:
    """How many rows up to 31 March 2013 each rule must refuse, by table and rule, read at once."""
    refused = {("hotline_interval", rule): len(rows) for rule, rows in HOTLINE_DIRT.items()}
    refused |= {("website_day", rule): len(rows) for rule, rows in WEBSITE_DIRT.items()}
    return refused


def _days() -> Iterator[date]:
    return (FIRST_DAY + timedelta(days=number) for number in range((LAST_DAY - FIRST_DAY).days + 1))


def _file(table: str, suffix: str, day: date) -> tuple[str, datetime]:
    """Path and arrival of the file that brings a day."""
    if day >= OPENING.date():
        return f"{table}/{day}.{suffix}", datetime.combine(day, time(23, 15))
    last = (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return f"{table}/{day:%Y-%m}.{suffix}", datetime.combine(last, time(23, 15))


def _quarters(day: date, rng: Random) -> Iterator[list[str]]:
    """The quarters of an hour of a day: busy in the morning and on Mondays, and worse served when busy."""
    start = datetime.combine(day, OPEN[0])
    while start.time() < OPEN[1]:
        busy = 1.5 - abs(start.hour - 11) / 8 + (0.3 if day.weekday() == 0 else 0)
        offered = round(rng.gauss(11 * busy, 3)) if rng.random() > 0.01 else 0
        offered = max(0, offered)
        abandoned = min(offered, sum(rng.random() < 0.02 * busy for _ in range(offered)))
        waits = [rng.expovariate(1 / (7 * busy)) for _ in range(offered - abandoned)]
        wait, quick = sum(map(math.ceil, waits)), sum(math.ceil(wait) <= 20 for wait in waits)
        counts = (offered, len(waits), abandoned, wait, quick)
        yield [day.isoformat(), f"{start:%H:%M}", *map(str, counts), rng.choice(NOTES)]
        start += timedelta(minutes=15)


def _dirty_quarters(day: date) -> Iterator[list[str]]:
    """Rows of the evening before opening hours were kept, each wrong in one thing."""
    number = 0
    for entries in HOTLINE_DIRT.values():
        for changes in entries:
            good = [day.isoformat(), f"{19 + number // 4}:{15 * (number % 4):02d}", "20", "18", "2", "150", "16", ""]
            number += 1
            yield list((dict(zip(HOTLINE_HEADER, good, strict=True)) | changes).values())


def _website_day(day: date, rng: Random) -> dict[str, Any]:
    usual = 420 if day.weekday() < 5 else 150
    visits = round(usual * (1 + (day - FIRST_DAY).days / 2_000) * rng.uniform(0.85, 1.15))
    return {
        "date": day.isoformat(),
        "visits": visits,
        "logins": round(visits * rng.uniform(0.25, 0.35)),
        "page_views": round(visits * rng.uniform(3.5, 4.5)),
        "downloads": round(visits * rng.uniform(0.03, 0.06)),
    }
