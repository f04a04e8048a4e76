"""Dirt planted in the sample CRM, so that landing and its suites have something to refuse (domain.md section 7).

A planted record breaks exactly one rule, so the records refused are the sum of the numbers below. Rule `type` is
landing's own: a value that has not the contract's type.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from crw.local.sample.case_life import office_time
from crw.local.sample.club_life import Company
from crw.local.sample.crm_record import CrmRecord, Version
from crw.local.sample.people import company_id

Wrong = dict[str, list[Any]]
"""Field to the values that are wrong in it, which the records take in turn."""

NO_DATE = ["2012-02-30", "05/11/2012", "２０１２-０３-０５", "NA", "2012-3-5", "二○一二年十一月五日", "5-11-12"]

# rule, how many records break it, what is wrong with them
MEMBERSHIP: list[tuple[str, int, Wrong]] = [
    ("type", 14, {"joined_on": NO_DATE}),
    ("type", 2, {"left_on": ["n/a", "31/04/2012"]}),
    ("left_has_joined", 6, {"joined_on": [None, "", " "], "left_on": ["2012-06-30"]}),
    ("left_on_or_after_joined", 6, {"joined_on": ["2012-05-11"], "left_on": ["2011-05-11"]}),
    ("club_known", 4, {"club_code": ["postclub", "postalplus ", "E-Club", "NA"]}),
    ("joined_on_not_in_future", 2, {"joined_on": ["2031-02-05", "2103-02-05"]}),
    ("company_exists", 3, {"company_id": ["C999991", "C999992", "C999993"]}),
]
COMPANY = [
    ("type", 3, {"registered_on": ["31/12/2009", "2011-02-29", "unknown"]}),
    ("registered_on_not_in_future", 2, {"registered_on": ["2031-05-01"]}),
    ("company_name_decoded", 2, {"company_name": ["示例\ufffd\ufffd有限公司", "Sample \ufffd Limited"]}),
]
CONTACT = [
    ("type", 3, {"marketing_consent": ["maybe", "NA", "同意"]}),
    ("type", 3, {"consent_changed_at": ["05/11/2012", "2012-02-30T10:00:00+08:00", "2012-11-05 10:00"]}),
    ("consent_changed_at_not_in_future", 2, {"consent_changed_at": ["2031-05-01T10:00:00+08:00"]}),
    ("company_exists", 2, {"company_id": ["C999991", "C999992"]}),
]
ACCOUNT_MANAGER = [("active_to_on_or_after_from", 1, {"active_to": ["2001-01-01"]})]
DIRT = {"membership": MEMBERSHIP, "company": COMPANY, "contact": CONTACT, "account_manager": ACCOUNT_MANAGER}
CORRECTED = {"2012-02-30": "2012-02-28", "05/11/2012": "2012-11-05"}
"""Join dates that somebody puts right on 19 April 2013."""
NOT_REFUSED = "company_exists"
"""Reported only: a membership may come before its company. It counts nowhere, for its company never comes."""
DIRTY_IN_APRIL = {
    date(2013, 4, 11): ("membership", "left_on_or_after_joined"),
    date(2013, 4, 25): ("membership", "type"),
}


def planted(night: date | None = None) -> dict[tuple[str, str], int]:
    """How many records landing and the suites must refuse, by table and rule.

    Args:
        night: a night of April 2013, read on its own; without it, all up to 31 March 2013 read at once.

    Returns:
        (table, rule) to the number of records. No record breaks two rules.
    """
    if night is not None:
        return {DIRTY_IN_APRIL[night]: 1} if night in DIRTY_IN_APRIL else {}
    found: dict[tuple[str, str], int] = {}
    for table, entries in DIRT.items():
        for rule, count, _ in entries:
            if rule == NOT_REFUSED:
                continue
            found[table, rule] = found.get((table, rule), 0) + count
    return found


def versions(table: str, known: list[Company], rng: Random) -> list[Version]:
    """The planted records of one table. Their companies exist, but where the rule is about that."""
    found: list[Version] = []
    number = 0
    for _, count, wrong in DIRT[table]:
        for turn in range(count):
            number += 1
            record = _record(table, number, wrong, turn, known, rng)
            found += record.version(office_time(datetime(2012, 11, 6) + timedelta(days=rng.random() * 120), rng))
            if record.fields.get("joined_on") in CORRECTED:
                correct = CORRECTED[record.fields["joined_on"]]
                found += record.version(datetime(2013, 4, 19, 11, number), joined_on=correct)
    for night, (dirty_table, rule) in DIRTY_IN_APRIL.items():
        if dirty_table == table:
            number += 1
            wrong = next(wrong for name, _, wrong in DIRT[table] if name == rule)
            record = _record(table, number, wrong, 0, known, rng)
            found += record.version(datetime(night.year, night.month, night.day, 14))
    return found


def _record(table: str, number: int, wrong: Wrong, turn: int, known: list[Company], rng: Random) -> CrmRecord:
    """A record that is valid but for the fields in `wrong`, of which it takes the values whose turn it is."""
    company = company_id(rng.choice(known[: len(known) // 2]).number)
    spoilt = {name: values[turn % len(values)] for name, values in wrong.items()}
    return CrmRecord(f"{table}_id", _valid(table, number, company) | spoilt)


def _valid(table: str, number: int, company: str) -> dict[str, Any]:
    if table == "membership":
        return {
            "membership_id": f"M9{number:05d}",
            "company_id": company,
            "club_code": "eclub",
            "joined_on": "2012-11-05",
            "left_on": None,
            "leave_reason": None,
        }
    if table == "company":
        return {
            "company_id": f"C9{number:05d}",
            "company_name": f"示例公司 Sample Company 9{number:05d}",
            "industry_code": "trade",
            "size_band": "1-9",
            "district_code": "KT",
            "account_manager_id": None,
            "registered_on": "2012-11-05",
            "address": "Sample House, Example Estate",
            "phone": "+852 0000 0000",
        }
    if table == "contact":
        return {
            "contact_id": f"P9{number:05d}",
            "company_id": company,
            "full_name": "Chan Sample",
            "email": f"dirt{number}@example.com",
            "phone": "+852 0000 0000",
            "hkid": "X000000(0)",
            "role": "owner",
            "marketing_consent": True,
            "consent_changed_at": "2012-11-05T10:00:00+08:00",
        }
    return {
        "account_manager_id": f"AM9{number:02d}",
        "full_name": "Account Manager Sample",
        "email": f"am9{number:02d}@example.com",
        "team": "team_a",
        "active_from": "2012-11-05",
        "active_to": None,
    }
