"""When a business date is in: every order in which the sources of an attempt may end, after any earlier attempt."""

from __future__ import annotations

from datetime import date
from itertools import combinations

from crw import contracts, ledger

NIGHT = date(2013, 3, 31)
SOURCES = sorted(contracts.sources())
SUBSETS = [set(chosen) for size in range(len(SOURCES) + 1) for chosen in combinations(SOURCES, size)]


def add_loads(connection, state, sources):
    connection.execute(
        "insert into audit.load (source, table_name, business_date, run_id, state, interval_start, interval_end, "
        "rows_read, rows_published, rows_unchanged, rows_quarantined) "
        "select unnest(%s::text[]), unnest(%s::text[]), %s::date, 'test', %s, "
        "timestamptz '2013-03-30', timestamptz '2013-03-31', 0, 0, 0, 0",
        [
            [source for source in sources for _ in contracts.sources()[source]],
            [table.name for source in sources for table in contracts.sources()[source]],
            NIGHT,
            state,
        ],
    )


def test_only_the_last_source_of_an_attempt_finds_nothing_outstanding(database):
    """Whatever the attempt before left published; and each order of ends is a way through these states."""
    everything = set(SOURCES)
    for earlier in SUBSETS:
        with database.transaction(force_rollback=True):
            add_loads(database, "published", earlier)
            add_loads(database, "failed", everything - earlier)
            for ended in SUBSETS:
                with database.transaction(force_rollback=True):
                    add_loads(database, "landed", everything - ended)
                    add_loads(database, "published", ended)
                    assert ledger.outstanding(database, NIGHT) == everything - ended
        database.execute("vacuum audit.load")  # of what was rolled back, which would make it slower and slower


def test_a_source_that_failed_anew_is_outstanding(database):
    add_loads(database, "published", SOURCES)
    add_loads(database, "failed", ["survey"])
    assert ledger.outstanding(database, NIGHT) == {"survey"}


def test_a_source_is_in_when_each_of_its_tables_is(database):
    assert ledger.outstanding(database, NIGHT) == set(SOURCES)
    add_loads(database, "published", SOURCES)
    ledger.start_load(database, contracts.sources()["feedback"][0], NIGHT, "test")
    assert ledger.outstanding(database, NIGHT) == {"feedback"}


def test_a_source_left_out_of_the_nights_is_not_waited_for(database, monkeypatch):
    add_loads(database, "published", ["survey"])
    monkeypatch.setattr(contracts, "taking_part", lambda: {"survey": contracts.sources()["survey"]})
    assert ledger.outstanding(database, NIGHT) == set()
