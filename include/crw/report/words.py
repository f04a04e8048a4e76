"""Figures in words, in the language of a page: numbers, periods, changes and what they are worth. It knows the scorecard's columns.

Every sentence is a row of `texts.yml`; here are the rules that choose among them.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

LANGUAGES = {"en": "en", "zh": "zh-Hant-HK"}
"""The languages of the pages, each with its tag for browsers and screen readers."""

MINUS, THIN, NO_BREAK = "\u2212", "\u2009", "\u00a0"
# As d3-format writes them: what seed kpi holds.
FORMAT = re.compile(r"(?P<sign>\+?)(?P<comma>,?)(?:\.(?P<places>\d+))?(?P<kind>[df%])")
MONTHS = calendar.month_name
QUARTERS = {"1": "一", "2": "二", "3": "三", "4": "四"}


class Words:
    """What the pages say in one language.

    Args:
        language: of `LANGUAGES`.
        names: by list and code, the row of the mart code_name.
    """

    def __init__(self, language: str, names: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        self.language, self._names = language, names

    def __call__(self, key: str, **values: Any) -> str:
        """The text of `texts.yml` of that key, with its places filled. Raises KeyError where there is none."""
        return _texts()[key][self.language].format(**values)

    def name(self, row: Mapping[str, Any]) -> str:
        """The name in this language; in English where the operator has no Chinese one."""
        return row.get(f"name_{self.language}") or row["name_en"]

    def code(self, list_name: str, code: str) -> str:
        """The name of a code; the code itself where no list has it."""
        named = self._names.get((list_name, code))
        return self.name(named) if named else code

    def number(self, value: Decimal | int | None, number_format: str = ",d") -> str:
        """A number as its format says, rounded half up as print does and not half to even; words where it is not known."""
        if value is None:
            return self("unknown")
        known = FORMAT.fullmatch(number_format)
        if not known:
            return f"{value:,}".replace("-", MINUS)
        scaled = Decimal(value) * (100 if known["kind"] == "%" else 1)
        default = 0 if known["kind"] == "d" else 6
        exact = scaled.quantize(Decimal(1).scaleb(-int(known["places"] or default)), ROUND_HALF_UP)
        exact = abs(exact) if exact == 0 else exact  # else -0.04 is shown as -0.0
        sign = "+" if known["sign"] and exact > 0 else ""
        shown = sign + f"{exact:{known['comma']}f}".replace("-", MINUS)
        return shown + self("percent") if known["kind"] == "%" else shown

    def roughly(self, value: Decimal | int) -> str:
        """A large count as a report's sentence has it: "over 43,000", "close to 43,000"; in full below 10,000."""
        if value < 10_000:
            return self.number(value)
        thousands = (Decimal(value) / 1000).quantize(Decimal(1), ROUND_HALF_UP) * 1000
        rule = "exactly" if value == thousands else "over" if value > thousands else "close_to"
        return self(rule, number=self.number(thousands))

    def day(self, day: date) -> str:
        """31 March 2013."""
        return self("day", year=day.year, month=day.month, month_name=MONTHS[day.month], day=day.day)

    def period(self, period: str) -> str:
        """A period as marts write it ('2012-11', '2012/13 Q3', '2012/13 to 2012-11', '12 months to 2012-11') for readers."""
        if match := re.fullmatch(r"(\d{4})-(\d{2})", period):
            return self("month", year=match[1], month=int(match[2]), month_name=MONTHS[int(match[2])])
        if match := re.fullmatch(r"(\S+) Q(\d)", period):
            return self("quarter", year=match[1], number=match[2], numeral=QUARTERS[match[2]])
        if match := re.fullmatch(r"12 months to (\S+)", period):
            return self("twelve_months", month=self.period(match[1]))
        if match := re.fullmatch(r"(\S+) to (\S+)", period):
            if match[2].endswith("-03"):  # the whole year
                return self.period(match[1])
            return self("year_to_date", year=self.period(match[1]), month=self.period(match[2]))
        return self("fiscal_year" if "/" in period else "calendar_year", year=period)

    def change(self, kpi: Mapping[str, Any]) -> str:
        """The change of a row of the scorecard: "decrease of 8.4 %", "unchanged", or why nothing is compared."""
        change = kpi["change"]
        if change is None:
            return self(_why_not_compared(kpi))
        size = self.amount(abs(change), kpi["change_kind"])
        if change == 0:
            return self("unchanged")
        if size == self.amount(Decimal(0), kpi["change_kind"]):
            return self("hardly_changed")
        return self("increase" if change > 0 else "decrease", size=size)

    def compared(self, kpi: Mapping[str, Any]) -> str:
        """The change, and what it is against: "decrease of 8.4 % against 2011/12"."""
        if kpi["change"] is None:
            return self.change(kpi)
        return self("compared", change=self.change(kpi), before=self.period(kpi["period_compared"]))

    def amount(self, change: Decimal, kind: str, number_format: str = ",.1f") -> str:
        """The size of a change in its unit, percent, percentage points, or none."""
        return self(f"amount_{kind}", number=self.number(change, number_format if kind != "none" else ",d"))

    def interval(self, kpi: Mapping[str, Any], of: str = "change") -> str:
        """The 95 % interval of the change (or `of` the value), or nothing where there is none."""
        low, high = kpi[f"{of}_low"], kpi[f"{of}_high"]
        if low is None:
            return ""
        if of == "value":
            shown = [self.number(bound, kpi["number_format"]) for bound in (low, high)]
            return self("interval", low=shown[0], high=shown[1])
        if high is None:
            return self("interval_open", low=self.amount(low, kpi["change_kind"], "+,.1f"))
        shown = self.number(low, "+,.1f")
        return self("interval", low=shown, high=self.amount(high, kpi["change_kind"], "+,.1f"))

    def worth(self, kpi: Mapping[str, Any]) -> str:
        """Whether the change is more than noise, and then whether it is for the better; nothing where that is not known."""
        match kpi["is_change_significant"]:
            case None:
                return self("worth_unknown") if kpi["change"] else ""
            case False:
                return self("may_be_noise")
        if kpi["good_direction"] == "none":
            return self("more_than_noise")
        # Not by the change, which is empty where none came before.
        is_more = kpi["value"] > kpi["value_before"]
        return self("better" if is_more == (kpi["good_direction"] == "up") else "worse")

    def target(self, kpi: Mapping[str, Any]) -> str:
        """The target and whether it is met; nothing where none was set."""
        if kpi["target"] is None or kpi["is_on_target"] is None:
            return ""
        verdict = "target_met" if kpi["is_on_target"] else "target_missed"
        return self(verdict, target=self.number(kpi["target"], kpi["number_format"]))

    def printed(self, kpi: Mapping[str, Any]) -> str:
        """What was printed of the period, and whether the figure agrees with it; nothing where nothing was printed."""
        if kpi["published"] is None:
            return ""
        number = self(kpi["published_comparator"], number=self.number(kpi["published"], kpi["number_format"]))
        return self("printed_agrees" if kpi["published_agrees"] else "printed_disagrees", number=number)


def _why_not_compared(kpi: Mapping[str, Any]) -> str:
    if kpi["value"] is None:
        return "value_unknown"
    if kpi["change_kind"] == "none":
        return "change_not_told"
    if not kpi["is_complete"]:
        return "not_over"
    if kpi["period_compared"] is None:
        return "nothing_before"
    return "before_unknown" if kpi["value_before"] is None else "before_zero"


@cache
def _texts() -> dict[str, dict[str, str]]:
    return yaml.safe_load(Path(__file__).with_name("texts.yml").read_text(encoding="utf-8"))
