"""A night of dbt and publishing on 1 and on 10 years of history: `python -m tests.bench.history`. Target: a ratio of at most 1.3.

Years are generated in raw at the sample's size (10,000 cases, 40,000 events, 6,000 memberships, 2,000 respondents of 10
questions a year). A membership lasts 400 days, so that the clubs are as large after ten years as after one, as the published
ones are. Each night amends 100 cases and 400 events, ends 20 memberships and brings 20 companies. The two warehouses take
turns, A B A B, because the machines this runs on are noisy; a ratio is the median of the pairs' ratios. dbt's start, which no
history makes longer, is in the ratio of the night and not in the ratio of its nodes.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import psycopg
from dbt.cli.main import dbtRunner
from rich.console import Console

from crw import contracts, publish, warehouse
from crw.local import environment
from crw.local.postgres import Server
from tests.bench.stage import scratch_server

LAST = date(2013, 3, 31)
YEARS = (1, 10)
NIGHTS = 5
PER_YEAR = {"cases": 10_000, "memberships": 6_000, "respondents": 2_000}

CASES = """
insert into raw.feedback__cases (case_id, case_no, category_code, service_code, channel_code, received_at, closed_at, status,
    is_anonymous, updated_at, _load_id, _business_date)
select n, 'C' || n, 'K' || n %% 20, 'counter', 'phone', received_at, received_at + interval '12 days', %(status)s, false, received_at,
    %(load)s, %(day)s
from (
    select n, timestamptz '2013-03-31 12:00+08' - n * interval '1 year' / %(cases)s as received_at
    from generate_series(%(first)s, %(last)s) as n
) as number
"""
EVENTS = """
insert into raw.feedback__case_event (event_id, case_no, event_type, occurred_at, recorded_at, _load_id, _business_date)
select 4 * (n - 1) + step, 'C' || n, (array['received', 'acknowledged', 'replied', 'closed'])[step], at, at, %(load)s, %(day)s
from generate_series(%(first)s, %(last)s) as n
cross join generate_series(1, 4) as step
cross join lateral (
    select timestamptz '2013-03-31 12:00+08' - n * interval '1 year' / %(cases)s + step * interval '3 days'
) as happened (at)
"""
CATEGORIES = """
insert into raw.feedback__category (category_code, kind, issue_code, _load_id, _business_date)
select 'K' || n, (array['complaint', 'commendation', 'enquiry', 'suggestion'])[1 + n %% 4], 'delay', %(load)s, %(day)s
from generate_series(0, 19) as n
"""
COMPANIES = """
insert into raw.membership__company (company_id, _load_id, _business_date)
select 'M' || n, %(load)s, %(day)s from generate_series(%(first)s, %(last)s) as n
"""
MEMBERSHIPS = """
insert into raw.membership__membership (membership_id, company_id, club_code, joined_on, left_on, _load_id, _business_date)
select n::text, 'M' || n, (array['eclub', 'postalplus'])[1 + n %% 2], joined_on,
    case when joined_on + %(stay)s <= %(day)s then joined_on + %(stay)s end, %(load)s, %(day)s
from (
    select n, date '2013-03-31' - n * 365 / %(memberships)s as joined_on from generate_series(%(first)s, %(last)s) as n
) as number
"""
WAVES = """
insert into raw.survey__delivery (delivery_id, file_name, wave_code, period_basis, period_start, period_end, delivered_at,
    _load_id, _business_date)
select 'd' || n, 'f', (2013 - n)::text, 'calendar_year', make_date(2013 - n, 1, 1), make_date(2013 - n, 12, 31),
    '2013-03-31', %(load)s, %(day)s
from generate_series(1, %(last)s) as n
"""
QUESTIONS = """
insert into raw.survey__question (delivery_id, question_code, question_no, column_name, scale, valid_codes, top_codes, not_applicable_codes,
    blank_codes, delivered_at, _load_id, _business_date)
select 'd' || n, 'q' || q, q, 'q' || q, 'rating', '["1","2","3","4","5"]', '["4","5"]', '["6"]', '["0"]', '2013-03-31', %(load)s, %(day)s
from generate_series(1, %(last)s) as n cross join generate_series(1, 10) as q
"""
RESPONDENTS = """
insert into raw.survey__respondent (delivery_id, respondent_id, weight, is_weighted, is_complete, answers, delivered_at,
    _load_id, _business_date)
select 'd' || n, r::text, 1, true, true,
    (select array_agg((1 + (r + q) %% 5)::text order by q)::text from generate_series(1, 10) as q), '2013-03-31', %(load)s, %(day)s
