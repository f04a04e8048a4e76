"""The sample CRM as a whole: its records keep the contracts, and its dirt is as planted."""

from __future__ import annotations

import json
from datetime import date

import pytest

from crw import contracts
from crw.sources import Batch
from sample_operator import clock, crm
from sample_operator.crm import dirt
from tests.sample_operator.conftest import SMALL, days, refused, validate_night

CONTRACTS = [table for table in contracts.tables().values() if table.connection == "crm_api"]


def test_every_table_of_the_crm_has_a_contract():
    assert {table.name for table in CONTRACTS} == {table.name for table in crm.TABLES}


@pytest.mark.parametrize("table", CONTRACTS, ids=lambda table: table.name)
def test_records_have_the_fields_of_the_contract_and_those_it_withholds(crm_opening, table):
    fields = crm_opening.execute(f"select distinct json_object_keys(payload) from crm.{table.name}")
    table.check_fields({field for (field,) in fields}, table.name)


@pytest.mark.parametrize("name", ["contact", "campaign_response"])
def test_every_day_of_april_but_the_quiet_ones_brings_something(crm_opening, name):
    rows = crm_opening.execute(f"select (visible_at at time zone 'Asia/Hong_Kong')::date from simulation.{name}")
    assert set(days()) - {day for (day,) in rows} == set(clock.QUIET_DAYS)


def test_the_suites_refuse_the_planted_records_and_no_others(database, build):
    sample = build(crm, scale=SMALL)

    def read(load):
        payloads = sample.execute(f"select payload from crm.{load.table.name}")
        return Batch("json", (_as_read(load.table, payload) for (payload,) in payloads))

    validate_night(database, CONTRACTS, read)
    assert refused(database) == crm.planted()


def _as_read(table, payload):
    """The record with its allowed fields, as the API's reader hands it over."""
    person = "0" * 64 if "email" in payload else None
    return json.dumps({column.name: payload.get(column.name, person) for column in table.columns})


def test_planted_names_the_nights_of_april_too():
    assert crm.planted(date(2013, 4, 11)) == {("membership", "left_on_or_after_joined"): 1}
    assert crm.planted(date(2013, 4, 16)) == {("campaign_contact", "type"): 1}
    assert {night for night in days() if crm.planted(night)} == set(dirt.DIRTY_IN_APRIL)
