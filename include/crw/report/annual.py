"""The annual page, "Customer Services and Customer Relations" of a fiscal year, in the order of the published report.

Its sentences are made by rules of the rows of the scorecard; each says which row, so that a reader finds definition and query.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crw.report import blocks
from crw.report.blocks import Block
from crw.report.figures import Figures
from crw.report.marts import Marts, Row
from crw.report.morning import AREAS, kpi_table
from crw.report.words import Words

ORDER = {
    "feedback": ("feedback",),
    "satisfaction": ("satisfaction",),
    "liaison": ("liaison",),
    "membership": ("membership",),
    "relationship": ("engagement", "campaigns"),
}
"""The chapters of the published report, each with the areas of the scorecard it tells of."""

SAID = {
    "complaints commendations": "say_cases",
    "suggestions enquiries lost_mail_claims": "say_cases_short",
    "satisfaction_overall satisfaction_counter satisfaction_delivery satisfaction_hotline": "say_satisfied",
    "members": "say_members",
}
"""The sentence of a KPI; any other that the page says in a sentence is said plainly."""

IN_SENTENCES = {
    "feedback": "complaints commendations substantive_reply_within_target_share",
    "satisfaction": "satisfaction_overall satisfaction_counter satisfaction_delivery satisfaction_hotline",
    "liaison": "liaison_meetings liaison_topics liaison_actions_done",
    "membership": "members joins leaves",
    "engagement": "newsletter_opened_share activities_attended hotline_answered_within_20s_share",
    "campaigns": "campaign_response_90_days_share account_coverage_share",
}
"""The KPIs of an area that are said in sentences, in this order; all of them are in its table."""


def page(marts: Marts, words: Words, fiscal_year: str) -> dict[str, Any]:
    """What the page of a complete fiscal year says, as plain data."""
    rows = {area: marts.year(area, fiscal_year) for areas in ORDER.values() for area in areas}
    year_end = max(row["period_end"] for row in marts.scorecard if row["period"] == fiscal_year and row["is_complete"])
    figures = Figures(marts, words, year_end)
    printed = marts.rows("select * from marts.published_vs_computed where fiscal_year = %s order by kpi", [fiscal_year])
    sections = []
    for chapter, areas in ORDER.items():
        made = [block for area in areas for block in _area(words, figures, area, rows[area])]
        title = words("area_relationship") if chapter == "relationship" else words.code("kpi_area", chapter)
        sections.append(
            {"id": chapter, "title": title, "blocks": made or [blocks.paragraph(words("no_data", area=title))]}
        )
    everything = [row for area in rows.values() for row in area]
    sections.append(
        {"id": "printed", "title": words("printed_title"), "blocks": [_printed(words, printed, everything)]}
    )
    sections.append({"id": "reading", "title": words("reading_title"), "blocks": [_reading(words, everything)]})
    sections.append({"id": "queries", "title": words("queries_title"), "blocks": [_queries(words, everything)]})
    return {
        "name": f"annual-{fiscal_year.replace('/', '-')}",
        "title": words("annual", year=fiscal_year),
        "lead": words("as_of", day=words.day(marts.business_date)),
        "sections": sections,
    }


def sentence(words: Words, row: Row) -> str:
    """A figure and its change in a sentence."""
    key = next((key for kpis, key in SAID.items() if row["kpi"] in kpis.split()), "say_any")
    value = words.number(row["value"], row["number_format"])
    unit = (
        "" if row["unit"] == "share" or row["value"] is None else words("spaced", unit=words.code("unit", row["unit"]))
    )
    if row["value"] is None:
        return words("say_unknown", name=words.name(row), period=words.period(row["period"]))
    said = words(
        key, name=words.name(row), value=value, unit=unit, period=words.period(row["period"]),
        roughly=words.roughly(row["value"]), interval=words.interval(row, "value"),
    )  # fmt: skip
    return said + _change(words, row)


def _change(words: Words, row: Row) -> str:
    if row["change"] is None:
        return words("say_no_change", why=words.change(row))
    doubt = words("comma").join(filter(None, [words.interval(row), words.worth(row)]))
    return words("say_change_doubt" if doubt else "say_change", compared=words.compared(row), doubt=doubt)


def _area(words: Words, figures: Figures, area: str, rows: Sequence[Row]) -> list[Block]:
    if not rows:
        return []
    by_kpi = {row["kpi"]: row for row in rows}
    said = [(sentence(words, by_kpi[kpi]), by_kpi[kpi]) for kpi in IN_SENTENCES.get(area, "").split() if kpi in by_kpi]
    return [blocks.sentences(said), *AREAS[area](figures), kpi_table(words, words.code("kpi_area", area), rows)]


def _printed(words: Words, printed: Sequence[Row], rows: Sequence[Row]) -> Block:
    """Where print and marts differ, and how many figures agree."""
    names = {row["kpi"]: words.name(row) for row in rows}
    if not printed:
        return blocks.notes([words("printed_none")])
    said = [words("printed_agree", n=sum(row["agrees"] is True for row in printed), all=len(printed))]
    for row in printed:
        if not row["agrees"]:
            key = "printed_differs" if row["computed"] is not None else "printed_not_computed"
            print_as = words(row["comparator"], number=_plain(words, row["published"]))
            computed = _plain(words, row["computed"]) if row["computed"] is not None else ""
            said.append(words(key, name=names.get(row["kpi"], row["kpi"]), printed=print_as, computed=computed))
    return blocks.notes(said)


def _plain(words: Words, value: Any) -> str:
    return words.number(value, ",d" if value == value.to_integral_value() else ",.1f")


def _reading(words: Words, rows: Sequence[Row]) -> Block:
    """How to read the page: intervals, revisions, and periods of another basis than the page's."""
    said = [words("reading_interval"), words("reading_revision")]
    waves = {
        words.period(row["period"])
        for row in rows
        if row["area"] == "satisfaction" and row["period_basis"] != "fiscal_year"
    }
    said += [words("reading_wave", period=period) for period in sorted(waves)]
    if any(row["period_basis_compared"] not in (None, row["period_basis"]) for row in rows):
        said.append(words("reading_basis"))
    return blocks.notes(said)


def _queries(words: Words, rows: Sequence[Row]) -> Block:
    found = [
        {"name": words.name(row), "anchor": blocks.links(row)["query"], "sql": blocks.links(row)["sql"]} for row in rows
    ]
    return {"kind": "queries", "note": words("queries_note"), "queries": found}
