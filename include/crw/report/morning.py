"""This morning: the headlines, then each area in figures and KPIs, then what last night refused and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from crw.report import blocks, charts, feedback_figures, health
from crw.report.blocks import Block
from crw.report.figures import Figures
from crw.report.marts import WAVE_BASES, Marts, Row
from crw.report.words import Words

HEADLINES = (
    *("complaints", "commendations", "substantive_reply_within_target_share", "open_cases"),
    *("satisfaction_overall", "satisfaction_counter", "satisfaction_delivery", "members"),
    *(
        "newsletter_opened_share",
        "hotline_answered_within_20s_share",
        "campaign_response_90_days_share",
        "liaison_actions_overdue",
    ),
)
"""The KPIs of the tiles, where the operator has them; every KPI is in the table of its area."""


def page(marts: Marts, words: Words) -> dict[str, Any]:
    """What the page says, as plain data."""
    found = [row for kpi in HEADLINES if (row := marts.headline(kpi))]
    tiles = {"kind": "tiles", "tiles": [blocks.tile(words, row) for row in found]}
    sections = [{"id": "headlines", "title": words("headlines"), "blocks": [tiles] if found else []}]
    figures = Figures(marts, words, marts.business_date or date.min)
    for area, made in AREAS.items():
        shown = made(figures)
        kpis = [row for kpi in marts.kpis(area) if (row := marts.headline(kpi))]
        table = [blocks.folded(kpi_table(words, words("scorecard"), kpis))] if kpis else []
        sections.append(
            {
                "id": area,
                "title": words.code("kpi_area", area),
                "blocks": [*shown, *table] or [blocks.paragraph(words("no_data", area=words.code("kpi_area", area)))],
            }
        )
    sections.append({"id": "health", "title": words("area_health"), "blocks": health.section(marts, words)})
    return {
        "name": "morning",
        "title": words("morning"),
        "lead": words("as_of", day=words.day(marts.business_date)) if marts.business_date else words("empty"),
        "sections": [section for section in sections if section["blocks"]],
    }


def kpi_table(words: Words, caption: str, rows: Sequence[Row]) -> Block:
    """KPIs with interval, change and what it is worth, and the target."""
    columns = [words("kpi_head"), words("value"), words("change_head")]
    return blocks.table(
        caption, columns, [[_name(words, row), _value(words, row), _change(words, row)] for row in rows]
    )


def _name(words: Words, row: Row) -> Block:
    return blocks.cell(f"{words.name(row)}\n{words.period(row['period'])}", definition=blocks.links(row)["definition"])


def _value(words: Words, row: Row) -> Block:
    value = words.number(row["value"], row["number_format"])
    unit = "" if row["unit"] == "share" or row["value"] is None else f" {words.code('unit', row['unit'])}"
    return blocks.cell(
        "\n".join(
            filter(
                None,
                [
                    value + unit,
                    words.interval(row, "value"),
                    blocks.of_n(words, row),
                    words.target(row),
                    words.printed(row),
                ],
            )
        )
    )


def _change(words: Words, row: Row) -> Block:
    return blocks.cell("\n".join(filter(None, [words.compared(row), words.interval(row), words.worth(row)])))


def _feedback(figures: Figures) -> list[Block]:
    replies = [f"{step}_within_target_share" for step in ("acknowledgement", "first_reply", "substantive_reply")]
    return [
        *feedback_figures.complaints(figures),
        *feedback_figures.issues(figures),
        *feedback_figures.districts(figures),
        *figures.series("replies", replies, "month"),
        *feedback_figures.backlog(figures),
    ]


def _satisfaction(figures: Figures) -> list[Block]:
    kpis = [kpi for kpi in figures.marts.kpis("satisfaction") if kpi != "survey_response_share"]
    return figures.series("satisfaction_by_service", kpis, *WAVE_BASES, last=8)


def _membership(figures: Figures) -> list[Block]:
    return [
        *figures.series("members_by_month", ["members"], "month"),
        *figures.series("joins_and_leaves", ["joins", "leaves"], "month", form=charts.columns),
        *figures.clubs(),
    ]


def _engagement(figures: Figures) -> list[Block]:
    opened = ["newsletter_opened_share", "newsletter_clicked_share"]
    return [
        *figures.series("newsletter", opened, "month"),
        *figures.series("activities", ["activities_attended"], "fiscal_quarter", last=8, form=charts.columns),
        *figures.series(
            "hotline", ["hotline_answered_within_20s_share", "hotline_abandoned_share"], "month", share=False
        ),
    ]


def _campaigns(figures: Figures) -> list[Block]:
    return [*figures.campaigns(), *figures.series("accounts", ["account_coverage_share"], "month")]


def _liaison(figures: Figures) -> list[Block]:
    actions = [f"liaison_actions_{state}" for state in ("raised", "done", "overdue")]
    return [
        *figures.series("liaison_actions", actions, "fiscal_quarter", last=8, form=charts.columns),
        *figures.series("liaison_meetings_and_attendance", ["liaison_attendance_share"], "fiscal_year", last=8),
    ]


AREAS = {
    "feedback": _feedback,
    "satisfaction": _satisfaction,
    "membership": _membership,
    "engagement": _engagement,
    "campaigns": _campaigns,
    "liaison": _liaison,
}
"""The areas in their order, each with the figures it has."""
