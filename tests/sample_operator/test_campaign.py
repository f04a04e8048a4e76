"""Campaigns and accounts of the sample CRM: sizes, late responses, consent, and who was in charge when."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from sample_operator import clock, crm
from sample_operator.crm import campaign
from tests.sample_operator.conftest import SMALL

CONTACTS = """
    select payload ->> 'campaign_id' as campaign_id, payload ->> 'company_id' as company_id,
        (payload ->> 'contacted_on')::date as contacted_on, (payload ->> 'has_consent')::boolean as has_consent
    from crm.campaign_contact where campaign_contact_id < 'CC9'
"""
RESPONSES = """
    select payload ->> 'campaign_id' as campaign_id, payload ->> 'company_id' as company_id,
        payload ->> 'response_kind' as kind, (payload ->> 'responded_at')::timestamptz as responded_at
    from crm.campaign_response where campaign_response_id < 'CR9'
"""


@pytest.fixture(scope="module")
def closing(build):
    """The small sample at the end of April 2013."""
    return build(crm, scale=SMALL, until=clock.hong_kong(clock.END))


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("campaign_contact", 22_000, 29_000), ("campaign_response", 4_500, 6_000), ("interaction", 14_000, 17_000)],
)
def test_sizes_are_modest(crm_opening, name, least, most):
    assert least < crm_opening.execute(f"select count(*) from crm.{name}").fetchone()[0] < most


def test_responses_come_long_after_the_contact_some_twice_and_some_from_strangers(crm_opening):
    late, median, twice, strangers = crm_opening.execute(
        f"""
        select avg((days > 60)::int), percentile_cont(0.5) within group (order by days),
            count(*) - count(distinct (campaign_id, company_id)) as twice,
            (select count(*) from ({RESPONSES}) as r where not exists (select from ({CONTACTS}) as c
                where c.campaign_id = r.campaign_id and c.company_id = r.company_id)) as strangers
        from (select campaign_id, company_id, responded_at::date - contacted_on as days
            from ({RESPONSES}) as r join ({CONTACTS}) as c using (campaign_id, company_id)) as answered
        """
    ).fetchone()
    assert 0.06 < late < 0.16
    assert 14 < median < 22
    assert twice > 150
    assert 30 < strangers < 150


def test_targeted_promotions_are_responded_to_more_often(crm_opening):
    rates = crm_opening.execute(
        f"""
        select btrim(payload ->> 'kind_code'), avg(exists (select from ({RESPONSES}) as r
            where r.campaign_id = c.campaign_id and r.company_id = c.company_id and r.kind <> 'opt_out')::int)
        from ({CONTACTS}) as c join crm.campaign using (campaign_id)
        where contacted_on < '2012-12-01' group by 1 order by 1
        """
    ).fetchall()
    assert [kind for kind, _ in rates] == ["campaign", "targeted_promotion"]
    assert 0.13 < rates[0][1] < 0.17
    assert 0.29 < rates[1][1] < 0.35


@pytest.mark.parametrize("sample", ["opening", "closing"])
def test_from_april_2013_only_the_lapses_are_contacted_without_consent(crm_opening, closing, sample):
    connection = closing if sample == "closing" else crm_opening
    rows = connection.execute(
        f"select campaign_id, count(*) from ({CONTACTS}) as c where contacted_on >= '2013-04-01' and not has_consent group by 1"
    ).fetchall()
    assert dict(rows) == (campaign.LAPSES if sample == "closing" else {})


def test_the_consent_is_one_that_stood_on_the_day(crm_opening):
    crm_opening.execute(
        """
        create temporary table contact as
        select
            contact_id, updated_at, payload ->> 'company_id' as company_id,
            (payload ->> 'marketing_consent')::boolean as has_consent
        from simulation.contact where contact_id < 'P9';
        create index on contact (company_id)
        """
    )
    strays = crm_opening.execute(
        f"""
        select count(*), count(*) filter (where has_consent <> all (stood)) from (
            select has_consent, array(
                select (
                    select contact.has_consent from contact
                    where contact.company_id = c.company_id and updated_at < midnight
                    order by contact_id, updated_at desc limit 1)
                from (values (contacted_on), (contacted_on + 1)) as edge (midnight)) as stood
            from ({CONTACTS} and payload ->> 'campaign_id' = 'CP0047') as c where contacted_on is not null
        ) as told
        """
    ).fetchone()
    assert strays[0] > 200
    assert strays[1] == 0


def test_the_assignments_say_what_the_companies_records_say(crm_opening):
    strays = crm_opening.execute(
        """
        select count(*), count(manager_id) from (
            select payload ->> 'company_id' as company_id, payload ->> 'staff_id' as staff_id
            from crm.account_assignment
            where starts_with(payload ->> 'staff_id', 'AM') and payload ->> 'assigned_to' is null
        ) as assigned full join (
            select company_id, payload ->> 'account_manager_id' as manager_id from crm.company
            where payload ->> 'account_manager_id' is not null
        ) as company using (company_id)
        where manager_id is distinct from staff_id
        """
    ).fetchone()
    # Only the assignments whose end was forgotten.
    assert 10 < strays[0] < 100
    assert strays[0] == strays[1]


def test_an_account_changes_hands_on_one_day(crm_opening):
    rows = crm_opening.execute(
        "select payload ->> 'company_id', (payload ->> 'assigned_from')::date, (payload ->> 'assigned_to')::date "
        "from crm.account_assignment where account_assignment_id < 'AA9' order by 1, 2"
    ).fetchall()
    gaps = [
        (company, left, begun)
        for (company, _, left), (other, begun, _) in pairwise(rows)
        if company == other and left is not None and left != begun
    ]
    assert gaps == []
    assert all(left is None or left >= begun for _, begun, left in rows)


def test_interactions_begin_with_the_history_and_each_month_has_some(crm_opening):
    months = crm_opening.execute(
        "select date_trunc('month', (payload ->> 'interacted_at')::timestamptz at time zone 'Asia/Hong_Kong')::date, count(*) "
        "from crm.interaction where interaction_id < 'IN9' group by 1 order by 1"
    ).fetchall()
    assert len(months) == 36
    assert months[0][0] == date(2010, 4, 1)
    assert min(count for _, count in months) > 150
