"""Rows of the feedback tables."""

from tests.planted.values import DECODED, DECOMPOSED, FUTURE, NOW, PERSON, PRIVATE, SHA

NAMES = [("name_zh_decoded", {"name_zh": DECODED}), ("name_zh_normalized", {"name_zh": DECOMPOSED}),
         ("name_zh_private_use", {"name_zh": PRIVATE}), ("name_zh_present", {"name_zh": None}),
         ("name_en_present", {"name_en": None})]  # fmt: skip

GOOD = {
    ("feedback", "category"): {
        "category_code": "C{i}", "kind": "complaint", "issue_code": "delay", "name_en": "Delay", "name_zh": "延誤",
        "updated_at": NOW,
    },
    ("feedback", "post_office"): {
        "post_office_code": "P{i}", "name_en": "Sham Shui Po", "name_zh": "深水埗", "district_code": "SSP",
        "opened_on": "1998-01-01", "updated_at": NOW,
    },
    ("feedback", "cases"): {
        "case_id": "{i}", "case_no": "N{i}", "category_code": "C1", "service_code": "delivery",
        "channel_code": " Phone ",
        "received_at": "2013-03-30 23:59+08", "closed_at": "2013-03-30 00:00+08", "status": "closed", "outcome": "",
        "incident_date_text": "二○一三年三月五日", "post_office_code": "P1", "district_code": "SSP",
        "company_id": "M1", "person_key": SHA, "language": "tc", "is_anonymous": False, "updated_at": NOW,
    },
    ("feedback", "case_event"): {
        "event_id": "{i}", "case_no": "N1", "event_type": "replied", "occurred_at": "2012-12-31 00:00+08",
        "recorded_at": NOW,
    },
}  # fmt: skip

BAD = {
    ("feedback", "category"): [
        *NAMES, ("kind_known", {"kind": "gossip"}), ("issue_known", {"issue_code": "weather"}),
    ],
    ("feedback", "post_office"): [
        *NAMES, ("district_known", {"district_code": "XX"}),
        ("closed_after_opened", {"closed_on": "1997-12-31"}), ("opened_on_not_in_future", {"opened_on": "2013-04-01"}),
    ],
    ("feedback", "cases"): [
        ("category_exists", {"category_code": "ZZ"}), ("post_office_exists", {"post_office_code": "ZZ"}),
        ("company_exists", {"company_id": "ZZ"}), ("district_known", {"district_code": "XX"}),
        ("service_known", {"service_code": "teleport"}), ("channel_known", {"channel_code": "pigeon"}),
        ("outcome_known", {"outcome": "maybe"}), ("language_known", {"language": "fr"}),
        ("status_known", {"status": "lost"}), ("received_at_not_in_future", {"received_at": FUTURE, "closed_at": None}),
        ("received_at_not_before_1997", {"received_at": "1996-12-31 23:59+08"}),
        ("closed_on_or_after_received", {"closed_at": "2013-03-29 23:59+08"}),
        ("closed_at_not_in_future", {"closed_at": FUTURE}),
        ("closed_has_date", {"closed_at": None}), ("open_has_no_closing_date", {"status": "Reopened "}),
        ("anonymous_has_no_person", {"is_anonymous": True}), *PERSON,
        ("incident_date_readable", {"incident_date_text": "30/02/2012"}),
        ("incident_date_readable", {"incident_date_text": "last week"}),
    ],
    ("feedback", "case_event"): [
        ("case_exists", {"case_no": "ZZ"}), ("event_type_known", {"event_type": "lost"}),
        ("occurred_at_not_in_future recorded_on_or_after_occurred", {"occurred_at": FUTURE}),
        ("occurred_at_not_before_1997", {"occurred_at": "1996-12-31 23:59+08"}),
        ("recorded_on_or_after_occurred", {"occurred_at": "2013-03-31 00:00+08"}),
        ("recorded_within_90_days", {"occurred_at": "2012-12-01 00:00+08"}),
        ("", {"event_type": "received"}), ("case_received_once", {"event_type": "received"}),
    ],
}  # fmt: skip
