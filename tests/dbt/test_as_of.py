"""The marts of a past date are those that readers saw at its end."""

from __future__ import annotations

from datetime import date

import pytest
from psycopg import errors

from crw import as_of, publish
from tests.dbt import world
from tests.dbt.conftest import copy_of


def brings_31_march(warehouse):
    """The world's last night, read when the case database had been amended again."""
    world.last_night(warehouse)
    warehouse.connection.execute(
        "insert into audit.load (source, table_name, business_date, run_id, state, interval_start, interval_end, rows_read, "
        "rows_published, rows_unchanged, rows_quarantined, rows_amended_since) values ('feedback', 'cases', '2013-03-31', 'test', "
        "'published', '2013-03-30 23:00+08', '2013-04-01 00:00+08', 2, 2, 0, 0, 7)"
    )


def brings_1_april(warehouse):
    """A case withdrawn, one deleted, a late one of the year that has just closed, a company that leaves, a corrected survey."""
    warehouse.put(
        "feedback", "cases", "2013-04-01", 21,
        world.case("A8", "C-DELAY", "2010-12-01 09:00+08", status="withdrawn", updated_at="2013-04-01 09:00+08"),
        world.case("A9", "C-DELAY", "2013-03-31 22:00+08", updated_at="2013-04-01 09:00+08"),
    )  # fmt: skip
    warehouse.end_date("feedback", "cases", "2013-04-01", 24, "A2")
    warehouse.put(
        "membership", "membership", "2013-04-01", 22, world.membership("m4", "K2", "eclub", "2012-06-01", "2013-03-30")
    )
    world.survey(warehouse, 23, "2013-04-01", "d4", world.WAVE_2012, [("5", 1), ("1", 1)])


NIGHTS = {"2013-03-30": None, "2013-03-31": brings_31_march, "2013-04-01": brings_1_april}


@pytest.fixture(scope="module")
def warehouse(server, march_30, tmp_path_factory):
    with copy_of(server, march_30, tmp_path_factory) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def shown(warehouse):
    """What the marts showed after each night: by night, the rows of each mart."""
    shown = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRW_BUSINESS_DATE", min(NIGHTS))
        as_of.install()
    for night, brings in NIGHTS.items():
        if brings:
            brings(warehouse)
            warehouse.build(night)
        publish.publish_marts(warehouse.connection, date.fromisoformat(night), "test")
        published = warehouse.contents("marts", "accounts")
        shown[night] = {name.partition(".")[2]: rows for name, rows in published.items() if name != "marts.data_health"}
    return shown


@pytest.fixture
def analyst(warehouse, shown, login):
    return login(warehouse.connection, "crw_analyst")


def test_an_analyst_sees_of_each_past_date_what_the_marts_showed_then(analyst, shown):
    assert shown["2013-03-30"] != shown["2013-03-31"] != shown["2013-04-01"]
    for night, marts in shown.items():
        for mart, rows in marts.items():
            known = analyst.execute(f"select t::text from as_of.{mart}('{night}') as t order by 1").fetchall()
            assert known == rows, (night, mart)


def test_a_date_that_amendments_have_overtaken_has_no_complete_period_and_says_so(analyst, shown):
    notices = []
    analyst.add_notice_handler(lambda notice: notices.append((notice.severity, notice.message_primary)))
    complete = {
        night: analyst.execute(
            f"select bool_or(f.is_complete) or bool_or(m.is_complete) from as_of.kpi_feedback('{night}') as f, "
            f"as_of.kpi_membership('{night}') as m"
        ).fetchone()[0]
        for night in shown
    }
    assert complete == {"2013-03-30": True, "2013-03-31": False, "2013-04-01": True}
    assert {severity for severity, _ in notices} == {"WARNING"}
    assert len(notices) == 2
    assert notices[0][1].startswith("2013-03-31 was read late, and rows have been amended since: feedback.cases as of")


def test_two_dates_in_one_query_that_leaves_nothing_behind(analyst):
    query = """
        select kind, before.received, later.received
        from as_of.kpi_feedback('2013-03-31') as before
        inner join as_of.kpi_feedback('2013-04-01') as later using (period_basis, period, kind, level)
        where period_basis = 'fiscal_year' and period = '2012/13' and level = 'kind' and before.received <> later.received
    """
    assert analyst.execute(query).fetchall() == [("complaint", 1, 2)]
    assert analyst.execute("select relname from pg_class where relnamespace = pg_my_temp_schema()").fetchall() == []


def test_a_caller_cannot_slip_a_table_of_his_own_under_a_function(analyst):
    analyst.execute("create temporary table fct_feedback_case (like core.fct_feedback_case)")
    with pytest.raises(errors.DuplicateTable):
        analyst.execute("select * from as_of.kpi_feedback('2013-03-31')")


@pytest.mark.parametrize("wrong", ["2013-03-29", "2013-04-02"])
def test_a_date_of_which_nothing_is_known_is_refused(analyst, wrong):
    with pytest.raises(errors.RaiseException, match=f"2013-03-30 to 2013-04-01; nothing is known as of {wrong}"):
        analyst.execute(f"select * from as_of.kpi_feedback('{wrong}')")


def test_before_the_first_publication_nothing_is_known(database):
    with pytest.raises(errors.RaiseException, match="no marts were ever published"):
        database.execute("select as_of.check_date('2013-03-31')")
