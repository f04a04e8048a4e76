"""The dashboards as a reader meets them: Superset on the marts of a night, looked at with Chromium. `make dashboards-test` runs them."""

from __future__ import annotations

import os
from urllib.parse import quote

import httpx
import psycopg
import pytest
from bi.superset import __main__ as dashboards
from bi.superset import assets, told

from crw.local import environment
from tests import browser
from tests.bi import viewer

pytestmark = [
    pytest.mark.skipif(
        "CRW_DASHBOARDS" not in os.environ,
        reason="Superset has an environment of its own, which only `make dashboards` builds: make dashboards-test",
    ),
    pytest.mark.skipif(browser.executable() is None, reason="there is no Chromium"),
]
SLUGS = [f"{name.replace('_', '-')}{suffix}" for name in assets.declaration()["dashboards"] for suffix in ("", "-zh")]


@pytest.fixture(scope="module")
def address():
    dashboards.provision()
    return dashboards.serve()


@pytest.fixture(scope="module")
def page(address, tmp_path_factory):
    with browser.chromium(tmp_path_factory.mktemp("profile")) as page:
        viewer.log_in(page, address, environment.state()["superset_password"])
        yield page


@pytest.fixture(scope="module")
def marts():
    with psycopg.connect(dashboards.marts().render_as_string(hide_password=False)) as connection:
        yield connection


def tile(charts, title):
    return next(chart["figure"] for chart in charts if chart["title"] == title)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_dashboard_draws_every_chart_and_asks_no_other_machine(page, address, marts, slug):
    charts = viewer.charts_of(page, address, slug)
    assert charts
    # A night may refuse nothing.
    (refused,) = marts.execute(
        "select count(*) from marts.data_health where is_latest and measure = 'rows_refused'"
    ).fetchone()
    empty = [] if refused else [told.text("health_refused", language) for language in told.LANGUAGES]
    missing = [chart for chart in charts if chart["waits"] or not chart["drawn"]]
    assert [chart for chart in missing if not (chart["empty"] and chart["title"] in empty)] == []
    assert [asked for asked in page.requested if not viewer.is_of(address, asked)] == []


def test_a_headline_and_the_business_date_are_what_sql_says(page, address, marts):
    charts = viewer.charts_of(page, address, "service-quality")
    complaints, known = marts.execute(
        "select value, business_date from marts.kpi_scorecard "
        "where kpi = 'complaints' and period_basis = 'fiscal_year_to_date' and is_latest"
    ).fetchone()
    assert tile(charts, "Complaints") == f"{complaints:,.0f}"
    assert tile(charts, "Business date") == str(known)


def test_a_filter_changes_the_charts_of_its_mart_as_sql_says_and_no_other(page, address, marts):
    service, expected, total = marts.execute(
        "select name.name_en, sum(cube.received), sum(sum(cube.received)) over () from marts.feedback_cube as cube "
        "join marts.code_name as name on name.list = 'service' and name.code = cube.service_code "
        "where cube.kind = 'complaint' and cube.period_start > (select max(period_start) filter (where is_complete) "
        "- interval '12 months' from marts.feedback_cube) and cube.is_complete group by 1 order by 2 desc limit 1"
    ).fetchone()
    plain = viewer.charts_of(page, address, "service-quality")
    name = "NATIVE_FILTER-service"
    chosen = (
        f"({name}:(__cache:(),extraFormData:(filters:!((col:service_en,op:IN,val:!('{service}')))),"
        f"filterState:(label:'{service}',value:!('{service}')),id:{name},ownState:()))"
    )
    filtered = viewer.charts_of(page, address, "service-quality", f"&native_filters={quote(chosen)}")
    assert tile(plain, "Complaints as filtered") == f"{total:,}"
    assert tile(filtered, "Complaints as filtered") == f"{expected:,}"
    assert expected < total
    assert tile(filtered, "Complaints") == tile(plain, "Complaints")


def test_nobody_sees_anything_without_logging_in(address):
    with httpx.Client(base_url=address, trust_env=False) as stranger:
        assert stranger.get("/superset/dashboard/service-quality/").status_code in (302, 401, 403)
        for endpoint in ("/api/v1/dashboard/", "/api/v1/chart/", "/api/v1/dataset/"):
            answer = stranger.get(endpoint)
            assert answer.status_code in (401, 403) or answer.json()["count"] == 0
        assert "'self'" in stranger.get("/login/").headers["Content-Security-Policy"]


def test_what_is_unchanged_is_left_alone_and_what_is_no_longer_made_is_taken_out(address):
    assert dashboards.provision() == "assets are unchanged"
    whole = assets.bundle(dashboards.warehouse_address())
    fewer = {path: content for path, content in whole.items() if "data_health" not in path}
    gone = len(whole) - len(fewer)
    try:
        assert dashboards.provision(fewer).endswith(f"{gone} taken out")
    finally:
        assert dashboards.provision(whole).endswith(" 0 taken out")
        dashboards.serve()
