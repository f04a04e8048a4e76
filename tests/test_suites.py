"""Every landing suite: what it must hold, and each of its row rules seen failing on a row planted for it."""

import json
from datetime import date

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from crw import contracts, quality, suites
from crw.settings import EXPECTATIONS

NIGHT = date(2013, 3, 31)
TABLES = sorted(contracts.tables())
SHA = "0123456789abcdef" * 4
DELIVERY = f"{1:064x}"
NPS = [str(code) for code in range(11)]
NOW = "2013-03-30 12:00+08"
FUTURE = "2013-04-01 00:00+08"
# A good row of every table; {i} makes its key.
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
    ("survey", "delivery"): {
        "delivery_id": "{i:064x}", "wave_code": "wave {i}", "file_name": "wave.csv", "period_basis": "fiscal_year",
        "period_start": "2012-04-01", "period_end": "2013-03-31", "fieldwork_start": "2013-01-01",
        "fieldwork_end": "2013-02-01", "eligible_sample": 3000, "delivered_at": NOW,
    },
    ("survey", "question"): {
        "delivery_id": DELIVERY, "question_code": "q{i}", "column_name": "Q1", "question_text": "Overall?",
        "scale": "rating", "valid_codes": ["1", "2", "3"], "top_codes": ["2", "3"], "not_applicable_codes": ["6"],
        "blank_codes": ["0"], "delivered_at": NOW,
    },
    ("survey", "respondent"): {
        "delivery_id": DELIVERY, "respondent_id": "R{i}", "interviewed_on": "2013-01-05", "weight": 1,
        "is_weighted": False,
        "is_complete": True, "segment": "business", "language": "en", "district_code": "N",
        "answers": {"q1": "3", "q2": None}, "delivered_at": NOW,
    },
}  # fmt: skip
# What spoils a good row, by the rule that must notice. Several entries of one rule: several bad rows.
EARLY_LATE = {"_before_interval_end": FUTURE, "_after_interval_start": "2012-12-31 00:00+08"}
DECODED, DECOMPOSED, PRIVATE = "æ·±æ°´\ufffd", "e\u0301", "深水\ue000"
NAMES = [("name_zh_decoded", {"name_zh": DECODED}), ("name_zh_normalized", {"name_zh": DECOMPOSED}),
         ("name_zh_private_use", {"name_zh": PRIVATE}), ("name_zh_present", {"name_zh": None}),
         ("name_en_present", {"name_en": None})]  # fmt: skip
