"""The sample source systems: real parts with invented, seeded, calibrated and dirty data."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path


def prepare(case_dsn: str, crm_dsn: str, survey_folder: Path, until: datetime, scale: float = 1.0) -> None:
    """Make the sample source systems the first time, and bring the two databases to their state just before `until`.

    Args:
        case_dsn: the case database; empty the first time.
        crm_dsn: the CRM's database; empty the first time.
        survey_folder: the survey contractor's drop folder, where files carry the time of their arrival.
        until: aware datetime. The databases' clocks only go forward.
        scale: multiplies the number of cases, companies and respondents; only looked at the first time.
    """
    from crw.local.sample import clock, feedback, membership, survey

    for dsn, system in ((case_dsn, feedback), (crm_dsn, membership)):
        if clock.is_built(dsn):
            clock.advance(dsn, until)
        else:
            system.build(dsn, scale=scale, until=until)
    if not survey_folder.exists():
        partial = survey_folder.with_name(f"{survey_folder.name}.partial")  # complete once it has its name
        shutil.rmtree(partial, ignore_errors=True)
        survey.build(partial, scale=scale)
        partial.rename(survey_folder)
