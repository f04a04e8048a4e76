"""The membership part of the sample CRM: the published numbers of members come out."""

from __future__ import annotations

from datetime import date

TABLES = ("account_manager", "company", "contact", "membership")
VALID = """
    select payload ->> 'company_id' as company_id, payload ->> 'club_code' as club,
        (payload ->> 'joined_on')::date as joined_on, (payload ->> 'left_on')::date as left_on
    from crm.membership where not starts_with(membership_id, 'M9')
"""


def members(connection, day):
    return connection.execute(
        f"select count(distinct company_id) from ({VALID}) as valid "
        "where joined_on <= %(day)s and (left_on is null or left_on > %(day)s)",
        {"day": day},
    ).fetchone()[0]


def test_the_published_numbers_of_member_companies_come_out(crm_opening):
    assert 41_800 <= members(crm_opening, date(2011, 3, 31)) < 42_000
    assert 42_800 <= members(crm_opening, date(2012, 3, 31)) < 43_000  # close to 43,000
    assert 43_200 <= members(crm_opening, date(2013, 3, 31)) < 43_300  # over 43,000


def test_many_companies_are_in_both_clubs_so_that_clubs_do_not_add_up(crm_opening):
    by_club = crm_opening.execute(
        f"select club, count(distinct company_id) from ({VALID}) as valid where left_on is null group by 1"
    ).fetchall()
    assert {club for club, _ in by_club} == {"postalplus", "eclub"}
    assert sum(count for _, count in by_club) > 1.25 * members(crm_opening, date(2013, 3, 31))


def test_a_company_joins_again_under_a_new_number_and_is_never_twice_in_one_club(crm_opening):
    (again,) = crm_opening.execute(
        f"select count(*) from (select from ({VALID}) as valid group by company_id, club having count(*) > 1) as spells"
    ).fetchone()
    (overlaps,) = crm_opening.execute(
        "select count(*) from (select joined_on, "
        "lag(coalesce(left_on, 'infinity')) over (partition by company_id, club order by joined_on) as left_before "
        f"from ({VALID}) as valid) as spells where joined_on < left_before"
    ).fetchone()
    assert again > 500
    assert overlaps == 0


def test_sizes_are_those_of_the_operator(crm_opening):
    counts = {name: crm_opening.execute(f"select count(*) from crm.{name}").fetchone()[0] for name in TABLES}
    assert 45_500 < counts["company"] < 46_500
    assert 1.05 < counts["contact"] / counts["company"] < 1.15
    assert counts["account_manager"] == 41
    (managed,) = crm_opening.execute(
        "select count(*) from crm.company where payload ->> 'account_manager_id' is not null"
    ).fetchone()
    assert 2_300 < managed <= 2_500


def test_people_are_obviously_invented(crm_opening):
    strays = crm_opening.execute(
        "select count(*) from crm.contact where payload ->> 'email' not like '%@example.com' "
        "or payload ->> 'hkid' !~ '^X[0-9]{6}[(]0[)]$' or payload ->> 'phone' !~ '^[+]852 0'"
    ).fetchone()
    assert strays == (0,)
