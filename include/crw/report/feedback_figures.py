"""The figures of feedback: complaints by month, by issue and district beside the year before, and what is open by age."""

from __future__ import annotations

from decimal import Decimal

from crw.report import blocks, charts
from crw.report.blocks import Block
from crw.report.figures import KEPT, Figures
from crw.report.marts import Row
from crw.report.words import Words

SHOWN = 12
"""Bars of a ranking; its table has all."""


def complaints(figures: Figures, last: int = 36) -> list[Block]:
    """Complaints by month and their mean of twelve months."""
    months = figures.rows_of("complaints", "month", last=last)
    if not any(row["value"] is not None for row in months):
        return []
    rolling = {row["period_end"]: row for row in figures.marts.series("complaints", "rolling_12_months")}
    means = [_share(rolling.get(row["period_end"], {}).get("value"), 12) for row in months]
    rows = [
        {"label": row["period"], "value": row["value"], "mean": mean} for row, mean in zip(months, means, strict=True)
    ]
    spec = charts.columns(rows, ",d")
    words = figures.words
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
    note = words("complaints_note", n=words.number(sum(row["value"] or 0 for row in months)), span=figures.span(months))
    panel = blocks.panel(spec, words.name(months[0]), described)
    return [blocks.figure("complaints_by_month", words("complaints_by_month"), note, [panel], data, csv)]


def issues(figures: Figures) -> list[Block]:
    """What complaints of which service are about, the most frequent, beside the year before."""
    return _ranked(
        figures, "issues", "kpi_feedback", ("service", "service_code"), ("issue", "issue_code"), "level = 'issue'"
    )


def districts(figures: Figures) -> list[Block]:
    """Where complaints come from, beside the year before."""
    of_districts = "dimension = 'district'"
    return _ranked(
        figures, "districts", "kpi_feedback_by_dimension", ("district", "dimension_value"), None, of_districts
    )


def backlog(figures: Figures) -> list[Block]:
    """Cases open by age, at the end of the newest day that is known, beside the same a year before."""
    rows = figures.marts.rows(
        "select period_start, as_of_date, is_complete, age_band, sum(open_cases) as open_cases from marts.kpi_feedback_backlog "
        "join marts.code_name on list = 'age_band' and code = age_band where period_basis = 'month' and age_band <> 'all' "
        "and as_of_date <= %s group by 1, 2, 3, 4 order by 1, min(sort_order)",
        [figures.until],
    )
    if not rows:
        return []
    words, newest = figures.words, rows[-1]
    start = newest["period_start"].replace(year=newest["period_start"].year - 1)
    # A month that still runs ends on another day than the one of the year before.
    before = {
        row["age_band"]: row["open_cases"] for row in rows if row["period_start"] == start and newest["is_complete"]
    }
    bands = [
        {
            "label": words.code("age_band", row["age_band"]),
            "value": row["open_cases"],
            "before": before.get(row["age_band"]),
        }
        for row in rows
        if row["period_start"] == newest["period_start"]
    ]
    told = "; ".join(f"{band['label']}: {words.number(band['value'])}" for band in bands)
    data = blocks.table(
        words("backlog"),
        [words("age"), words("open_now"), words("year_before")],
        [[band["label"], words.number(band["value"]), words.number(band["before"])] for band in bands],
    )
    note = words(
        "backlog_note", day=words.day(newest["as_of_date"]), n=words.number(sum(band["value"] for band in bands))
    )
    panel = blocks.panel(charts.ranked(bands), words("all_kinds"), told)
    return [blocks.figure("backlog", words("backlog"), note, [panel], data, rows)]


def _ranked(
    figures: Figures, name: str, mart: str, outer: tuple[str, str], inner: tuple[str, str] | None, where: str
) -> list[Block]:
    """Complaints of the newest whole quarter, or of the year that ends with it, by one code or two: (list, column) each."""
    codes = [outer, *([inner] if inner else [])]
    columns = ", ".join(column for _, column in codes)
    found = figures.marts.rows(
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
        {"until": figures.until, "kinds": figures.marts.codes("kind", "complaint")},
    )
    rows = [row for row in found if row["received"] or row["received_year_before"]]
    rows.sort(key=lambda row: row[codes[-1][1]] == "not_stated")  # what is not known comes last, however much it is
    if not rows:
        return []
    words, period = figures.words, figures.words.period(rows[0]["period"])
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
            [bar["label"], words.number(bar["value"]), words.number(bar["before"]), _worth(words, row)]
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


def _worth(words: Words, row: Row) -> str:
    if row["is_change_significant"] is None:
        return ""
    return words("more_than_noise" if row["is_change_significant"] else "may_be_noise")


def _of_count(before: int | None, change_pct: Decimal | None) -> Decimal | None:
    """The count that a bound of a change means."""
    return None if before is None or change_pct is None else before * (1 + change_pct / 100)


def _share(value: Decimal | None, parts: int) -> Decimal | None:
    return None if value is None else value / parts
