"""The figures that pages show, each from its mart: what is drawn, said in words, and laid out as a table. A figure without data is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from crw.report import blocks, charts
from crw.report.blocks import Block
from crw.report.marts import Marts, Row
from crw.report.words import Words

KEPT = (
    *("kpi", "name_en", "name_zh", "period_basis", "period", "period_start", "period_end"),
    *("value", "numerator", "denominator", "value_low", "value_high", "target"),
)
"""The columns of the scorecard that a figure's file of data has."""


class Figures:
    """The figures of a page in one language, of periods that end by a day.

    Args:
        marts: what is known.
        words: of the language.
        until: the last day; later periods are left out.
    """

    def __init__(self, marts: Marts, words: Words, until: date) -> None:
        self.marts, self.words, self.until = marts, words, until

    def series(
        self, name: str, kpis: Sequence[str], *bases: str, last: int = 24, form: Any = charts.trend, share: bool = True
    ) -> list[Block]:
        """KPIs of one unit over their last periods: small multiples on one scale, or on their own where `share` is false."""
        found = [self.rows_of(kpi, *bases, last=last) for kpi in kpis]
        known = [rows for rows in found if any(row["value"] is not None for row in rows)]
        if not known:
            return []
        everything = [row for rows in known for row in rows]
        domain = _domain(everything, form) if share and len(known) > 1 else None
        panels = [self._panel(rows, form, domain) for rows in known]
        data = blocks.table(
            self.words(name),
            [self.words("kpi_and_period"), self.words("value"), self.words("interval_head"), self.words("n")],
            [self._line(row) for row in everything],
        )
        csv = [{column: row[column] for column in KEPT} for row in everything]
        return [blocks.figure(name, self.words(name), self._note(everything, form), panels, data, csv)]

    def clubs(self) -> list[Block]:
        """The members of each club at the end of the newest month."""
        rows = self.marts.rows(
            "select club_code, period, members, members_change_pct from marts.kpi_membership where period_basis = 'month' "
            "and is_complete and period_end <= %s and club_code <> 'any' and members > 0 order by period_start desc, club_code",
            [self.until],
        )
        words, shown_as = self.words, self.marts.formats["kpi_membership", "members_change_pct"]
        newest = [row for row in rows if row["period"] == rows[0]["period"]]
        if not newest:
            return []
        lines = [
            [
                words.code("club", row["club_code"]),
                words.number(row["members"]),
                words("unknown")
                if (change := row["members_change_pct"]) is None
                else words.amount(change, "pct", shown_as),
            ]
            for row in newest
        ]
        columns = [words("club_head"), words("value"), words("change_year")]
        return [blocks.table(words("clubs", period=words.period(newest[0]["period"])), columns, lines)]

    def campaigns(self) -> list[Block]:
        """Response rate of campaigns by kind and year; kinds are not comparable, so each has its own scale."""
        rows = self.marts.rows(
            "select kind_code, period, period_end, contacted, responded, response_share, response_low, response_high "
            "from marts.kpi_campaign_by_period where period_basis = 'fiscal_year' and kind_code <> 'all' and is_complete "
            "and period_end <= %s order by kind_code, period_start",
            [self.until],
        )
        panels, words = [], self.words
        shown_as = self.marts.formats["kpi_campaign_by_period", "response_share"]
        for kind in dict.fromkeys(row["kind_code"] for row in rows):
            of_kind = [
                {
                    "label": row["period"],
                    "value": row["response_share"],
                    "low": row["response_low"],
                    "high": row["response_high"],
                }
                for row in rows
                if row["kind_code"] == kind
            ]
            name = words.code("campaign_kind", kind)
            if any(row["value"] is not None for row in of_kind):
                panels.append(blocks.panel(charts.trend(of_kind, shown_as), name, self._told(name, of_kind, shown_as)))
        if not panels:
            return []
        data = blocks.table(
            words("campaign_response"),
            [words("kind_and_year"), words("value"), words("interval_head"), words("n")],
            [
                [f"{words.code('campaign_kind', row['kind_code'])}, {words.period(row['period'])}",
                 words.number(row["response_share"], shown_as),
                 words.interval({"value_low": row["response_low"], "value_high": row["response_high"], "number_format": shown_as}, "value"),
                 words.number(row["contacted"])]
                for row in rows
            ],
        )  # fmt: skip
        note = words("campaign_note", n=words.number(sum(row["contacted"] for row in rows)), span=self.span(rows))
        return [blocks.figure("campaign_response", words("campaign_response"), note, panels, data, rows)]

    def rows_of(self, kpi: str, *bases: str, last: int) -> list[Row]:
        """The last complete periods of a KPI that a figure of this page may show."""
        return [row for row in self.marts.series(kpi, *bases) if row["period_end"] <= self.until][-last:]

    def _panel(self, rows: Sequence[Row], form: Any, domain: list[float] | None) -> Block:
        words, newest = self.words, rows[-1]
        points = [
            {"label": row["period"], "value": row["value"], "low": row["value_low"], "high": row["value_high"]}
            for row in rows
        ]
        number_format = ".0%" if newest["unit"] == "share" and not _is_narrow(domain) else newest["number_format"]
        target = {"target": newest["target"]} if form is charts.trend else {}
        spec = form(points, number_format, domain, **target)
        return blocks.panel(spec, words.name(newest), self._told(words.name(newest), points, newest["number_format"]))

    def _told(self, name: str, points: Sequence[Row], number_format: str) -> str:
        """A series in words, for who does not see it."""
        known = [point for point in points if point["value"] is not None]
        low, high = min(known, key=lambda p: p["value"]), max(known, key=lambda p: p["value"])
        number, period = (lambda point: self.words.number(point["value"], number_format)), self.words.period
        return self.words(
            "series_alt", name=name, n=len(known), first=period(known[0]["label"]), last=period(known[-1]["label"]),
            newest=number(known[-1]), low=number(low), low_at=period(low["label"]), high=number(high), high_at=period(high["label"]),
        )  # fmt: skip

    def _line(self, row: Row) -> list[Any]:
        words, found = self.words, blocks.links(row)
        name = f"{words.name(row)}, {words.period(row['period'])}"
        return [
            blocks.cell(name, definition=found["definition"]),
            words.number(row["value"], row["number_format"]),
            words.interval(row, "value"),
            words.number(row["denominator"]) if row["denominator"] is not None else "",
        ]

    def _note(self, rows: Sequence[Row], form: Any) -> str:
        words = self.words
        counts = [row["denominator"] for row in rows if row["denominator"] is not None]
        parts = [words("note_unit", unit=words.code("unit", rows[0]["unit"])), words("note_span", span=self.span(rows))]
        if counts:
            low, high = min(counts), max(counts)
            parts.append(words("note_n", low=words.number(low), high=words.number(high)))
        if form is charts.trend and any(row["value_low"] is not None for row in rows):
            parts.append(words("note_interval"))
        if form is charts.trend and any(row["target"] is not None for row in rows):
            parts.append(words("note_target"))
        return " ".join(parts)

    def span(self, rows: Sequence[Row]) -> str:
        """From the first period to the last, in words."""
        first, last = min(rows, key=lambda r: r["period_end"]), max(rows, key=lambda r: r["period_end"])
        if first["period"] == last["period"]:
            return self.words.period(first["period"])
        return self.words("span", first=self.words.period(first["period"]), last=self.words.period(last["period"]))


def _domain(rows: Sequence[Row], form: Any) -> list[float]:
    values = [row[name] for row in rows for name in ("value", "value_low", "value_high", "target")]
    if form is charts.columns:
        return [0.0, charts.shared_domain([row["value"] for row in rows])[1]]
    return charts.shared_domain(values, ceiling=1.0 if rows[0]["unit"] == "share" else None, floor=0.0)


def _is_narrow(domain: list[float] | None) -> bool:
    return domain is None or domain[1] - domain[0] < 0.04
