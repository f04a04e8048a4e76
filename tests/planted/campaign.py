"""Rows of the campaign tables."""

from tests.planted.values import DECODED, FUTURE, NOW, PERSON, SHA

GOOD = {
    ("campaign", "campaign"): {
        "campaign_id": "CP{i}", "campaign_name": "推廣", "kind_code": "Campaign ", "channel_code": "email",
        "starts_on": "2012-05-01", "ends_on": "2012-05-01", "updated_at": NOW,
    },
    ("campaign", "campaign_contact"): {
        "campaign_contact_id": "CC{i}", "campaign_id": "CP{i}", "company_id": "M{i}", "person_key": SHA,
        "has_consent": False, "contacted_on": "2013-03-31", "updated_at": NOW,
    },
    ("campaign", "campaign_response"): {
        "campaign_response_id": "CR{i}", "campaign_id": "CP{i}", "company_id": "M{i}", "response_kind": "order",
        "responded_at": "2013-03-31 00:00+08", "updated_at": NOW,
    },
    ("campaign", "relationship_executive"): {
        "relationship_executive_id": "RE{i}", "team": "team_a", "active_from": "2008-01-02",
        "active_to": "2008-01-02", "updated_at": NOW,
    },
    ("campaign", "account_assignment"): {
        "account_assignment_id": "AA{i}", "company_id": "M{i}", "staff_id": "RE{i}", "assigned_from": "2012-05-01",
        "assigned_to": "2012-05-01", "updated_at": NOW,
    },
    ("campaign", "interaction"): {
        "interaction_id": "IN{i}", "company_id": "M{i}", "staff_id": "A{i}", "channel": "phone",
        "direction": "inbound", "interacted_at": "2013-03-31 23:59+08", "updated_at": NOW,
    },
}  # fmt: skip

BAD = {
    ("campaign", "campaign"): [
        ("kind_known", {"kind_code": "memo"}), ("channel_known", {"channel_code": "pigeon"}),
        ("ends_on_or_after_starts", {"ends_on": "2012-04-30"}),
        ("starts_on_present", {"starts_on": None}), ("starts_on_not_before_1997", {"starts_on": "1996-12-31"}),
        ("campaign_name_present", {"campaign_name": None}), ("campaign_name_decoded", {"campaign_name": DECODED}),
    ],
    ("campaign", "campaign_contact"): [
        ("campaign_exists", {"campaign_id": "ZZ"}), ("company_exists", {"company_id": "ZZ"}), *PERSON,
        ("contacted_on_not_in_future", {"contacted_on": "2013-04-01", "has_consent": True}),
        ("contacted_on_not_before_1997", {"contacted_on": "1996-12-31"}),
        ("consent_known", {"has_consent": None}),
        ("", {"has_consent": None, "contacted_on": None}),
        ("contacted_on_not_in_future consent_from_april_2013", {"contacted_on": "2013-04-01"}),
        ("company_once_a_campaign", {"campaign_id": "CP1", "company_id": "M1"}),
    ],
    ("campaign", "campaign_response"): [
        ("campaign_exists contact_exists", {"campaign_id": "ZZ"}), ("contact_exists", {"company_id": "ZZ"}),
        ("response_kind_known", {"response_kind": "ordr"}), ("", {"response_kind": " Opt_out"}),
        ("responded_at_not_in_future", {"responded_at": FUTURE}),
        ("responded_at_not_before_1997 responded_on_or_after_contacted", {"responded_at": "1996-12-31 23:59+08"}),
        ("responded_on_or_after_contacted", {"responded_at": "2013-03-30 23:59+08"}),
        ("response_once", {"campaign_id": "CP1", "company_id": "M1"}),
    ],
    ("campaign", "relationship_executive"): [
        ("active_to_on_or_after_from", {"active_to": "2008-01-01"}), ("active_from_present", {"active_from": None}),
        ("active_from_not_before_1997", {"active_from": "1996-12-31"}), ("team_present", {"team": None}),
    ],
    ("campaign", "account_assignment"): [
        ("company_exists", {"company_id": "ZZ"}), ("staff_exists", {"staff_id": "ZZ"}), ("", {"staff_id": "A{i}"}),
        ("assigned_to_on_or_after_from", {"assigned_to": "2012-04-30"}),
        ("assigned_from_not_in_future", {"assigned_from": "2013-04-01", "assigned_to": None}),
        ("assigned_from_not_before_1997", {"assigned_from": "1996-12-31"}),
        ("", {"company_id": "M1", "staff_id": "RE1", "assigned_from": "2012-06-01", "assigned_to": None}),
        ("one_assignment_at_a_time", {"company_id": "M1", "staff_id": "RE1", "assigned_from": "2012-07-01", "assigned_to": None}),
    ],
    ("campaign", "interaction"): [
        ("company_exists", {"company_id": "ZZ"}), ("staff_exists", {"staff_id": "ZZ"}), ("", {"staff_id": "RE1"}),
        ("staff_id_present", {"staff_id": None}), ("channel_known", {"channel": "pigeon"}),
        ("direction_known", {"direction": "both"}), ("interacted_at_not_in_future", {"interacted_at": FUTURE}),
        ("interacted_at_not_before_1997", {"interacted_at": "1996-12-31 23:59+08"}),
        ("interaction_once", {"company_id": "M1", "staff_id": "A1"}),
    ],
}  # fmt: skip
