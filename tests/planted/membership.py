"""Rows of the membership tables."""

from tests.planted.values import DECODED, DECOMPOSED, FUTURE, NOW, PERSON, SHA

GOOD = {
    ("membership", "account_manager"): {
        "account_manager_id": "A{i}", "active_from": "2005-01-01", "active_to": "2005-01-01", "updated_at": NOW,
    },
    ("membership", "company"): {
        "company_id": "M{i}", "company_name": "有限公司", "size_band": "1-9", "district_code": "KTS",
        "account_manager_id": "A1", "registered_on": "2005-01-01", "updated_at": NOW,
    },
    ("membership", "membership"): {
        "membership_id": "S{i}", "company_id": "M{i}", "club_code": "eclub", "joined_on": "2010-01-01",
        "left_on": "2012-01-01", "leave_reason": "moved", "updated_at": NOW,
    },
    ("membership", "contact"): {
        "contact_id": "T{i}", "company_id": "M{i}", "person_key": SHA, "marketing_consent": True,
        "consent_changed_at": NOW, "updated_at": NOW,
    },
}  # fmt: skip

BAD = {
    ("membership", "account_manager"): [
        ("active_to_on_or_after_from", {"active_to": "2004-12-31"}),
        ("active_from_present", {"active_from": None}), ("active_from_not_before_1997", {"active_from": "1996-12-31"}),
    ],
    ("membership", "company"): [
        ("size_band_known", {"size_band": "many"}), ("district_known", {"district_code": "XX"}),
        ("account_manager_exists", {"account_manager_id": "ZZ"}),
        ("registered_on_not_in_future", {"registered_on": "2013-04-01"}),
        ("registered_on_not_before_1997", {"registered_on": "1996-12-31"}),
        ("company_name_present", {"company_name": None}),
        ("company_name_decoded", {"company_name": DECODED}), ("company_name_normalized", {"company_name": DECOMPOSED}),
    ],
    ("membership", "membership"): [
        ("company_exists", {"company_id": "ZZ"}), ("club_known", {"club_code": "golf"}),
        ("left_on_or_after_joined", {"left_on": "2009-12-31"}), ("left_has_joined", {"joined_on": None}),
        ("joined_on_present", {"joined_on": None, "left_on": None, "leave_reason": None}),
        ("joined_on_within_366_days", {"joined_on": "2014-04-02", "left_on": None, "leave_reason": ""}),
        ("joined_on_not_before_1997", {"joined_on": "1996-12-31"}),
        ("left_on_not_in_future", {"left_on": "2013-04-01"}),
        ("one_spell_at_a_time", {"company_id": "M1", "joined_on": "2011-12-31"}),
        ("leave_reason_only_when_left", {"left_on": None}),
    ],
    ("membership", "contact"): [
        ("company_exists", {"company_id": "ZZ"}),
        *PERSON, ("consent_changed_at_not_in_future", {"consent_changed_at": FUTURE}),
        ("consent_has_date", {"consent_changed_at": None}), ("consent_has_person", {"person_key": None}),
        ("one_contact_a_person", {"company_id": "M1"}),
    ],
}  # fmt: skip
