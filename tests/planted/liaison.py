"""Rows of the tables of the liaison groups."""

from tests.planted.values import DECODED, NOW, SHA

DELIVERY = f"{1:064x}"
WORKBOOK = {"delivery_id": DELIVERY, "file_name": "a.xlsx", "place": "row {i}", "delivered_at": NOW}

GOOD = {
    ("liaison", "group"): {
        "group_code": "G{i}", "name_en": "Customers", "name_zh": "小組", "founded_on": "5 Nov 2012", "wound_up_on": "",
        **WORKBOOK,
    },
    ("liaison", "member"): {
        "member_no": "M{i}", "group_code": "G1", "constituency": "District Council ", "district_code": "ssp",
        "name_key": "{i:064x}", **WORKBOOK,
    },
    ("liaison", "term"): {
        "member_no": "M{i}", "term_number": 1, "term_from": "5/11/2012", "term_to": "2012-11-05 00:00:00", **WORKBOOK,
    },
    ("liaison", "meeting"): {
        "meeting_no": "N{i}", "group_code": "G1", "held_on": "二○一二年十一月五日", "chair_office": "PMG", **WORKBOOK,
    },
    ("liaison", "attendance"): {
        "meeting_no": "N1", "name_key": "{i:064x}", "attendance": "Yes ", **WORKBOOK,
    },
    ("liaison", "topic"): {
        "topic_no": "T{i}", "meeting_no": "N1", "title": "Queues", "issue_code": "counter_waiting", **WORKBOOK,
    },
    ("liaison", "action"): {
        "action_no": "A{i}", "meeting_no": "N1", "title": "Report", "raised_on": "5-11-12", "due_on": "5 Nov 2012",
        "done_on": "31/3/2013", **WORKBOOK,
    },
    ("liaison", "improvement"): {
        "change_no": "S{i}", "issue_code": "delay", "service_code": "", "title": "Sorting", "changed_on": "2012.11.5",
        "origin_kind": "Liaison Action", "origin_no": "A1", **WORKBOOK,
    },
}  # fmt: skip

BAD = {
    ("liaison", "group"): [
        ("group_code_unique", {"group_code": "G1"}), ("name_en_present", {"name_en": " "}),
        ("name_zh_decoded", {"name_zh": DECODED}), ("founded_on_readable", {"founded_on": "30/02/2012"}),
        ("wound_up_on_readable", {"wound_up_on": "soon"}), ("wound_up_after_founded", {"wound_up_on": "2012-11-04"}),
    ],
    ("liaison", "member"): [
        ("member_no_unique", {"member_no": "M1"}), ("group_exists", {"group_code": "ZZ"}),
        ("constituency_known district_of_council_member", {"constituency": "Staff"}), ("district_known", {"district_code": "XX"}),
        ("district_of_council_member", {"district_code": None}), ("district_of_council_member", {"constituency": "Public"}),
        ("name_key_pseudonymous", {"name_key": "Chan Tai Man"}), ("alias_key_pseudonymous", {"alias_key": "x" * 64}),
        ("name_is_one_member", {"alias_key": f"{2:064x}"}),
    ],
    ("liaison", "term"): [
        ("member_exists", {"member_no": "ZZ"}), ("term_number_unique", {"member_no": "M1"}),
        ("term_number_not_below_1", {"term_number": 0}), ("term_from_readable", {"term_from": "30 Feb 2012"}),
        ("term_to_readable", {"term_to": "二○一二年二月三十日"}), ("term_ends_after_it_begins", {"term_to": "4 Nov 2012"}),
        ("term_from_not_before_1990", {"term_from": "31/12/1989", "term_to": ""}),
        ("term_of_ten_years_at_most", {"term_to": "7/11/2022"}),
    ],
    ("liaison", "meeting"): [
        ("meeting_no_unique", {"meeting_no": "N1"}), ("group_exists", {"group_code": "ZZ"}),
        ("held_on_readable", {"held_on": "today"}), ("held_on_readable", {"held_on": "20121105"}),
        ("held_on_not_before_1990", {"held_on": "31/12/1989"}),
        ("held_on_within_731_days held_on_not_in_future", {"held_on": "1 Apr 2016"}),
        ("held_on_not_in_future", {"held_on": "1 Apr 2013"}),
        ("chair_office_present", {"chair_office": None}), ("chair_office_known", {"chair_office": "Ms Chan"}),
    ],
    ("liaison", "attendance"): [
        ("meeting_exists", {"meeting_no": "ZZ"}), ("name_key_pseudonymous", {"name_key": "Chan Tai Man"}),
        ("attendee_known", {"name_key": SHA}), ("named_once", {"name_key": f"{1:064x}"}),
        ("attendance_known", {"attendance": "?"}),
    ],
    ("liaison", "topic"): [
        ("topic_no_unique", {"topic_no": "T1"}), ("meeting_exists", {"meeting_no": "ZZ"}),
        ("title_present", {"title": ""}), ("issue_known", {"issue_code": "weather"}),
    ],
    ("liaison", "action"): [
        ("action_no_unique", {"action_no": "A1"}), ("meeting_exists", {"meeting_no": "ZZ"}),
        ("raised_on_readable", {"raised_on": "mid March"}), ("due_on_readable", {"due_on": "TBC"}),
        ("done_on_readable", {"done_on": "5/13/13/2012"}), ("done_on_or_after_raised", {"done_on": "4 Nov 2012"}),
        ("due_on_or_after_raised", {"due_on": "2012-11-04"}), ("due_on_present", {"due_on": None}),
        ("raised_on_not_in_future", {"raised_on": "1/4/2013", "due_on": "1/4/2013", "done_on": None}),
        ("done_on_not_in_future", {"done_on": "1 April 2013"}),
    ],
    ("liaison", "improvement"): [
        ("change_no_unique", {"change_no": "S1"}), ("issue_known", {"issue_code": "weather"}),
        ("service_known", {"service_code": "teleport"}), ("title_present", {"title": " "}),
        ("changed_on_readable", {"changed_on": "last week"}), ("origin_kind_known", {"origin_kind": "Hearsay"}),
        ("origin_exists", {"origin_no": "ZZ"}),
        ("origin_exists", {"origin_kind": "Feedback case"}),
    ],
}  # fmt: skip
