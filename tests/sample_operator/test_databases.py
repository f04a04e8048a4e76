"""What every sample database keeps: the seed decides each byte, and its clock only goes forward."""

from __future__ import annotations

import pytest

from sample_operator import clock, crm, feedback
from tests.sample_operator.conftest import SMALL, days, fingerprint, midnight_after

SAMPLES = pytest.mark.parametrize(
    ("sample", "schema"), [(feedback, "case_management"), (crm, "crm")], ids=["feedback", "crm"]
)


@SAMPLES
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(create, sample, schema):
    first, second, other = create(), create(), create()
    sample.build(first, scale=SMALL)
    sample.build(second, scale=SMALL)
    sample.build(other, seed=7, scale=SMALL)
    prints = [fingerprint(dsn, [schema, "simulation"]) for dsn in (first, second, other)]
    assert prints[0] == prints[1] != prints[2]


@SAMPLES
def test_the_clock_goes_day_by_day_to_where_one_step_leads(create, sample, schema):
    stepped, leapt = create(), create()
    sample.build(stepped, scale=SMALL)
    sample.build(leapt, scale=SMALL, until=clock.hong_kong(clock.END))
    opening = fingerprint(stepped, [schema])
    for day in days():
        before = fingerprint(stepped, [schema])
        assert clock.advance(stepped, midnight_after(day)) == midnight_after(day)
        if day in clock.QUIET_DAYS:
            assert fingerprint(stepped, [schema]) == before
    closing = fingerprint(stepped, [schema])
    assert closing == fingerprint(leapt, [schema]) != opening
    assert clock.advance(stepped, clock.OPENING_HKT) == clock.hong_kong(clock.END)  # it does not go back
    assert fingerprint(stepped, [schema]) == closing
