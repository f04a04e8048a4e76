"""Where things are: the project's folders, the state folder, and the clock the business runs on."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PROJECT = Path(os.environ.get("CRW_PROJECT") or Path(__file__).resolve().parents[2])
"""Root of the checkout: holds dags/, dbt_project/ and expectations/."""

HOME = Path(os.environ.get("CRW_HOME") or PROJECT / ".crw").absolute()
"""The state folder: PostgreSQL data, Airflow home, sample sources, Data Docs, logs."""

DBT_PROJECT = PROJECT / "dbt_project"
EXPECTATIONS = PROJECT / "expectations"


def _clock(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # the last of a folder, such as America
        raise ValueError(f"CRW_CLOCK={name} is no time zone, such as Asia/Hong_Kong") from None


CLOCK = _clock(os.environ.get("CRW_CLOCK") or "Asia/Hong_Kong")
"""The operator's: a business date is a day on it."""
