"""How many dirty batches each property is tried on: CRW_FUZZ_BATCHES; unset, a few, and the same ones every time.

A property here needs no settings of its own: `@given(...)` alone is enough, and its fixtures may be of any scope, if what a batch
leaves in them does not reach the next.
"""

from __future__ import annotations

import functools
import os
import time

import pytest
from hypothesis import HealthCheck, settings

BATCHES = int(os.environ.get("CRW_FUZZ_BATCHES", 0))
FEW = 25

settings.register_profile(
    "fuzz",
    max_examples=BATCHES or FEW,
    derandomize=not BATCHES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("fuzz")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Show on a terminal how far a long property is."""
    reporter = item.config.pluginmanager.get_plugin("terminalreporter")
    capture = item.config.pluginmanager.get_plugin("capturemanager")
    handle = getattr(item.obj, "hypothesis", None)
    if handle is None or not BATCHES or not reporter.isatty():
        return (yield)
    tried, shown, judge = 0, 0.0, handle.inner_test

    @functools.wraps(judge)
    def counted(*arguments, **named):
        nonlocal tried, shown
        tried += 1
        if time.monotonic() - shown > 1:
            shown = time.monotonic()
            with capture.global_and_fixture_disabled():
                reporter.rewrite(f"{item.nodeid}: {tried} of {BATCHES} batches", erase=True)
                reporter.flush()
        return judge(*arguments, **named)

    handle.inner_test = counted
    try:
        return (yield)
    finally:
        handle.inner_test = judge
