"""What a dashboard says in words: the scorecard's figures and what a change is worth, why a night refused rows; as SQL.

The sentences are those of the pages (`texts.yml`), so that a page and a dashboard say the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from crw import seeds, settings
from crw.report import health
from crw.report.words import FORMAT, Words

LANGUAGES = ("en", "zh")
Text = str | Mapping[str, str]
"""What is shown: by language, or a key of the pages' `texts.yml`."""


def text(shown: Text, language: str) -> str:
    """A text in a language. Raises KeyError for a key that no text has."""
    return Words(language, {})(shown) if isinstance(shown, str) else shown[language]


def quoted(value: str = "") -> str:
    """A text as a literal of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _scorecard() -> dict[str, str]:
    """The scorecard in words: each figure in its own format, what its change is worth, and whether it is on target."""
    shown = {"value_shown": _shown("value")}
    for language in LANGUAGES:
        to = quoted({"en": " to ", "zh": "至"}[language])
        shown[f"interval_{language}"] = f"coalesce({_shown('value_low')} || {to} || {_shown('value_high')}, '')"
        said = {key: quoted(text(key, language)) for key in ("may_be_noise", "more_than_noise", "better", "worse")}
        point = quoted({"en": " points", "zh": "個百分點"}[language])
        shown[f"period_{language}"] = f"replace(period, ' to ', {to})"
        unit = f"case change_kind when 'pct' then ' %' when 'pp' then {point} else '' end"
        shown[f"change_{language}"] = f"coalesce(to_char(change, 'FMSG999,999,990.0') || {unit}, '')"
        shown[f"worth_{language}"] = (
            f"case when is_change_significant is null then '' when not is_change_significant then {said['may_be_noise']} "
            f"when good_direction = 'none' then {said['more_than_noise']} "
            f"when (change > 0) = (good_direction = 'up') then {said['better']} else {said['worse']} end"
        )
        met, missed = (_target(key, language) for key in ("target_met", "target_missed"))
        shown[f"target_{language}"] = f"coalesce(case when is_on_target then {met} else {missed} end, '')"
    return shown


def _target(key: str, language: str) -> str:
    """The sentence of a target, in SQL; empty where there is none."""
    before, after = Words(language, {})(key, target="\0").split("\0")
    return f"{quoted(before)} || {_shown('target')} || {quoted(after)}"


def _shown(value: str) -> str:
    """A figure as text, in SQL, as the format of its KPI says."""
    formats = sorted({row["number_format"] for row in seeds.rows("kpi")})
    cases = " ".join(f"when {quoted(form)} then {_to_char(value, form)}" for form in formats)
    return f"case number_format {cases} else {value}::text end"


def _to_char(value: str, number_format: str) -> str:
    known = FORMAT.fullmatch(number_format)
    if not known:
        return f"{value}::text"
    places = int(known["places"] or 0)
    pattern = f"FM{'SG' if known['sign'] else ''}999,999,999,990{'.' + '0' * places if places else ''}"
    return f"to_char({value} * 100, '{pattern}') || ' %'" if known["kind"] == "%" else f"to_char({value}, '{pattern}')"


def _health() -> dict[str, str]:
    """Why a rule refuses a row, as the pages say it."""
    return {f"why_{language}": f"case {' '.join(_rules(language))} else detail end" for language in LANGUAGES}


def _rules(language: str) -> Iterator[str]:
    """Each rule that is particular to a table by its note, then those that are made from contracts by their pattern."""
    for path in sorted((settings.EXPECTATIONS / "landing").rglob("*.json")):
        for entry in json.loads(path.read_text(encoding="utf-8"))["expectations"]:
            rule = (path.parent.name, path.stem, entry["meta"]["rule"])
            if note := entry["meta"].get(f"notes_{language}") or entry["meta"].get("notes"):
                yield f"when (source, table_name, detail) = ({', '.join(map(quoted, rule))}) then {quoted(note)}"
    for pattern, kind in health.MADE.items():
        places = re.findall(r"\(\?P<(\w+)>", pattern)
        said = Words(language, {})(f"rule_{kind}", **{name: f"\\{n}" for n, name in enumerate(places, 1)})
        whole = quoted(f"^{re.sub(r'[(][?]P<[a-z]+>', '(', pattern)}$")
        yield f"when detail ~ {whole} then regexp_replace(detail, {whole}, {quoted(said)})"


TOLD = {"kpi_scorecard": _scorecard, "data_health": _health}
"""Marts whose rows are also told in words."""
