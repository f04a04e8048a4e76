"""The marts that break feedback, satisfaction and membership down, on the small world: what fingers count."""

import json
import re
from decimal import Decimal

import pytest

from crw import lineage
from crw.settings import PROJECT
from tests.dbt import small_cells, world
from tests.dbt.conftest import built_manifest

RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")


def crowd(warehouse):
    """60 companies of four sizes in eclub, of which 7 of one and 4 of another took part in something; K900, of it for no day; and
    573 cases closed after 27 and 37 days, of which the double of the 90th percentile is no 35."""
    sizes = [*["1-9"] * 20, *["10-49"] * 3, *["50-99"] * 17, *["100+"] * 20]
    companies = [{"company_id": f"K{100 + n}", "size_band": size} for n, size in enumerate(sizes)]
    warehouse.put("membership", "company", "2013-03-31", 70, *companies, {"company_id": "K900"})
    joined = [world.membership(f"n{n}", row["company_id"], "eclub", "2012-05-01") for n, row in enumerate(companies)]
    one_day = world.membership("n900", "K900", "eclub", "2012-05-01", "2012-05-01")
    warehouse.put("membership", "membership", "2013-03-31", 71, *joined, one_day)
    warehouse.put(
        "engagement", "activity", "2013-03-31", 72, {"activity_id": "V", "kind": "expo", "held_on": "2012-11-20"}
    )
    came = [
        {"registration_id": f"V{n}", "activity_id": "V", "company_id": row["company_id"], "attended": True, "is_walk_in": False}
        for n, row in enumerate(companies[:7] + companies[-4:])
    ]  # fmt: skip
    warehouse.put("engagement", "registration", "2013-03-31", 73, *came)
    waits = [("2012-08-28", 515), ("2012-08-18", 58)]
    cases = [
        world.case(f"W{day}{n}", "?", f"{day} 09:00+08", closed_at="2012-09-24 09:00+08")
        for day, size in waits
        for n in range(size)
    ]
    warehouse.put("feedback", "cases", "2013-03-31", 74, *cases)


@pytest.fixture(scope="module")
def built(module_warehouse):
    world.first_nights(module_warehouse)
    world.last_night(module_warehouse)
    crowd(module_warehouse)
    module_warehouse.build("2013-03-31")
    return module_warehouse


def test_the_lineage_that_is_kept_is_that_of_the_models(built):
    kept = json.loads(lineage.KEPT.read_text(encoding="utf-8"))
    assert lineage.kpis(built_manifest()) == kept, "make docs"


def test_every_query_of_the_runbook_runs(built):
    blocks = re.findall(r"```sql\n(.*?)```", RUNBOOK, re.S) + re.findall(r"`(select [^`]+)`", RUNBOOK)
    queries = [query for block in blocks for query in block.split(";") if query.strip().startswith("select")]
    assert len(queries) > 15
    for query in queries:
        built.rows(query.replace("<pid>", "0").replace("<source>__<table>", "feedback__cases"))


def test_every_dimension_holds_every_case(built):
    rows = built.rows(
        "select dimension, sum(received) from candidate.kpi_feedback_by_dimension "
        "where period_basis = 'fiscal_year' group by 1 order by 1"
    )
    # A1-A3, A5-A8 and the 573 that waited: A4 is merged.
    assert rows == [(name, 580) for name in ("channel", "district", "language", "post_office", "segment")]


def test_nothing_of_a_service_is_zero_and_not_unknown(built):
    rows = built.rows(
        "select received, received_year_before, received_change_pct, received_change_high_pct, is_change_significant "
        "from candidate.kpi_feedback where period_basis = 'fiscal_year' and period = '2012/13' "
        "and kind = 'commendation' and level = 'service' and service_code in ('delivery', 'hotline') order by service_code"
    )
    # A5 alone was of delivery in 2011/12; one after none is noise.
    assert [row[:3] for row in rows] == [(0, 1, Decimal(-100)), (0, 0, None)]
    assert rows[0][3] > 1000
    assert [row[4] for row in rows] == [False, False]


def test_acknowledgement_time_of_the_cases_due(built):
    rows = built.rows(
        "select period, cases, measured_cases, calendar_days_median, working_days_median "
        "from candidate.kpi_feedback_timeliness where period_basis = 'fiscal_year' and dimension = 'all' "
        "and kind in ('commendation', 'lost_mail_claim') and milestone = 'acknowledgement' order by 1"
    )
    # A1: 1 to 12 April 2010, Easter and Ching Ming between; A5 never; A6: 2 to 10 May 2012.
    assert rows == [("2010/11", 1, 1, 11, 4), ("2011/12", 1, 0, None, None), ("2012/13", 1, 1, 8, 6)]


