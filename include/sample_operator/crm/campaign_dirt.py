"""What is wrong with the planted records of the CRM's campaigns and accounts; `crm.dirt` plants them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sample_operator.crm.membership_dirt import NO_DATE
from sample_operator.crm.record import Wrong

FUTURE = "2031-05-01T10:00:00+08:00"
UNTIMED = ["05/11/2012 10:00", "2012-02-30T10:00:00+08:00", "2012-11-05 10:00"]

# rule, how many records break it, what is wrong with them
CAMPAIGN: list[tuple[str, int, Wrong]] = [
    ("type", 1, {"ends_on": ["31/11/2012"]}),
    ("ends_on_or_after_starts", 1, {"ends_on": ["2011-11-05"]}),
    ("kind_known", 1, {"kind_code": ["see memo"]}),
]
CAMPAIGN_CONTACT = [
    ("type", 7, {"contacted_on": NO_DATE}),
    ("type", 3, {"has_consent": ["maybe", "NA", "同意"]}),
    ("contacted_on_not_in_future", 2, {"contacted_on": ["2031-02-05", "2103-02-05"], "has_consent": [True]}),
    ("company_exists", 3, {"company_id": ["C999991", "C999992", "C999993"]}),
    ("campaign_exists", 2, {"campaign_id": ["CP9999"]}),
]
CAMPAIGN_RESPONSE = [
    ("type", 3, {"responded_at": UNTIMED}),
    ("responded_at_not_in_future", 1, {"responded_at": [FUTURE]}),
    ("response_kind_known", 1, {"response_kind": ["ordr"]}),
    ("response_kind_present", 1, {"response_kind": ["Blank"]}),
    ("campaign_exists", 1, {"campaign_id": ["CP9999"]}),
]
RELATIONSHIP_EXECUTIVE = [("active_to_on_or_after_from", 1, {"active_to": ["2001-01-01"]})]
ACCOUNT_ASSIGNMENT = [
    ("type", 2, {"assigned_from": NO_DATE}),
    ("assigned_to_on_or_after_from", 1, {"assigned_to": ["2011-11-05"]}),
    ("assigned_from_present", 2, {"assigned_from": [None, ""]}),
    ("staff_exists", 1, {"staff_id": ["XX001"]}),
]
INTERACTION = [
    ("type", 3, {"interacted_at": UNTIMED}),
    ("interacted_at_not_in_future", 2, {"interacted_at": [FUTURE]}),
    ("channel_known", 2, {"channel": ["pigeon", "NA"]}),
    ("direction_known", 2, {"direction": ["both", "?"]}),
    ("staff_exists", 2, {"staff_id": ["XX001"]}),
]
DIRT = {
    "campaign": CAMPAIGN,
    "campaign_contact": CAMPAIGN_CONTACT,
    "campaign_response": CAMPAIGN_RESPONSE,
    "relationship_executive": RELATIONSHIP_EXECUTIVE,
    "account_assignment": ACCOUNT_ASSIGNMENT,
    "interaction": INTERACTION,
}
DIRTY_IN_APRIL = {
    date(2013, 4, 16): ("campaign_contact", "type"),
    date(2013, 4, 23): ("interaction", "interacted_at_not_in_future"),
}
KNOWN_CAMPAIGN = "CP0001"
"""Campaign that the planted records name: it is long over, and exists at any scale."""


def valid(table: str, number: int, company: str) -> dict[str, Any]:
    """Record `number` of the table before it is spoilt."""
    return {
        "campaign": {
            "campaign_id": f"CP9{number:03d}",
            "campaign_name": f"示例推廣 9{number:03d} Sample Campaign",
            "kind_code": "campaign",
            "channel_code": "direct_mail",
            "starts_on": "2012-11-05",
            "ends_on": "2012-11-30",
            "owner_name": "Chan Sample",
        },
        "campaign_contact": {
            "campaign_contact_id": f"CC9{number:05d}",
            "campaign_id": KNOWN_CAMPAIGN,
            "company_id": company,
            "full_name": "Chan Sample",
            "email": f"campaign{number}@example.com",
            "has_consent": False,
            "contacted_on": "2010-05-03",
        },
        "campaign_response": {
            "campaign_response_id": f"CR9{number:05d}",
            "campaign_id": KNOWN_CAMPAIGN,
            "company_id": company,
            "response_kind": "enquiry",
            "responded_at": "2010-06-03T10:00:00+08:00",
            "remarks": "sample remark",
        },
        "relationship_executive": {
            "relationship_executive_id": f"RE9{number:02d}",
            "full_name": "Relationship Executive Sample",
            "email": f"re9{number:02d}@example.com",
            "team": "team_a",
            "active_from": "2012-11-05",
            "active_to": None,
        },
        "account_assignment": {
            "account_assignment_id": f"AA9{number:05d}",
            "company_id": company,
            "staff_id": "RE001",
            "assigned_from": "2012-11-05",
            "assigned_to": "2012-11-06",
        },
        "interaction": {
            "interaction_id": f"IN9{number:05d}",
            "company_id": company,
            "staff_id": "RE001",
            "channel": "phone",
            "direction": "outbound",
            "interacted_at": "2012-11-05T10:00:00+08:00",
            "notes": "sample note",
        },
    }[table]
