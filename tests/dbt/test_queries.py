"""The example queries of docs/queries answer their question, as an analyst who has nothing but crw_analyst's rights."""

from __future__ import annotations

import re
from datetime import date

import pytest

from crw import as_of, publish
from crw.settings import PROJECT

QUERIES = sorted((PROJECT / "docs" / "queries").glob("*.sql"))
HEADER = re.compile(r"-- Question: (?P<question>.+\?)\n-- Look at: (?P<look>.+)\n-- Columns: (?P<columns>.+)\n")


@pytest.fixture(scope="module")
def analyst(small_world, login):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRW_BUSINESS_DATE", "2013-03-31")
        as_of.install()
    publish.publish_marts(small_world.connection, date(2013, 3, 31), "test")
    return login(small_world.connection, "crw_analyst")


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_returns_rows_of_the_columns_it_states(analyst, path):
    query = path.read_text(encoding="utf-8")
    header = HEADER.match(query)
    assert header, "a query begins with its question, what to look at, and its columns"
    with analyst.transaction(force_rollback=True):
        cursor = analyst.execute(query)
    assert [column.name for column in cursor.description] == header["columns"].split(", ")
    assert cursor.fetchall()


def test_the_runbook_asks_what_its_role_is_answered(small_world, login):
    runbook = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")
    queries = re.findall(r"^select [^;]+;", "".join(re.findall(r"^```sql\n(.+?)^```", runbook, re.M | re.S)), re.M)
    assert len(queries) > 12
    loader = login(small_world.connection, "crw_loader")
    for query in queries:
        loader.execute(query)


def test_there_are_ten():
    assert len(QUERIES) >= 10


def test_answers_on_the_small_world(analyst):
    def answer(name):
        return analyst.execute((PROJECT / "docs" / "queries" / f"{name}.sql").read_text(encoding="utf-8")).fetchall()

    # K1 was of e-Club when it wrote A1; the others who wrote were in no club. K1, K2 and K3 are in e-Club tonight.
    assert answer("09_what_club_members_write") == [("eclub", "commendation", 1, 1, 3)]
    # Only A1 was ever answered, 14 days after it came.
    assert answer("05_how_long_a_reply_takes") == [("2010/11", "counter", 1, 14, 14)]
    assert answer("03_post_offices_with_complaints") == [("GPO", None, "CW", 1, 0)]
