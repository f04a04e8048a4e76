"""What a figure is called in words: the rules, without a database."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal

import pytest

from crw import settings
from crw.report import annual, health, words
from crw.report.words import Words

NAMES = {("unit", "cases"): {"name_en": "cases", "name_zh": "宗"}}
EN, ZH = Words("en", NAMES), Words("zh", NAMES)
NB = "\u00a0"

COMPLAINTS = {
    "kpi": "complaints", "name_en": "Complaints", "name_zh": "投訴", "unit": "cases", "number_format": ",d", "good_direction": "down",
    "period_basis": "fiscal_year", "period": "2012/13", "is_complete": True, "value": Decimal(304), "denominator": None,
    "value_low": Decimal("270.8"), "value_high": Decimal("340.2"), "period_compared": "2011/12", "value_before": Decimal(332),
    "change_kind": "pct", "change": Decimal("-8.433735"), "change_low": Decimal("-21.94"), "change_high": Decimal("7.31"),
    "is_change_significant": False, "target": None, "is_on_target": None, "published": Decimal(304), "published_comparator": "exact",
    "published_agrees": True,
}  # fmt: skip
SATISFIED = COMPLAINTS | {
    "kpi": "satisfaction_overall", "name_en": "Satisfied overall", "name_zh": "整體滿意率", "unit": "share", "number_format": ".1%",
    "good_direction": "up", "value": Decimal("0.98499"), "value_low": Decimal("0.979"), "value_high": Decimal("0.989"),
    "denominator": Decimal("2263.4"), "period_compared": "2011", "change_kind": "pp", "change": Decimal("-0.70"),
    "change_low": Decimal("-1.4"), "change_high": Decimal("-0.1"), "is_change_significant": True,
}  # fmt: skip


@pytest.mark.parametrize(
    "changed, english, chinese",
    [
        ({}, f"decrease of 8.4{NB}% against 2011/12", "較2011/12年度下降8.4%"),
        ({"change": Decimal("94.94")}, f"increase of 94.9{NB}% against 2011/12", "較2011/12年度上升94.9%"),
        ({"change": Decimal(0)}, "unchanged against 2011/12", "較2011/12年度沒有變動"),
        ({"change": Decimal("0.04")}, "hardly changed against 2011/12", "較2011/12年度幾乎沒有變動"),
        ({"change": None, "period_compared": None}, "nothing before to compare with", "沒有較早的數字可作比較"),
        ({"change": None, "value_before": None}, "the figure before is not known", "前期數字不詳"),
        (
            {"change": None, "value_before": Decimal(0)},
            "none before, so there is no percentage",
            "前期為零，無法計算百分率",
        ),
        ({"change": None, "value": None}, "the figure is not known", "數字不詳"),
        (
            {"change": None, "is_complete": False},
            "the period is not over, so it is compared with nothing",
            "期間未完，不作比較",
        ),
        ({"change": None, "change_kind": "none"}, "no change is told of this figure", "此數字不作比較"),
    ],
)
def test_a_change_or_why_there_is_none(changed, english, chinese):
    assert EN.compared(COMPLAINTS | changed) == english
    assert ZH.compared(COMPLAINTS | changed) == chinese


@pytest.mark.parametrize(
    "changed, said",
    [
        ({}, "may be noise"),
        ({"is_change_significant": True}, "more than noise: better"),
        ({"is_change_significant": True, "value": Decimal(400)}, "more than noise: worse"),
        ({"is_change_significant": True, "change": None, "value_before": Decimal(0)}, "more than noise: worse"),
        ({"is_change_significant": True, "good_direction": "none"}, "more than noise"),
        ({"is_change_significant": None}, "no interval is known of such a figure"),
        ({"is_change_significant": None, "change": None}, ""),
    ],
)
def test_what_a_change_is_worth(changed, said):
    assert EN.worth(COMPLAINTS | changed) == said


def test_intervals_and_their_open_end():
    assert EN.interval(COMPLAINTS) == f"95{NB}% interval \u221221.9 to{NB}+7.3{NB}%"
    assert EN.interval(COMPLAINTS | {"change_high": None}) == f"95{NB}% interval from \u221221.9{NB}% upwards"
    assert EN.interval(COMPLAINTS | {"change_low": None, "change_high": None}) == ""
    assert ZH.interval(SATISFIED, "value") == "95%置信區間97.9%至98.9%"


def test_a_target_is_met_missed_or_not_told():
    target = {"target": Decimal("0.95")}
    assert EN.target(SATISFIED | target | {"is_on_target": True}) == f"✓ on target (95.0{NB}%)"
    assert EN.target(SATISFIED | target | {"is_on_target": False}) == f"✗ target missed (95.0{NB}%)"
    assert EN.target(SATISFIED | target) == EN.target(SATISFIED) == ""


@pytest.mark.parametrize(
    "value, number_format, said",
    [
        (1234, ",d", "1,234"),
        (Decimal("2.5"), ",d", "3"),  # half up, as print has it
        (Decimal("-0.04"), ",.1f", "0.0"),
        (Decimal("-12.35"), ",.1f", "\u221212.4"),
        (Decimal("0.98499"), ".1%", f"98.5{NB}%"),
        (54, "+,d", "+54"),
        (None, ",d", "not known"),
        (Decimal("1234.5"), ".3s", "1,234.5"),  # a format of the operator's that is not ours
    ],
)
def test_numbers(value, number_format, said):
    assert EN.number(value, number_format) == said


@pytest.mark.parametrize(
    "value, said", [(43243, "over 43,000"), (42961, "close to 43,000"), (43000, "43,000"), (2947, "2,947")]
)
def test_a_large_count_is_rounded_by_a_rule(value, said):
    assert EN.roughly(value) == said


@pytest.mark.parametrize(
    "period, english, chinese",
    [
        ("2012-11", "November 2012", "2012年11月"),
        ("2012/13 Q3", "quarter 3 of 2012/13", "2012/13年度第三季"),
        ("2012/13", "2012/13", "2012/13年度"),
        ("2011", "2011", "2011年"),
        ("2012/13 to 2012-11", "2012/13, April to November 2012", "2012/13年度4月至2012年11月"),
        ("2012/13 to 2013-03", "2012/13", "2012/13年度"),
        ("12 months to 2012-11", "twelve months to November 2012", "截至2012年11月止的十二個月"),
    ],
)
def test_periods(period, english, chinese):
    assert (EN.period(period), ZH.period(period)) == (english, chinese)


def test_dates_and_names_without_a_chinese_one():
    assert (EN.day(date(2013, 3, 31)), ZH.day(date(2013, 3, 31))) == ("31 March 2013", "2013年3月31日")
    assert ZH.name({"name_en": "Praise", "name_zh": None}) == "Praise"
    assert (ZH.code("unit", "cases"), ZH.code("unit", "parcels")) == ("宗", "parcels")


def test_a_sentence_is_made_of_a_row():
    assert annual.sentence(EN, COMPLAINTS) == (
        f"Complaints received in 2012/13: 304, decrease of 8.4{NB}% against 2011/12 "
        f"(95{NB}% interval \u221221.9 to{NB}+7.3{NB}%, may be noise)."
    )
    assert annual.sentence(ZH, SATISFIED).startswith("2012/13年度調查的整體滿意率為98.5%（95%置信區間97.9%至98.9%）")
    first = COMPLAINTS | {"change": None, "period_compared": None}
    assert annual.sentence(EN, first) == "Complaints received in 2012/13: 304 (nothing before to compare with)."
    unknown = COMPLAINTS | {"value": None, "change": None}
    assert annual.sentence(EN, unknown) == "Complaints: not known for 2012/13."
    members = COMPLAINTS | {"kpi": "members", "value": Decimal(43243), "change": None, "period_compared": None}
    assert annual.sentence(EN, members).startswith(
        "At the end of 2012/13 over 43,000 companies were members of the clubs (43,243)"
    )


def test_every_text_is_there_in_both_languages():
    lacking = [key for key, text in words._texts().items() if text.keys() != words.LANGUAGES.keys()]
    assert lacking == []


def test_why_a_row_was_refused_is_said_in_the_language_of_the_page():
    refusing = [
        (path.parent.name, path.stem, rule["meta"]["rule"])
        for path in settings.EXPECTATIONS.glob("landing/*/*.json")
        for rule in json.loads(path.read_text(encoding="utf-8"))["expectations"]
        if rule["severity"] == "warning"
    ]
    assert len(refusing) > 30
    said = {refusal: (health.rule(EN, *refusal), health.rule(ZH, *refusal)) for refusal in refusing}
    assert [
        refusal for refusal, (_, zh) in said.items() if zh["lang"] or not re.search("[\u4e00-\u9fff]", zh["text"])
    ] == []
    assert [refusal for refusal, (en, _) in said.items() if re.search("[\u4e00-\u9fff]", en["text"])] == []
    # What an operator adds may have a note in one language: it is marked as that.
    assert health.rule(ZH, "feedback", "cases", "closed_has_date")["lang"] == "en"