def test_a_case_whose_status_is_closed_is_in_no_backlog(built):
    assert built.rows("select sum(open_cases) from candidate.kpi_feedback_backlog where as_of_date = '2013-03-31'") == [
        (0,)
    ]


def test_small_cells_are_not_shown(built):
    for mart, figure in (("kpi_satisfaction_by_dimension", "valid_answers"), ("kpi_membership_retention", "joined")):
        assert built.rows(f"select bool_and(is_suppressed), count({figure}), count(*) > 0 from candidate.{mart}") == [
            (True, 0, True)
        ]
    assert built.rows(
        "select bool_and(is_suppressed), count(members) from candidate.kpi_membership_by_dimension "
        "where dimension <> 'all' and period_end < '2012-05-01'"
    ) == [(True, 0)]


def test_no_cell_of_a_few_is_told_by_a_total_less_its_parts_or_by_a_pair(built):
    assert small_cells.told(built.rows, "candidate") == []
    active = built.rows(
        "select dimension_value, is_suppressed, is_activity_suppressed, active_members "
        "from candidate.kpi_membership_by_dimension where period = '2012/13' and club_code = 'eclub' "
        "and dimension = 'size_band' order by 1"
    )
    # Nobody of 50-99 was active, which is told; 4 of 100+ were and few of no size: the two together tell neither.
    assert active == [
        ("1-9", False, False, 7), ("10-49", True, True, None), ("100+", False, True, None),
        ("50-99", False, False, 0), ("not_stated", True, True, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "another",
    [
        # The hidden cell itself; and a total of which the cells shown leave a few.
        "select period_basis, period, club_code, dimension, dimension_value, 3 as members "
        "from candidate.kpi_membership_by_dimension where is_suppressed and period = '2012/13'",
        "select period_basis, period, club_code, sum(members) + 3 as members from candidate.kpi_membership_by_dimension "
        "where dimension = 'size_band' and period = '2012/13' group by 1, 2, 3",
    ],
)
def test_a_new_mart_that_tells_a_cell_which_another_one_hides_is_found(built, another):
    with built.connection.transaction(force_rollback=True):
        built.connection.execute(f"create table candidate.another as {another}")
        assert [said for said in small_cells.told(built.rows, "candidate") if "beside another: " in said]


def test_who_joined_and_left_on_one_day_is_a_join_and_a_leave(built):
    rows = built.rows(
        "select club_code, members_at_start, members, joins, rejoins, leaves from candidate.kpi_membership "
        "where period = '2012-05' order by 1"
    )
    assert rows == [("any", 2, 62, 61, 0, 1), ("eclub", 1, 61, 61, 0, 1), ("postalplus", 2, 2, 0, 0, 0)]
    ever = built.rows("select count(*), bool_or(is_member) from candidate.customer_360 where company_id = 'K900'")
    assert ever == [(3, False)]


def test_every_figure_is_stored_exact(built):
    columns = built.rows(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'candidate'"
    )
    assert [column for column in columns if column[2] in ("double precision", "real")] == []
    percentiles = [column[:2] for column in columns if column[1].endswith(("_median", "_p90"))]
    assert len(percentiles) == 10
    for mart, column in percentiles:
        # Between whole days the median and the 90th percentile lie at tenths.
        inexact = f"select count(*) from candidate.{mart} where {column} <> round({column}, 1)"
        assert built.rows(inexact) == [(0,)], (mart, column)
    # 0.9 * 572 is 514.8: eight tenths of the way from the 515th case, of 27 days, to the next, of 37.
    assert built.rows(
        "select calendar_days_p90::text from candidate.kpi_feedback_timeliness where milestone = 'closing' "
        "and period = '2012-09' and dimension = 'all' and kind = 'not_stated'"
    ) == [("35",)]


def test_members_tenure_and_activity(built):
    rows = built.rows(
        "select members, tenure_days_sum, active_members from candidate.kpi_membership_by_dimension "
        "where period = '2010/11' and club_code = 'any' and dimension = 'all'"
    )
    # On 31 March 2011: K1 since 1 January 2009, K2 since 1 June 2010, K3 since 1 January 2009. K1 wrote A1.
    assert rows == [(3, 819 + 303 + 819, 1)]
