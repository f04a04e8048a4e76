"""The figures that pages show, each from its mart: what is drawn, said in words, and laid out as a table. A figure without data is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from crw import seeds
from crw.report import blocks, charts
from crw.report.blocks import Block
from crw.report.marts import Marts, Row
from crw.report.words import Words

KEPT = "kpi name_en name_zh period_basis period period_start period_end value numerator denominator value_low value_high target".split()
"""The columns of the scorecard that a figure's file of data has."""

SHOWN = 12
"""Bars of a ranking; its table has all."""


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
        found = [self._rows(kpi, *bases, last=last) for kpi in kpis]
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

    def complaints(self, last: int = 36) -> list[Block]:
        """Complaints by month and their mean of twelve months."""
        months = self._rows("complaints", "month", last=last)
        if not any(row["value"] is not None for row in months):
            return []
        rolling = {row["period_end"]: row for row in self.marts.series("complaints", "rolling_12_months")}
        means = [_share(rolling.get(row["period_end"], {}).get("value"), 12) for row in months]
        rows = [
            {"label": row["period"], "value": row["value"], "mean": mean}
            for row, mean in zip(months, means, strict=True)
        ]
        spec = charts.columns(rows, ",d")
        words = self.words
        described = words(
            "complaints_alt", first=words.period(months[0]["period"]), last=words.period(months[-1]["period"]),
            value=words.number(months[-1]["value"]), mean=words.number(means[-1], ",.1f"),
        )  # fmt: skip
        data = blocks.table(
            words("complaints_by_month"),
            [words("month_head"), words("received"), words("mean_12")],
            [
                [words.period(row["period"]), words.number(row["value"]), words.number(mean, ",.1f")]
                for row, mean in zip(months, means, strict=True)
            ],
        )
        csv = [
            {column: row[column] for column in KEPT} | {"mean_12_months": mean}
            for row, mean in zip(months, means, strict=True)
        ]
        note = words(
            "complaints_note", n=words.number(sum(row["value"] or 0 for row in months)), span=self._span(months)
        )
        panel = blocks.panel(spec, words.name(months[0]), described)
        return [blocks.figure("complaints_by_month", words("complaints_by_month"), note, [panel], data, csv)]

    def issues(self) -> list[Block]:
        """What complaints of which service are about, the most frequent, beside the year before."""
        return self._ranked(
            "issues", "kpi_feedback", ("service", "service_code"), ("issue", "issue_code"), "level = 'issue'"
        )

    def districts(self) -> list[Block]:
        """Where complaints come from, beside the year before."""
        of_districts = "dimension = 'district'"
        return self._ranked(
            "districts", "kpi_feedback_by_dimension", ("district", "dimension_value"), None, of_districts
        )

    def backlog(self) -> list[Block]:
        """Cases open by age, at the end of the newest day that is known, beside the same a year before."""
        rows = self.marts.rows(
            "select as_of_date, age_band, sum(open_cases) as open_cases from marts.kpi_feedback_backlog "
            "where period_basis = 'month' and age_band <> 'all' and as_of_date <= %s group by 1, 2 order by 1, min(age_band)",
            [self.until],
        )
        if not rows:
            return []
        words, newest = self.words, rows[-1]["as_of_date"]
        before = {row["age_band"]: row["open_cases"] for row in rows if row["as_of_date"] == _year_before(newest)}
        bands = [
            {"label": words("band", band=row["age_band"].replace("over ", ">")), "value": row["open_cases"],
             "before": before.get(row["age_band"])}
            for row in sorted((row for row in rows if row["as_of_date"] == newest), key=lambda row: _first(row["age_band"]))
        ]  # fmt: skip
        told = "; ".join(f"{band['label']}: {words.number(band['value'])}" for band in bands)
        data = blocks.table(
            words("backlog"),
            [words("age"), words("open_now"), words("year_before")],
            [[band["label"], words.number(band["value"]), words.number(band["before"])] for band in bands],
        )
        note = words("backlog_note", day=words.day(newest), n=words.number(sum(band["value"] for band in bands)))
        panel = blocks.panel(charts.ranked(bands), words("all_kinds"), told)
        return [blocks.figure("backlog", words("backlog"), note, [panel], data, rows)]

    def clubs(self) -> list[Block]:
        """The members of each club at the end of the newest month."""
        rows = self.marts.rows(
            "select club_code, period, members, members_change_pct from marts.kpi_membership where period_basis = 'month' "
            "and is_complete and period_end <= %s and club_code <> 'any' and members > 0 order by period_start desc, club_code",
            [self.until],
        )
        words = self.words
        newest = [row for row in rows if row["period"] == rows[0]["period"]]
        if not newest:
            return []
        lines = [
            [
                words.code("club", row["club_code"]),
                words.number(row["members"]),
                words("unknown")
                if (change := row["members_change_pct"]) is None
                else words.amount(change, "pct", "+,.1f"),
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
                panels.append(blocks.panel(charts.trend(of_kind, ".1%"), name, self._told(name, of_kind, ".1%")))
        if not panels:
            return []
        data = blocks.table(
            words("campaign_response"),
            [words("kind_and_year"), words("value"), words("interval_head"), words("n")],
            [
                [f"{words.code('campaign_kind', row['kind_code'])}, {words.period(row['period'])}",
                 words.number(row["response_share"], ".1%"),
                 words.interval({**row, "value_low": row["response_low"], "value_high": row["response_high"], "number_format": ".1%"}, "value"),
                 words.number(row["contacted"])]
                for row in rows
            ],
        )  # fmt: skip
        note = words("campaign_note", n=words.number(sum(row["contacted"] for row in rows)), span=self._span(rows))
        return [blocks.figure("campaign_response", words("campaign_response"), note, panels, data, rows)]

    def _rows(self, kpi: str, *bases: str, last: int) -> list[Row]:
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
        parts = [words("note_unit", unit=words.unit(rows[0]["unit"])), words("note_span", span=self._span(rows))]
        if counts:
            low, high = min(counts), max(counts)
            parts.append(words("note_n", low=words.number(low), high=words.number(high)))
        if form is charts.trend and any(row["value_low"] is not None for row in rows):
            parts.append(words("note_interval"))
        if form is charts.trend and any(row["target"] is not None for row in rows):
            parts.append(words("note_target"))
        return " ".join(parts)

    def _span(self, rows: Sequence[Row]) -> str:
        first, last = min(rows, key=lambda r: r["period_end"]), max(rows, key=lambda r: r["period_end"])
        if first["period"] == last["period"]:
            return self.words.period(first["period"])
        return self.words("span", first=self.words.period(first["period"]), last=self.words.period(last["period"]))

    def _ranked(
        self, name: str, mart: str, outer: tuple[str, str], inner: tuple[str, str] | None, where: str
    ) -> list[Block]:
        """Complaints of the newest whole quarter, or of the year that ends with it, by one code or two: (list, column) each."""
        codes = [outer, *([inner] if inner else [])]
        columns = ", ".join(column for _, column in codes)
        found = self.marts.rows(
            f"with newest as (select period_basis, period from marts.{mart} where is_complete and period_end <= %(until)s "
            "and period_basis in ('fiscal_quarter', 'fiscal_year') order by period_end desc, period_start limit 1) "
            f"select {columns}, period, period_end, sum(received)::int as received, "
            "case when count(*) = count(received_year_before) then sum(received_year_before)::int end as received_year_before, "
            # Of several kinds that count as complaints no mart knows the interval together.
            "case when count(*) = 1 then min(received_change_low_pct) end as change_low, "
            "case when count(*) = 1 then min(received_change_high_pct) end as change_high, "
            "case when count(*) = 1 then bool_and(is_change_significant) end as is_change_significant "
            f"from marts.{mart} join newest using (period_basis, period) where {where} and kind = any (%(kinds)s) "
            f"group by {columns}, period, period_end order by sum(received) desc, {columns}",
            {"until": self.until, "kinds": list(seeds.code_list("kind").concepts.get("complaint", ()))},
        )
        rows = [row for row in found if row["received"] or row["received_year_before"]]
        rows.sort(key=lambda row: row[codes[-1][1]] == "not_stated")  # what is not known comes last, however much it is
        if not rows:
            return []
        words, period = self.words, self.words.period(rows[0]["period"])
        bars = [
            {
                "label": words("colon").join(words.code(list_name, row[column]) for list_name, column in codes),
                "value": row["received"],
                "before": row["received_year_before"],
                "low": _of_count(row["received_year_before"], row["change_low"]),
                "high": _of_count(row["received_year_before"], row["change_high"]),
            }
            for row in rows
        ]
        data = blocks.table(
            words(name),
            [words(f"{name}_head"), words("received"), words("year_before"), words("worth_head")],
            [
                [bar["label"], words.number(bar["value"]), words.number(bar["before"]), self._worth(row)]
                for bar, row in zip(bars, rows, strict=True)
            ],
        )
        changed = [bar["label"] for bar, row in zip(bars, rows, strict=True) if row["is_change_significant"]]
        verdict = words("ranked_changed", names=words("comma").join(changed)) if changed else words("ranked_calm")
        most = words("ranked_alt", name=bars[0]["label"], value=words.number(bars[0]["value"]), period=period)
        shown = words("ranked_shown", n=SHOWN) if len(bars) > SHOWN else ""
        note = words("ranked_note", period=period, n=words.number(sum(row["received"] for row in rows)), shown=shown)
        panel = blocks.panel(charts.ranked(bars[:SHOWN]), period, f"{most} {verdict}")
        return [blocks.figure(name, words(name), f"{note} {verdict}", [panel], data, rows)]

    def _worth(self, row: Row) -> str:
        if row["is_change_significant"] is None:
            return ""
        return self.words("more_than_noise" if row["is_change_significant"] else "may_be_noise")


def _domain(rows: Sequence[Row], form: Any) -> list[float]:
    values = [row[name] for row in rows for name in ("value", "value_low", "value_high", "target")]
    if form is charts.columns:
        return [0.0, charts.shared_domain([row["value"] for row in rows])[1]]
    return charts.shared_domain(values, ceiling=1.0 if rows[0]["unit"] == "share" else None, floor=0.0)


def _is_narrow(domain: list[float] | None) -> bool:
    return domain is None or domain[1] - domain[0] < 0.04


def _of_count(before: int | None, change_pct: Decimal | None) -> Decimal | None:
    """The count that a bound of a change means."""
    return None if before is None or change_pct is None else before * (1 + change_pct / 100)


def _share(value: Decimal | None, parts: int) -> Decimal | None:
    return None if value is None else value / parts


def _year_before(day: date) -> date:
    """The same day a year before, or the last of its month: the ends of months are compared."""
    return day.replace(year=day.year - 1) if (day.month, day.day) != (2, 29) else day.replace(year=day.year - 1, day=28)


def _first(band: str) -> int:
    """What an age band begins with: '31-90' 31, 'over 90' 90."""
    return int("".join(part for part in band.partition("-")[0] if part.isdigit()) or 0)
