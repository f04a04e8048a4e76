"""What is wrong with the planted records of the CRM's membership part; `crm.dirt` plants them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sample_operator.crm.record import Wrong

NO_DATE = ["2012-02-30", "05/11/2012", "２０１２-０３-０５", "NA", "2012-3-5", "二○一二年十一月五日", "5-11-12"]

# rule, how many records break it, what is wrong with them
MEMBERSHIP: list[tuple[str, int, Wrong]] = [
    ("type", 14, {"joined_on": NO_DATE}),
    ("type", 2, {"left_on": ["n/a", "31/04/2012"]}),
    ("left_has_joined", 6, {"joined_on": [None, "", " "], "left_on": ["2012-06-30"]}),
    ("left_on_or_after_joined", 6, {"joined_on": ["2012-05-11"], "left_on": ["2011-05-11"]}),
    ("club_known", 3, {"club_code": ["postclub", "E-Club", "PostalPlus?"]}),
    ("club_code_present", 1, {"club_code": ["NA"]}),
    ("joined_on_within_366_days", 2, {"joined_on": ["2031-02-05", "2103-02-05"]}),
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
DIRTY_IN_APRIL = {
    date(2013, 4, 11): ("membership", "left_on_or_after_joined"),
    date(2013, 4, 25): ("membership", "type"),
}


def valid(table: str, number: int, company: str) -> dict[str, Any]:
    """Record `number` of the table before it is spoilt."""
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
