"""A warehouse filled with so many years of so many rows, and its nights: what `history` and `growth` measure.

Rows are generated in raw. A case and its events spread over all codes, as the published ones do, and each step takes its own number of
days. A membership lasts 400 days, so that the clubs are as large after ten years as after one. Each night amends 100 cases and 400
events, ends 20 memberships and brings 20 companies.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import psycopg
from dbt.cli.main import dbtRunner

from crw import contracts, publish, warehouse
from crw.local import environment
from crw.local.postgres import Server

LAST = date(2013, 3, 31)
NIGHTS = 5
"""How many nights a warehouse is made ready for."""

AMENDED = 100
"""Cases that a night amends."""

CASES = """
insert into raw.feedback__cases (case_id, case_no, category_code, service_code, channel_code, received_at, closed_at, status, outcome,
    incident_date_text, post_office_code, district_code, company_id, language, is_anonymous, updated_at, _load_id, _business_date)
select n, 'C' || n, 'K' || spread %% 40,
    (array['counter', 'delivery', 'hotline', 'mail_processing', 'online', 'philately', 'agency', 'other'])[1 + spread %% 8],
    (array['phone', 'form', 'referral', 'email', 'letter', 'in_person', 'web'])[1 + spread %% 7], received_at,
    received_at + 4 * (1 + spread %% 13) * interval '1 day', %(status)s, 'substantiated', to_char(received_at, 'DD/MM/YYYY'),
    'P' || spread %% 127,
    (array['CW', 'WC', 'E', 'S', 'YTM', 'SSP', 'KC', 'WTS', 'KT', 'KTS', 'TW', 'TM', 'YL', 'N', 'TP', 'ST', 'SK', 'IS'])
        [1 + spread %% 18],
    case when n %% 3 = 0 then 'M' || 1 + n %% %(memberships)s end,
    (array['en', 'tc', 'sc'])[1 + spread %% 3], false, received_at, %(load)s, %(day)s
from (
    select n, hashint4(n) & 1073741823 as spread,
        timestamptz '2013-03-31 12:00+08' - n * interval '1 year' / %(cases)s as received_at
    from generate_series(%(first)s, %(last)s) as n
) as number
"""
EVENTS = """
insert into raw.feedback__case_event (event_id, case_no, event_type, occurred_at, recorded_at, _load_id, _business_date)
select 4 * (n - 1) + step, 'C' || n, (array['received', 'acknowledged', 'replied', 'closed'])[step], at, at, %(load)s, %(day)s
from generate_series(%(first)s, %(last)s) as n
cross join generate_series(1, 4) as step
cross join lateral (
    select timestamptz '2013-03-31 12:00+08' - n * interval '1 year' / %(cases)s
        + step * (1 + (hashint4(n) & 1073741823) %% 13) * interval '1 day'
) as happened (at)
"""
CATEGORIES = """
insert into raw.feedback__category (category_code, kind, issue_code, _load_id, _business_date)
select 'K' || n, (array['complaint', 'commendation', 'enquiry', 'suggestion'])[1 + n %% 4],
    (array['delay', 'loss', 'damage', 'misdelivery', 'staff_attitude', 'charges', 'facility', 'website', 'redelivery', 'other'])[1 + n / 4],
    %(load)s, %(day)s
from generate_series(0, 39) as n
"""
OFFICES = """
insert into raw.feedback__post_office (post_office_code, name_en, _load_id, _business_date)
select 'P' || n, 'Office ' || n, %(load)s, %(day)s from generate_series(0, 126) as n
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


@dataclass(frozen=True)
class PerYear:
    """Rows that each year has."""

    cases: int = 10_000
    memberships: int = 6_000
    respondents: int = 2_000


@dataclass(frozen=True, order=True)
class Night:
    """What a night cost, in seconds; they are ordered by the whole."""

    total: float
    """dbt and publishing."""
    elapsed: float
    """dbt's nodes, side by side."""
    nodes: dict[str, float] = field(compare=False)


