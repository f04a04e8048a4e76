"""`make audit`: where the database of weaknesses cannot be asked it says so, and does not pass for an answer."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_database_that_is_not_reachable_is_said_and_is_neither_all_clear_nor_a_finding():
    nowhere = "http://127.0.0.1:9/v1/query"
    asked = subprocess.run(
        [sys.executable, "-m", "tests.audit"],
        env={**os.environ, "PIP_AUDIT_OSV_URL": nowhere},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert asked.returncode == 3
    assert asked.stdout.startswith(f"not reachable, skipped; nothing is known: {nowhere} is not reachable: ")
