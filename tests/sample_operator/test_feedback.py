"""The sample case database: published figures come out of it, dirt is as planted, and April amends them."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import psycopg
import pytest

from crw import contracts
from crw.sources import database as reader
from sample_operator import clock, feedback
from sample_operator.feedback import case_dirt
from sample_operator.feedback.case_plan import COMMITTED_LATE
from tests.sample_operator.conftest import SMALL, days, midnight_after, refused, validate_night

VALID = """
    select distinct on (case_no) cases.*, kind, (received_at at time zone 'Asia/Hong_Kong')::date as received_on
    from case_management.cases join case_management.category using (category_code)
    order by case_no, cases.updated_at desc, case_id desc
"""
COUNTED = f"""
    select extract(year from received_on - interval '3 months')::int as fiscal_year, kind, service_code, received_on
    from ({VALID}) as valid
    where received_on between '2010-04-01' and '2013-03-31' and status <> 'merged'
    and (closed_at is null or closed_at >= received_at)
    and not (is_anonymous and complainant_email is not null)
    and coalesce(district_code, '') not in ('HK', 'Kowloon', '九龍') and channel_code not in ('fax', 'facebook')
    and service_code not in ('courier', 'Counter & delivery') and status not in ('pending approval', 'Closed?')
    and outcome is distinct from 'see memo' and language in ('en', 'tc', 'sc')