class Volume:
    """A warehouse that holds so many years, and dbt on it. The first build is not made yet."""

    def __init__(self, server: Server, home: Path, years: int, per_year: PerYear) -> None:
        name = f"volume_{years}_{per_year.cases}"
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"create database {name}")
        self.variables = environment.dbt_variables(server, home / name, name)
        self.connection = psycopg.connect(server.dsn(name), autocommit=True)
        self.server, self.name, self.per_year = server, name, per_year
        warehouse.install(self.connection)
        for offset in range(NIGHTS + 1):
            for table in contracts.tables().values():
                warehouse.ensure_partition(self.connection, table, LAST + timedelta(days=offset))
        self.cases, self.companies = per_year.cases * years, per_year.memberships * years
        self._put(LAST, 1, CASES, "feedback.cases", first=1, last=self.cases, status="closed")
        self._put(LAST, 1, EVENTS, "feedback.case_event", first=1, last=self.cases)
        self._put(LAST, 1, COMPANIES, "membership.company", first=1, last=self.companies)
        self._put(LAST, 1, MEMBERSHIPS, "membership.membership", first=1, last=self.companies, stay=400)
        self._put(LAST, 1, CATEGORIES, "feedback.category")
        self._put(LAST, 1, OFFICES, "feedback.post_office")
        self._put(LAST, 1, WAVES, "survey.delivery", last=years)
        self._put(LAST, 1, QUESTIONS, "survey.question", last=years)
        self._put(LAST, 1, RESPONDENTS, "survey.respondent", last=years)
        self.connection.execute("vacuum analyze")

    def first_build(self) -> Night:
        """Build everything from raw, and publish it."""
        return self._build(LAST)

    def night(self, number: int) -> Night:
        """Build and publish what the night brings."""
        day, companies = LAST + timedelta(days=number), self.companies + 20 * number
        self._put(day, 1 + number, CASES, "feedback.cases", first=1, last=AMENDED, status="reopened")
        self._put(day, 1 + number, EVENTS, "feedback.case_event", first=1, last=AMENDED)
        self._put(day, 1 + number, COMPANIES, "membership.company", first=companies - 19, last=companies)
        self._put(
            day, 1 + number, MEMBERSHIPS, "membership.membership", first=20 * number - 19, last=20 * number, stay=1
        )
        return self._build(day)

    def disk(self) -> int:
        """Bytes on disk, of tables and indexes of all schemas."""
        return self.connection.execute("select pg_database_size(current_database())").fetchone()[0]

    def drop(self) -> None:
        """Give its disk back."""
        self.connection.close()
        with psycopg.connect(self.server.dsn(), autocommit=True) as admin:
            admin.execute(f"drop database {self.name} with (force)")

    def _build(self, day: date) -> Night:
        """The night's dbt build, models, seeds and data tests, and publishing.

        Raises:
            RuntimeError: one of dbt's nodes failed.
        """
        os.environ.update(self.variables, CRW_BUSINESS_DATE=day.isoformat())
        began = time.perf_counter()
        outcome = dbtRunner().invoke(["--quiet", "build", "--exclude-resource-type", "unit_test"])
        if not outcome.success:
            raise RuntimeError(
                f"dbt: {outcome.exception or [r.message for r in outcome.result if r.status != 'success']}"
            )
        built = time.perf_counter()
        publish.publish_marts(self.connection, day, "bench")
        ended = time.perf_counter()
        nodes = {result.node.name: result.execution_time for result in outcome.result}
        return Night(ended - began, outcome.result.elapsed_time, nodes | {"publish_marts": ended - built})

    def _put(self, day: date, load: int, statement: str, table: str, **limits: int | str) -> None:
        # Bound by the client, so that each number keeps its plain type.
        values = {**asdict(self.per_year), **limits, "load": load, "day": day}
        psycopg.ClientCursor(self.connection).execute(statement, values)
        warehouse.note_load(self.connection, contracts.table(*table.split(".")), day, load)