PERSON = [
    ("person_key_length", {"person_key": "abc"}),
    ("person_key_hexadecimal", {"person_key": "someone@example.hk" + "x" * 46}),
]
BAD = {
    ("feedback", "category"): [
        *NAMES, ("kind_known", {"kind": "Complaint"}), ("issue_known", {"issue_code": "weather"}),
        ("category_code_not_blank", {"category_code": ""}),
    ],
    ("feedback", "post_office"): [
        *NAMES, ("post_office_code_not_blank", {"post_office_code": ""}), ("district_known", {"district_code": "XX"}),
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
        ("closed_has_date", {"closed_at": None}), ("anonymous_has_no_person", {"is_anonymous": True}), *PERSON,
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
    ("membership", "account_manager"): [
        ("account_manager_id_not_blank", {"account_manager_id": ""}),
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
        ("company_id_not_blank", {"company_id": ""}),
    ],
    ("membership", "membership"): [
        ("company_exists", {"company_id": "ZZ"}), ("club_known", {"club_code": "golf"}),
        ("left_on_or_after_joined", {"left_on": "2009-12-31"}), ("left_has_joined", {"joined_on": None}),
        ("joined_on_present", {"joined_on": None, "left_on": None, "leave_reason": None}),
        ("joined_on_not_in_future", {"joined_on": "2013-04-01", "left_on": None, "leave_reason": ""}),
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
    ("survey", "delivery"): [
        ("delivery_id_length", {"delivery_id": "abc"}), ("delivery_id_hexadecimal", {"delivery_id": "x" * 64}),
        ("period_basis_known", {"period_basis": "lunar"}), ("period_end_after_start", {"period_end": "2012-04-01"}),
        ("period_starts_its_year", {"period_start": "2012-05-01"}),
        ("period_at_most_a_year", {"period_end": "2013-04-01"}),
        ("period_start_not_before_1997", {"period_start": "1996-12-31"}),
        ("fieldwork_end_after_start", {"fieldwork_end": "2012-12-31"}),
        ("fieldwork_near_period", {"fieldwork_start": "2011-12-01"}),
        ("eligible_sample_positive", {"eligible_sample": 0}),
        ("wave_code_not_blank", {"wave_code": ""}), ("wave_delivered_once", {"wave_code": "wave 1"}),
    ],
    ("survey", "question"): [
        ("delivery_exists", {"delivery_id": "ZZ"}), ("scale_known", {"scale": "stars"}),
        ("codes_are_lists", {"blank_codes": {}}),
        ("valid_codes_not_empty", {"valid_codes": []}), ("top_codes_are_valid", {"top_codes": ["4"]}),
        ("rating_has_top_codes", {"top_codes": []}), ("rating_has_top_codes", {"top_codes": ["1", "2", "3"]}),
        ("nps_is_0_to_10", {"scale": "nps"}),
        ("", {"scale": "nps", "valid_codes": NPS, "not_applicable_codes": [], "blank_codes": []}),
        ("codes_mean_one_thing", {"blank_codes": ["3"]}), ("question_text_present", {"question_text": None}),
    ],
    ("survey", "respondent"): [
        ("delivery_exists", {"delivery_id": "ZZ"}), ("weight_positive", {"weight": 0, "is_weighted": True}),
        ("weight_plausible", {"weight": 101, "is_weighted": True}), ("unweighted_weighs_one", {"weight": 2}),
        ("answers_are_an_object", {"answers": []}), ("complete_has_answers", {"answers": {}}),
        ("interviewed_on_not_in_future", {"interviewed_on": "2013-04-01"}),
        ("interviewed_on_not_before_1997", {"interviewed_on": "1996-12-31"}),
        ("answers_in_code_book", {"answers": {"q1": "9"}}), ("segment_known", {"segment": "martian"}),
        ("language_known", {"language": "fr"}), ("district_known", {"district_code": "XX"}),
    ],
}  # fmt: skip


def insert(database, table, row, i):
    values = {name: value.format(i=i) if isinstance(value, str) else value for name, value in row.items()}
    values = {name: Jsonb(value) if isinstance(value, (dict, list)) else value for name, value in values.items()}
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
    statement = sql.SQL("insert into {} ({}) values ({}) returning _row_no")
    target = sql.Identifier("landing", table.identifier)
    return database.execute(statement.format(target, names, marks), list(values.values())).fetchone()[0]


def start_load(database, table, rows_read):
    return database.execute(
        "insert into audit.load (source, table_name, business_date, run_id, interval_start, interval_end, rows_read) "
        "values (%s, %s, %s, 'r', '2013-01-01 00:00+08', '2013-04-01 00:00+08', %s) returning load_id",
        [table.source, table.name, NIGHT, rows_read],
    ).fetchone()[0]


def suite_of(source, name):
    return json.loads((EXPECTATIONS / "landing" / source / f"{name}.json").read_text(encoding="utf-8"))


def spoilt_rows(table):
    """(rule, row) of everything planted in the table: what BAD says, and what follows from the contract."""
    good = GOOD[table.source, table.name]
    rows = [(rule, good | changes) for rule, changes in BAD[table.source, table.name]]
    rows += [("watermark" + rule, good | {table.watermark: value}) for rule, value in EARLY_LATE.items()]
    required = [column.name for column in table.columns if column.required]
    return rows + [(f"{name}_present", good | {name: None}) for name in required]


def land(database, table, good_rows):
    """Good rows: `good_rows` of the table, and enough of all others for its rows to refer to."""
    for other, row in GOOD.items():
        for i in range(1, (good_rows if other == (table.source, table.name) else 60) + 1):
            insert(database, contracts.table(*other), row, i)


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_a_suite_has_the_rules_every_table_needs(source, name):
    table, suite = contracts.table(source, name), suite_of(source, name)
    rules = {rule["meta"]["rule"]: rule for rule in suite["expectations"]}
    needed = {"volume_extreme", "volume_unusual", "watermark_before_interval_end", "key_unique"}
    needed |= {f"{column.name}_present" for column in table.columns if column.required}
    assert needed <= rules.keys()
    assert all(rules[f"{key}_present"]["severity"] == "critical" for key in table.key)
    assert suite["name"] == f"landing/{source}/{name}"
    assert suite["meta"]["description"]
    assert 0 < suite["meta"]["quarantine_threshold"] <= 0.1
    columns = {rule["kwargs"].get(k) for rule in rules.values() for k in ("column", "column_A", "column_B")} - {None}
    columns |= {rule["meta"]["column"] for rule in rules.values() if "column" in rule["meta"]}
    assert columns <= set(table.column_names)


def test_every_table_has_a_suite_and_every_suite_a_table():
    found = {(path.parent.name, path.stem) for path in (EXPECTATIONS / "landing").glob("*/*.json")}
    assert found == set(TABLES)


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_every_row_rule_has_a_row_planted_for_it(source, name):
    rules = suites.load(EXPECTATIONS / "landing" / source / f"{name}.json")["expectations"]
    planted = {rule for rules, _ in spoilt_rows(contracts.table(source, name)) for rule in rules.split()} | {
        "key_unique"
    }
    assert {rule["meta"]["rule"] for rule in rules if suites.is_row_rule(rule)} <= planted


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_a_warning_moves_the_planted_rows_and_no_others(database, source, name):
    table = contracts.table(source, name)
    severity = {rule["meta"]["rule"]: rule["severity"] for rule in suite_of(source, name)["expectations"]}
    land(database, table, good_rows=20)
    expected, informed = {}, set()
    for i, (planted, row) in enumerate(spoilt_rows(table), start=21):
        rules = set(planted.split())
        if "critical" not in {severity.get(rule) for rule in rules}:
            row_no = insert(database, table, row, i)
            informed |= {rule for rule in rules if severity[rule] == "info"}
            expected |= {row_no: rules - informed} if rules - informed else {}
    earlier = insert(database, table, GOOD[source, name] | {table.watermark: "2013-03-30 11:59+08"}, 60)
    insert(database, table, GOOD[source, name], 60)
    outcome = quality.validate_landing(database, table, start_load(database, table, 2000), NIGHT)
    moved = database.execute(
        "select row_no, array_agg(reason ->> 'rule') "
        "from quarantine.record, jsonb_array_elements(reasons) reason group by 1"
    )
    assert {row_no: set(rules) for row_no, rules in moved} == expected | {earlier: {"key_unique"}}
    assert {result.rule for result in outcome.results if result.severity == "info" and not result.success} == informed
    assert outcome.quarantined == len(expected) + 1


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_every_critical_row_rule_stops_the_load_and_is_named(database, source, name):
    table = contracts.table(source, name)
    severity = {rule["meta"]["rule"]: rule["severity"] for rule in suite_of(source, name)["expectations"]}
    land(database, table, good_rows=3)
    critical = [(rule, row) for rule, row in spoilt_rows(table) if severity.get(rule) == "critical"]
    for i, (_, row) in enumerate(critical, start=21):
        insert(database, table, row, i)
    with pytest.raises(quality.QualityError) as failure:
        quality.validate_landing(database, table, start_load(database, table, 1000), NIGHT)
    assert {rule for rule, _ in critical} <= {rule for rule in severity if f"rule {rule} failed" in str(failure.value)}
    assert database.execute("select count(*) from quarantine.record").fetchone() == (0,)


def publish_nights(database, table, *rows_read):
    with database.cursor() as cursor:
        cursor.executemany(
            "insert into audit.load (source, table_name, business_date, run_id, state, interval_start, interval_end, "
            "rows_read, rows_published, rows_unchanged, rows_quarantined) "
            "values (%s, %s, %s, 'r', 'published', '2013-01-01', '2013-01-02', %s, %s, 0, 0)",
            [(table.source, table.name, date(2013, 3, day), rows, rows) for day, rows in enumerate(rows_read, start=1)],
        )


@pytest.mark.parametrize(("source", "name"), TABLES)
def test_volume_is_held_against_the_nights_that_brought_rows(database, source, name):
    table = contracts.table(source, name)
    assert quality.validate_landing(database, table, start_load(database, table, 10**6), NIGHT).message.startswith(
        f"{len(suite_of(source, name)['expectations'])} rules, 0 failed"
    )
    publish_nights(database, table, 10**6, *[10] * 7, 0, 0)
    outcome = quality.validate_landing(database, table, start_load(database, table, 1200), NIGHT)
    assert [result.rule for result in outcome.results if not result.success] == ["volume_unusual"]
    with pytest.raises(
        quality.QualityError, match=r"rule volume_extreme failed .*rows_read=1201, nights=7, usual=10\.0"
    ):
        quality.validate_landing(database, table, start_load(database, table, 1201), NIGHT)


def test_what_a_row_refers_to_may_be_published_already(database):
    database.execute("create table raw.published partition of raw.feedback__category default")
    database.execute(
        "insert into raw.feedback__category values ('C1', 'complaint', null, 'a', 'a', now(), 1, '2013-03-30')"
    )
    table = contracts.table("feedback", "cases")
    insert(database, table, GOOD["feedback", "cases"], 1)
    assert quality.validate_landing(database, table, start_load(database, table, 1), NIGHT).quarantined == 0
