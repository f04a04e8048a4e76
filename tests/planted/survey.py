"""Rows of the survey tables."""

from tests.planted.values import NOW

DELIVERY = f"{1:064x}"
NPS = [str(code) for code in range(11)]


def answers(first):
    """The first answer and 59 blanks: one for each of the questions that are landed beside. The braces are doubled."""
    return "{{" + ",".join([first] + ["NULL"] * 59) + "}}"


GOOD = {
    ("survey", "delivery"): {
        "delivery_id": "{i:064x}", "wave_code": "wave {i}", "file_name": "wave.csv", "period_basis": "fiscal_year",
        "period_start": "2012-04-01", "period_end": "2013-03-31", "fieldwork_start": "2013-01-01",
        "fieldwork_end": "2013-02-01", "eligible_sample": 3000, "delivered_at": NOW,
    },
    ("survey", "question"): {
        "delivery_id": DELIVERY, "question_code": "q{i}", "question_no": "{i}", "column_name": "Q1",
        "question_text": "Overall?", "scale": "rating", "valid_codes": ["1", "2", "3"], "top_codes": ["2", "3"],
        "not_applicable_codes": ["6"], "blank_codes": ["0"], "delivered_at": NOW,
    },
    ("survey", "respondent"): {
        "delivery_id": DELIVERY, "respondent_id": "R{i}", "interviewed_on": "2013-01-05", "weight": 1,
        "is_weighted": False,
        "is_complete": True, "segment": "business", "language": "en", "district_code": "N",
        "answers": answers("3"), "delivered_at": NOW,
    },
}  # fmt: skip

BAD = {
    ("survey", "delivery"): [
        ("delivery_id_length", {"delivery_id": "abc"}), ("delivery_id_hexadecimal", {"delivery_id": "x" * 64}),
        ("period_basis_known", {"period_basis": "lunar"}), ("period_end_after_start", {"period_end": "2012-04-01"}),
        ("period_starts_its_year", {"period_start": "2012-05-01"}),
        ("period_at_most_a_year", {"period_end": "2013-04-01"}),
        ("period_start_not_before_1997", {"period_start": "1996-12-31"}),
        ("fieldwork_end_after_start", {"fieldwork_end": "2012-12-31"}),
        ("fieldwork_near_period", {"fieldwork_start": "2011-12-01"}),
        ("eligible_sample_not_below_1", {"eligible_sample": 0}),
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
        ("answers_are_a_list", {"answers": "3"}), ("complete_has_answers", {"answers": answers("NULL")}),
        ("answers_meet_the_questions", {"answers": "{{3}}"}),
        ("interviewed_on_not_in_future", {"interviewed_on": "2013-04-01"}),
        ("interviewed_on_not_before_1997", {"interviewed_on": "1996-12-31"}),
        ("answers_in_code_book", {"answers": answers("9")}), ("segment_known", {"segment": "martian"}),
        ("language_known", {"language": "fr"}), ("district_known", {"district_code": "XX"}),
    ],
}  # fmt: skip