"""


@pytest.fixture(scope="module")
def opening(build):
    """The whole sample as it stands when FY2012/13 ends."""
    return build(feedback)


def test_the_published_figures_of_feedback_come_out(opening):
    counts = Counter((row[0], row[1]) for row in opening.execute(COUNTED))
    assert [counts[year, "commendation"] for year in (2010, 2011, 2012)] == [1278, 1512, 2947]
    assert [counts[year, "complaint"] for year in (2010, 2011, 2012)] == [560, 332, 304]
    assert all(190 <= counts[year, "suggestion"] <= 215 for year in (2010, 2011, 2012))
    assert all(6900 <= counts[year, "enquiry"] <= 7200 for year in (2010, 2011, 2012))


def test_commendations_of_2010_11_name_the_published_services(opening):
    services = Counter(row[2] for row in opening.execute(COUNTED) if row[:2] == (2010, "commendation"))
    assert (services["counter"], services["delivery"]) == (459, 691)
    assert sum(services.values()) == 1278


def test_lost_mail_claims_of_the_calendar_year_2012_are_as_published(opening):
    years = Counter(row[3].year for row in opening.execute(COUNTED) if row[1] == "lost_mail_claim")
    assert years[2012] == 518
    assert 480 <= years[2011] <= 520


def test_cases_stand_on_both_sides_of_the_years_last_midnight(opening):
    edges = opening.execute(
        "select distinct to_char(received_at at time zone 'Asia/Hong_Kong', 'YYYY-MM-DD HH24:MI') "
        f"from ({VALID}) as valid where kind = 'complaint' and channel_code = 'web'"
    ).fetchall()
    found = {moment for (moment,) in edges}
    assert {"2010-04-01 00:00", "2011-04-01 00:00", "2012-04-01 00:00"} <= found
    assert {"2011-03-31 23:59", "2012-03-31 23:59", "2013-03-31 23:59"} <= found


def test_status_and_closing_date_follow_the_events(opening):
    strays = opening.execute(
        f"""
        with last as (
            select distinct on (case_no) case_no, event_type, occurred_at, recorded_at from case_management.case_event
            where event_type not in ('phoned', 'REPLIED', 're-opened') and note <> '示例 dirt'
            order by case_no, event_id desc
        )
        select valid.case_no, status, event_type from ({VALID}) as valid join last using (case_no)
        where status <> case event_type when 'reinstated' then 'assigned' else event_type end
            or (status = 'closed') <> (closed_at is not null) or (status = 'closed' and closed_at <> occurred_at)
            or valid.updated_at < recorded_at
        """
    ).fetchall()
    assert strays == []


def test_most_first_answers_keep_the_target_and_some_do_not(opening):
    late, late_acknowledged = opening.execute(
        f"""
        select avg((replied > received_at + interval '30 days')::int),
            avg((acknowledged > received_at + interval '9 days')::int)
        from ({VALID}) as valid join (
            select case_no, min(occurred_at) filter (where event_type = 'replied') as replied,
                min(occurred_at) filter (where event_type = 'acknowledged') as acknowledged
            from case_management.case_event where note <> '示例 dirt' group by 1
        ) as events using (case_no)
        where kind = 'complaint' and acknowledged is not null
        """
    ).fetchone()
    assert 0.02 < late < 0.12
    assert 0.01 < late_acknowledged < 0.1


def test_shares_of_anonymous_cases_and_of_companies_are_plausible(opening):
    anonymous, companies = opening.execute(
        "select avg(is_anonymous::int), avg((company_id is not null)::int) from case_management.cases"
    ).fetchone()
    assert 0.07 < anonymous < 0.09
    assert 0.09 < companies < 0.11


def test_incident_dates_come_in_every_style(opening):
    styles = [
        r"^\d{2}/\d{2}/\d{4}$",
        r"^\d{1,2}-\d{1,2}-\d{2}$",
        r"^\d{4}年\d{1,2}月\d{1,2}日$",
        "^二○一二年[一二三四五六七八九十]+月",
        "^[０-９]{2}／[０-９]{2}／[０-９]{4}$",
        *("^30/02/", "^NA$", "^n/a$", "^$", "^BLANK$", "^0$", " $"),
    ]
    for style in styles:
        query = "select count(*) from case_management.cases where incident_date_text ~ %s"
        assert opening.execute(query, [style]).fetchone()[0], style


def test_reference_tables_cover_hong_kong(opening):
    (districts,) = opening.execute("select count(distinct district_code) from case_management.post_office").fetchone()
    names = "".join(name for (name,) in opening.execute("select name_zh from case_management.post_office"))
    assert districts == 18
    assert all(word in names for word in ("鰂魚涌", "鴨脷洲", "深水埗", "邨", "啓", "衞"))


@pytest.mark.parametrize("name", ["cases", "case_event", "category", "post_office"])
def test_tables_have_the_columns_of_the_contract_and_those_it_withholds(opening, name):
    table = contracts.table("feedback", name)
    columns = opening.execute(f"select * from {table.relation} limit 0").description
    table.check_fields({column.name for column in columns}, table.relation)


def test_the_clock_refuses_a_naive_moment(opening):
    with pytest.raises(ValueError, match="aware"):
        clock.advance(opening.info.dsn, clock.END)


def test_a_case_committed_late_carries_an_earlier_time(build):
    midnight = midnight_after(COMMITTED_LATE[0])
    sample = build(feedback, scale=SMALL, until=midnight)
    query = "select count(*) from case_management.cases where updated_at = %s"
    entered = midnight - timedelta(seconds=100)
    assert sample.execute(query, [entered]).fetchone() == (0,)
    clock.advance_within(sample, midnight + timedelta(minutes=5))
    assert sample.execute(query, [entered]).fetchone() == (1,)


def test_every_day_of_april_but_the_quiet_ones_brings_something(opening):
    visible = "select distinct (visible_at at time zone 'Asia/Hong_Kong')::date from simulation.{}"
    for table in ("cases", "case_event"):
        busy = {day for (day,) in opening.execute(visible.format(table))}
        assert set(days()) - busy == set(clock.QUIET_DAYS)


def test_april_changes_what_was_published(build):
    """As of a later date the figures of FY2012/13 are others: cases are re-filed, and some come late."""
    closing = build(feedback, until=clock.hong_kong(clock.END))
    counts = Counter((row[0], row[1]) for row in closing.execute(COUNTED))
    assert counts[2012, "commendation"] == 2947 + 12
    assert counts[2012, "complaint"] == 304 + 4 - 9 + 4 + 3 + 1 - 2


def test_the_suites_refuse_the_planted_rows_and_no_others(database, create):
    dsn = create()
    feedback.build(dsn, scale=SMALL)

    def read(load):
        return reader.read(load.table, psycopg.connect(dsn), load.interval, b"secret")

    validate_night(database, contracts.sources()["feedback"], read)
    assert refused(database) == feedback.planted()


def test_planted_names_the_nights_of_april_too():
    assert feedback.planted(date(2013, 4, 9)) == {("cases", "key_unique"): 1}
    assert feedback.planted(date(2013, 4, 6)) == {}
    assert {night for night in days() if feedback.planted(night)} == {
        *case_dirt.TWICE_IN_APRIL,
        *case_dirt.DIRTY_IN_APRIL,
    }
