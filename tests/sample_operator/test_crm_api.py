"""The sample CRM's API, as a process of its own on a real database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx
import psycopg
import pytest

from crw.local.postgres import free_port
from crw.settings import PROJECT
from sample_operator import crm
from sample_operator.crm import api
from tests.sample_operator.conftest import SMALL

TOKEN = "a-token-of-the-test"


@pytest.fixture(scope="module")
def dsn(create):
    dsn = create()
    crm.build(dsn, scale=SMALL)
    return dsn


@pytest.fixture(scope="module")
def address(dsn):
    """URL of a running API."""
    port = free_port()
    variables = {**os.environ, "CRM_DSN": dsn, "CRM_TOKEN": TOKEN, "PYTHONPATH": str(PROJECT / "include")}
    command = [sys.executable, "-m", "sample_operator.crm.api", "--port", str(port)]
    process = subprocess.Popen(command, env=variables)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/health").json() == {"status": "ok"}:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"nothing answers at {url}")


@pytest.fixture
def client(address):
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20) as client:
        yield client


def get(client, endpoint, **parameters):
    """The answer to a request, asked again while the API says 429 or 503, with a second between."""
    for _ in range(20):
        response = client.get(endpoint, params=parameters)
        if response.status_code not in (429, 503):
            return response
        time.sleep(float(response.headers.get("Retry-After", "0")))
    raise AssertionError(f"{endpoint} never answered")


def records(client, endpoint, **parameters):
    """The records of every page."""
    found, cursor = [], {}
    while True:
        page = get(client, endpoint, **parameters, **cursor).raise_for_status().json()
        assert len(page["data"]) <= int(parameters.get("limit", api.DEFAULT_LIMIT))
        found += page["data"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def stored(dsn, table, condition="true"):
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(f"select payload from crm.{table} where {condition} order by updated_at, {table}_id")
        return [payload for (payload,) in rows]


@pytest.mark.parametrize(("endpoint", "table"), [(f"/v1/{name}", table) for name, (table, _) in api.ENDPOINTS.items()])
def test_pages_hold_every_record_once_in_a_stable_order(client, dsn, endpoint, table):
    assert records(client, endpoint, limit=2000) == stored(dsn, table)


def test_small_pages_give_the_same_as_large_ones(client, dsn):
    assert records(client, "/v1/account-managers", limit=7) == stored(dsn, "account_manager")


def test_a_full_last_page_has_no_next_one(client, dsn):
    page = get(client, "/v1/account-managers", limit=len(stored(dsn, "account_manager"))).json()
    assert page["next_cursor"] is None


def test_records_of_one_moment_are_not_lost_between_pages(client, dsn):
    with psycopg.connect(dsn) as connection:
        connection.execute("update crm.account_manager set updated_at = '2012-06-01 12:00:00+08'")
    assert len(records(client, "/v1/account-managers", limit=5)) == 41


def test_a_fraction_of_a_second_does_not_upset_the_order(client, dsn):
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "update crm.account_manager set updated_at = '2012-06-01 12:00:00+08'::timestamptz "
            "+ right(account_manager_id, 2)::int % 4 * interval '250 ms'"
        )
    assert len({record["account_manager_id"] for record in records(client, "/v1/account-managers", limit=3)}) == 41


def test_since_is_inclusive_and_before_exclusive(client, dsn):
    moment = datetime.fromisoformat(stored(dsn, "company")[500]["updated_at"])
    until = datetime.fromisoformat(stored(dsn, "company")[900]["updated_at"])
    found = records(client, "/v1/companies", updated_since=moment.isoformat(), updated_before=until.isoformat())
    assert found == stored(dsn, "company", f"updated_at >= '{moment}' and updated_at < '{until}'")
    assert found[0]["updated_at"] == moment.isoformat()
    assert records(client, "/v1/companies", updated_since="2013-04-01T00:00:00+08:00") == []


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_without_the_token_nothing_is_given(address, header):
    response = httpx.get(f"{address}/v1/companies", headers=header)
    assert response.status_code == 401
    assert "data" not in response.json()


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "2001"},
        {"limit": "many"},
        {"limit": "１０"},
        {"updated_since": "yesterday"},
        {"updated_since": "2013-04-01T00:00:00"},
        {"updated_before": "2012-02-30T00:00:00+08:00"},
        {"cursor": "abc"},
        {"cursor": "é"},
        {"cursor": "WyIyMDEzIiwgMV0="},
    ],
)
def test_bad_parameters_are_refused(client, parameters):
    assert get(client, "/v1/companies", **parameters).status_code == 400


def test_an_unknown_endpoint_is_not_found(client):
    assert get(client, "/v1/people").status_code == 404


def test_who_hurries_is_told_to_wait_and_now_and_then_it_is_unavailable(client):
    def ask(_=None):
        return client.get("/v1/account-managers", params={"limit": 1})

    answers = []
    with ThreadPoolExecutor(32) as pool:  # one after the other they may come no faster than they are served for ever
        while {answer.status_code for answer in answers} != {200, 429, 503}:
            answers += pool.map(ask, range(2 * api.BURST))
            assert len(answers) < 100 * api.BURST
    wait = {answer.headers["Retry-After"] for answer in answers if answer.status_code == 429}
    assert all(seconds.isdigit() for seconds in wait)
    time.sleep(float(max(wait)))
    assert ask().status_code in (200, 503)
    assert client.get("/health").status_code == 200


def test_it_needs_to_know_its_database_and_token():
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    command = [sys.executable, "-m", "sample_operator.crm.api", "--port", "1"]
    variables["PYTHONPATH"] = str(PROJECT / "include")
    result = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert "CRM_DSN" in result.stderr
