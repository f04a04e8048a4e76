"""Known weaknesses of the packages that are pinned: python -m tests.audit asks OSV, the open database of them, by pip-audit.

The exit status says what is known: 0 that there is none; 1 some, which are named; 3 nothing, for the database could not be asked.
"""

from __future__ import annotations

import os
import subprocess
import sys

import httpx

from crw.settings import PROJECT

DATABASE = os.environ.get("PIP_AUDIT_OSV_URL", "https://api.osv.dev/v1/query")
PINS = ("requirements/runtime.txt", "requirements/lock.txt", "bi/superset/requirements.txt")
# In an environment of its own: as a dependency it would bring fourteen packages that nothing else needs.
PIP_AUDIT = (
    *("uv", "tool", "run", "--quiet", "pip-audit==2.10.1"),
    *("--disable-pip", "--progress-spinner", "off", "--vulnerability-service", "osv", "--osv-url", DATABASE),
)
PATIENCE = 900  # seconds, for the packages of one file: each is a request


def main() -> int:
    """Ask of each file of pins in turn, and return the exit status."""
    try:
        httpx.post(DATABASE, json={"package": {"name": "pip", "ecosystem": "PyPI"}}, timeout=20).raise_for_status()
    except httpx.HTTPError as error:
        return _skipped(f"{DATABASE} is not reachable: {error}")
    found = False
    for pins in PINS:
        try:
            asked = subprocess.run(
                [sys.executable, "-m", *PIP_AUDIT, "--requirement", str(PROJECT / pins)],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired as error:
            return _skipped(f"{pins}: {error}")
        if asked.returncode and not asked.stdout:  # what is found is written there; a fault is not
            return _skipped(f"{pins}: {asked.stderr.strip().splitlines()[-1]}")
        print(f"{pins}: {asked.stdout or 'no known weakness'}")
        found |= bool(asked.returncode)
    return int(found)


def _skipped(reason: str) -> int:
    print(f"not reachable, skipped; nothing is known: {reason}")
    return 3


if __name__ == "__main__":
    sys.exit(main())
