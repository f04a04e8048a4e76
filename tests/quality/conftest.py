"""A suite of the test's own, and categories in landing for it."""

import json

import pytest

from crw import quality
from tests.quality.rules import NIGHT


@pytest.fixture
def write_suite(tmp_path, monkeypatch):
    """Write a suite for the category table, or for a mart, in place of the project's."""
    monkeypatch.setattr(quality, "EXPECTATIONS", tmp_path)

    def write(*rules, changes=None, threshold=0.5, allowance=0, name="landing/feedback/category"):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        meta = {"description": "test", "quarantine_threshold": threshold, "quarantine_allowance": allowance}
        told = {"changes": changes} if changes else {}
        path.write_text(json.dumps({"name": name, "meta": meta, **told, "expectations": rules}))
        return path

    return write


@pytest.fixture
def land(database):
    """Land categories of the given kinds, codes A, B, ... and return the number of their load."""

    def land(*kinds, rows_read=None):
        (load_id,) = database.execute(
            "insert into audit.load "
            "(source, table_name, business_date, run_id, interval_start, interval_end, rows_read) "
            "values ('feedback', 'category', %s, 'r', '2013-03-31', '2013-04-01', %s) returning load_id",
            [NIGHT, len(kinds) if rows_read is None else rows_read],
        ).fetchone()
        with database.cursor() as cursor:
            cursor.executemany(
                "insert into landing.feedback__category (category_code, kind, updated_at) "
                "values (%s, %s, '2013-03-31')",
                [(f"C{i}", kind) for i, kind in enumerate(kinds, start=1)],
            )
        return load_id

    return land
