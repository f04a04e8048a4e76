"""Rows of the engagement tables; 2012.{i:03d} is a day of the year."""

from tests.planted.values import DECODED, NOW, PERSON, SHA

GOOD = {
    ("engagement", "activity"): {
        "activity_id": "E{i}", "kind": "Seminar ", "title": "寄件", "held_on": "2013-03-14", "seats": 80,
        "file_name": "activity/2012-13.csv", "delivered_at": NOW,
    },
    ("engagement", "registration"): {
        "registration_id": "G{i}", "activity_id": "E1", "company_id": "", "person_key": SHA, "registered_on": "2013-03-14",
        "attended": True, "is_walk_in": True, "file_name": "registration/E1.csv", "delivered_at": NOW,
    },
    ("engagement", "email_event"): {
        "event_id": "V{i}", "event_type": "Open", "person_key": SHA, "category": ["enews"],
        "occurred_epoch": 1364659200, "is_machine_open": True, "delivered_at": NOW,
    },
    ("engagement", "hotline_interval"): {
        "call_date": "2012.{i:03d}", "start_time": "09:15", "offered": 10, "answered": 8, "abandoned": 2,
        "wait_seconds": 90, "answered_within_20s": 5, "file_name": "hotline/2012.csv", "delivered_at": NOW,
    },
    ("engagement", "website_day"): {
        "date_day": "2012.{i:03d}", "visits": 10, "logins": 4, "page_views": 30, "downloads": 1,
        "file_name": "website/2012.jsonl", "delivered_at": NOW,
    },
}  # fmt: skip
BAD = {
    ("engagement", "activity"): [
        ("kind_known", {"kind": "webinar"}),
        ("seats_not_below_1", {"seats": 0}), ("seats_plausible", {"seats": 2001}), ("", {"seats": None}),
        ("held_on_not_before_1997", {"held_on": "1996-12-31"}), ("held_on_within_730_days", {"held_on": "2015-04-01"}),
        ("title_present", {"title": " "}), ("title_decoded", {"title": DECODED}),
    ],
    ("engagement", "registration"): [
        ("activity_exists", {"activity_id": "ZZ"}),
        ("company_exists", {"company_id": "ZZ"}), *PERSON, ("", {"person_key": None}),
        ("registered_on_not_in_future", {"registered_on": "2013-04-01"}),
        ("registered_on_not_before_1997", {"registered_on": "1996-12-31"}),
        ("registered_by_the_day", {"registered_on": "2013-03-15"}), ("registered_on_known", {"registered_on": None}),
        ("walk_in_attended", {"attended": None}), ("", {"attended": None, "is_walk_in": False}),
    ],
    ("engagement", "email_event"): [
        ("event_type_known", {"event_type": "processed", "is_machine_open": None}),
        ("category_names_a_mailing", {"category": []}), ("category_names_a_mailing", {"category": {"name": "enews"}}),
        ("category_names_a_mailing", {"category": '" "'}), ("", {"category": '"enews"'}),
        ("occurred_not_in_future", {"occurred_epoch": 1364745600}), ("", {"occurred_epoch": 1364745599}),
        ("occurred_not_in_future", {"occurred_epoch": 1364659200000}),
        ("occurred_not_before_1997 told_within_62_days", {"occurred_epoch": 0}), *PERSON,
        ("only_opens_are_by_machine", {"event_type": "click"}), ("told_within_62_days", {"occurred_epoch": 1359000000}),
    ],
    ("engagement", "hotline_interval"): [
        ("wait_seconds_not_below_0", {"wait_seconds": -1}),
        ("offered_not_below_0 answered_not_below_0 within_20s_are_answered", {"offered": -1, "answered": -3}),
        ("abandoned_not_below_0", {"abandoned": -1, "answered": 11, "wait_seconds": 200}),
        ("answered_within_20s_not_below_0", {"answered_within_20s": -1, "wait_seconds": 200}),
        ("calls_add_up", {"abandoned": 1}),
        ("within_20s_are_answered", {"answered_within_20s": 9}), ("slow_calls_waited", {"wait_seconds": 59}),
        ("starts_a_quarter", {"start_time": "09:20"}), ("call_date_not_in_future", {"call_date": "2013-04-01"}),
        ("call_date_not_before_1997", {"call_date": "1996-12-31"}),
        ("offered_plausible", {"offered": 501, "answered": 499}),
    ],
    ("engagement", "website_day"): [
        ("downloads_not_below_0", {"downloads": -1}), ("logins_not_below_0", {"logins": -1}),
        ("visits_not_below_0 logins_are_visits", {"visits": -1}),
        ("page_views_not_below_0 pages_at_least_visits", {"page_views": -1}),
        ("logins_are_visits", {"logins": 11}),
        ("pages_at_least_visits", {"page_views": 9}), ("pages_plausible", {"page_views": 501}),
        ("date_day_not_in_future", {"date_day": "2013-04-01"}),
        ("date_day_not_before_1997", {"date_day": "1996-12-31"}),
        ("visits_seen", {"visits": 0, "logins": 0, "page_views": 0}),
    ],
}  # fmt: skip