from generate_series(1, %(last)s) as n cross join generate_series(1, %(respondents)s) as r
"""


class History:
    """A warehouse that holds so many years, and dbt on it."""

    def __init__(self, server: Server, home: Path, years: int) -> None:
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"create database years_{years}")
        self.variables = environment.dbt_variables(server, home / f"years_{years}", f"years_{years}")
        self.connection = psycopg.connect(server.dsn(f"years_{years}"), autocommit=True)
        warehouse.install(self.connection)
        for offset in range(NIGHTS + 1):
            for table in contracts.tables().values():
                warehouse.ensure_partition(self.connection, table, LAST + timedelta(days=offset))
        self.cases, self.companies = PER_YEAR["cases"] * years, PER_YEAR["memberships"] * years
        self._put(LAST, 1, CASES, "feedback.cases", first=1, last=self.cases, status="closed")
        self._put(LAST, 1, EVENTS, "feedback.case_event", first=1, last=self.cases)
        self._put(LAST, 1, COMPANIES, "membership.company", first=1, last=self.companies)
        self._put(LAST, 1, MEMBERSHIPS, "membership.membership", first=1, last=self.companies, stay=400)
        self._put(LAST, 1, CATEGORIES, "feedback.category")
        self._put(LAST, 1, WAVES, "survey.delivery", last=years)
        self._put(LAST, 1, QUESTIONS, "survey.question", last=years)
        self._put(LAST, 1, RESPONDENTS, "survey.respondent", last=years)
        self.connection.execute("vacuum analyze")
        self.build(LAST)
        publish.publish_marts(self.connection, LAST, "bench")

    def night(self, number: int) -> tuple[float, float, dict[str, float]]:
        """What the night brings, and the seconds it takes: dbt and publishing in all, dbt's nodes side by side, and each of them."""
        day, companies = LAST + timedelta(days=number), self.companies + 20 * number
        self._put(day, 1 + number, CASES, "feedback.cases", first=1, last=100, status="reopened")
        self._put(day, 1 + number, EVENTS, "feedback.case_event", first=1, last=100)
        self._put(day, 1 + number, COMPANIES, "membership.company", first=companies - 19, last=companies)
        self._put(
            day, 1 + number, MEMBERSHIPS, "membership.membership", first=20 * number - 19, last=20 * number, stay=1
        )
        began = time.perf_counter()
        nodes, elapsed = self.build(day)
        built = time.perf_counter()
        publish.publish_marts(self.connection, day, "bench")
        ended = time.perf_counter()
        return ended - began, elapsed, nodes | {"publish_marts": ended - built}

    def build(self, day: date) -> tuple[dict[str, float], float]:
        """The night's dbt build, models, seeds and data tests: seconds of each, and of all side by side.

        Raises:
            RuntimeError: one of them failed.
        """
        os.environ.update(self.variables, CRW_BUSINESS_DATE=day.isoformat())
        outcome = dbtRunner().invoke(["--quiet", "build", "--exclude-resource-type", "unit_test"])
        if not outcome.success:
            raise RuntimeError(
                f"dbt: {outcome.exception or [r.message for r in outcome.result if r.status != 'success']}"
            )
        return {result.node.name: result.execution_time for result in outcome.result}, outcome.result.elapsed_time

    def _put(self, day: date, load: int, statement: str, table: str, **limits: int | str) -> None:
        # Bound by the client, so that each number keeps its plain type.
        psycopg.ClientCursor(self.connection).execute(statement, {**PER_YEAR, **limits, "load": load, "day": day})
        warehouse.note_load(self.connection, contracts.table(*table.split(".")), day, load)


def main() -> int:
    """Print seconds and ratio. The exit status is 0: a measurement is no test."""
    console = Console()
    with scratch_server() as (server, folder):
        short, long = (History(server, folder, years) for years in YEARS)
        pairs = [(short.night(number), long.night(number)) for number in range(1, NIGHTS + 1)]
    for years, nights in zip(YEARS, zip(*pairs, strict=True), strict=True):
        total, elapsed = (statistics.median(night[part] for night in nights) for part in (0, 1))
        console.print(f"{years:>2} years: {total:.1f} s a night, {elapsed:.1f} s of it in nodes", highlight=False)
    for part, name in enumerate(("of the night", "of its nodes alone")):
        ratio = statistics.median(after[part] / before[part] for before, after in pairs)
        console.print(f"ratio {name} {ratio:.2f} (target of the night at most 1.3)", highlight=False)
    console.print("seconds of the nodes that grow most, side by side, medians:", highlight=False)
    taken = {
        node: [statistics.median(night[2][node] for night in nights) for nights in zip(*pairs, strict=True)]
        for node in pairs[0][0][2]
    }
    for node in sorted(taken, key=lambda node: taken[node][1] - taken[node][0], reverse=True)[:15]:
        console.print(f"  {taken[node][0]:6.2f} {taken[node][1]:6.2f}  {node}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
