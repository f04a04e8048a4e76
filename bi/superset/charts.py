"""How a chart that is declared becomes one of Superset's: its form, its SQL over a dataset, its labels and number formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bi.superset.datasets import number_format, words
from bi.superset.told import quoted, text

from crw import seeds

Declared = Mapping[str, Any]


def chart(declared: Declared, language: str) -> dict[str, Any]:
    """A chart in one language.

    Args:
        declared: its entry in `dashboards.yml`, whose head says what each key means.
        language: of `told.LANGUAGES`.
    """
    if kpis := declared.get("kpis"):
        declared = _of_kpis(declared, kpis, language)
    viz_type, form = FORMS[declared["form"]]
    where = [
        {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": condition}
        for condition in [declared.get("where"), form.get("where")]
        if condition
    ]
    params = {
        **form["params"](declared, language),
        "viz_type": viz_type,
        "adhoc_filters": where,
        "time_range": "No filter",
    }
    title = declared.get("title", form.get("title"))
    return {"slice_name": text(title, language), "viz_type": viz_type, "params": params}


def _of_kpis(declared: Declared, kpis: list[str], language: str) -> Declared:
    """A chart of the scorecard: its figures are values of KPIs, by name and in the format that seed kpi gives them."""
    rows = {row["kpi"]: row for row in seeds.rows("kpi")}
    first = rows[kpis[0]]
    names = {"en": first["name_en"], "zh": first["name_zh"] or first["name_en"]}
    chosen = f"kpi in ({', '.join(map(quoted, kpis))}) and {declared['periods']}"
    measures = [{"label": declared.get("label", names), "value": "max(value)", "format": first["number_format"]}]
    if declared.get("interval"):
        measures += [
            {"label": label, "value": f"max(value_{end})", "format": first["number_format"]}
            for end, label in INTERVAL.items()
        ]
    own = {"where": chosen, "measures": measures, "title": declared.get("title", names)}
    return {**declared, **own} if len(kpis) == 1 else {**declared, **own, "series": "name"}


INTERVAL = {
    "low": {"en": "95 % interval: from", "zh": "95%置信區間下限"},
    "high": {"en": "95 % interval: to", "zh": "95%置信區間上限"},
}
"""Superset draws no error bars, so an interval is two lines."""


def _measure(declared: Declared, language: str) -> dict[str, Any]:
    return {
        "expressionType": "SQL",
        "sqlExpression": declared["value"],
        "label": text(declared["label"], language),
        "hasCustomLabel": True,
    }


def _column(expression: str, label: str) -> dict[str, Any]:
    return {"expressionType": "SQL", "sqlExpression": expression, "label": label}


def _series(declared: Declared) -> dict[str, Any]:
    """The order of the series: bands of age from young to old, which is that of their names too, others from large to small."""
    by_name = declared.get("series") == "age_band"
    return {
        "sort_series_type": "name" if by_name else "sum",
        "sort_series_ascending": by_name,
        "legendOrientation": "top",
    }


def _format(declared: Declared) -> str:
    """The format of its first figure: what is declared, else what dbt says of the column that it is made of, else whole numbers."""
    first = declared["measures"][0]
    return first.get("format") or ("of" in first and number_format(declared["mart"], first["of"])) or ",d"


def _tile(declared: Declared, language: str) -> dict[str, Any]:
    return {
        "metric": _measure(declared["measures"][0], language),
        "y_axis_format": _format(declared),
        "subtitle": text(declared["subtitle"], language) if "subtitle" in declared else "",
        "header_font_size": 0.4,
    }


def _date(declared: Declared, language: str) -> dict[str, Any]:
    shown = {"label": {"en": "Business date", "zh": "業務日期"}, "value": "max(business_date)"}
    return {
        "metric": _measure(shown, language),
        "force_timestamp_formatting": True,
        "time_format": "%Y-%m-%d",
        "subtitle": {"en": "figures as known at its end", "zh": "數字以該日完結時所知為準"}[language],
        "header_font_size": 0.3,
    }


def _lines(declared: Declared, language: str) -> dict[str, Any]:
    is_time = declared["x"] in ("period_start", "period_end", "night")
    return {
        "x_axis": declared["x"] if is_time else _column(declared["x"], text(declared["x_label"], language)),
        "time_grain_sqla": {"night": "P1D"}.get(declared["x"], "P1M") if is_time else None,
        "metrics": [_measure(measure, language) for measure in declared["measures"]],
        "groupby": [_column(f"{declared['series']}_{language}", " ")] if "series" in declared else [],
        "y_axis_format": _format(declared),
        "x_axis_time_format": "%Y-%m-%d" if declared["x"] == "night" else "%Y-%m",
        "stack": "Stack" if declared.get("stack") else None,
        "truncateYAxis": bool(declared.get("zoom")),
        "y_axis_bounds": [None, None],
        "markerEnabled": bool(declared.get("zoom")) or not is_time,
        "show_legend": "series" in declared or len(declared["measures"]) > 1,
        "rich_tooltip": True,
        "row_limit": 10000,
        **_series(declared),
        "x_axis_sort_asc": True,
        "x_axis_sort": None if is_time else text(declared["x_label"], language),
    }


def _ranked(declared: Declared, language: str) -> dict[str, Any]:
    """Bars of a code's names, the longest first."""
    measures = [_measure(measure, language) for measure in declared["measures"]]
    return {
        "x_axis": _column(f"{declared['x']}_{language}", text(declared["x_label"], language)),
        "metrics": measures,
        "groupby": [_column(f"{declared['series']}_{language}", " ")] if "series" in declared else [],
        "stack": "Stack" if "series" in declared else None,
        "orientation": "horizontal",
        "x_axis_sort": measures[0]["label"],
        "x_axis_sort_asc": True,
        "y_axis_format": _format(declared),
        "show_legend": "series" in declared or len(measures) > 1,
        "show_value": "series" not in declared,
        "row_limit": 25,
        "order_desc": True,
        **_series(declared),
    }


def _table(declared: Declared, language: str) -> dict[str, Any]:
    """A table of texts and figures, in the order that is declared."""
    told = words(declared.get("mart", "kpi_scorecard"))
    texts = [
        _column(told.get(name := column["value"].format(language=language), name), text(column["label"], language))
        for column in declared["columns"]
    ]
    order = {"expressionType": "SQL", "sqlExpression": declared["order"], "label": "order", "hasCustomLabel": True}
    measures = [_measure(measure, language) for measure in declared.get("measures", ())]
    return {
        "query_mode": "aggregate",
        "groupby": texts,
        "metrics": measures,
        "timeseries_limit_metric": order,
        "order_desc": False,
        "row_limit": declared.get("limit", 1000),
        "show_cell_bars": False,
        "color_pn": False,
        "table_timestamp_format": "%Y-%m-%d",
        "column_config": {
            text(measure["label"], language): {"d3NumberFormat": _format({**declared, "measures": [measure]})}
            for measure in declared.get("measures", ())
        },
    }


def _headlines(declared: Declared, language: str) -> dict[str, Any]:
    """All KPIs of some areas: figure, change and what it is worth, target."""
    headings = {
        "name_{language}": "kpi_head",
        "period_{language}": {"en": "Period", "zh": "期間"},
        "value_shown": "value",
        "interval_{language}": "interval_head",
        "change_{language}": "change_head",
        "worth_{language}": "worth_head",
        "target_{language}": {"en": "Target", "zh": "目標"},
    }
    columns = [{"value": value, "label": label} for value, label in headings.items()]
    return _table({**declared, "columns": columns, "order": "min(sort_order)"}, language)


FORMS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "date": ("big_number_total", {"params": _date, "title": {"en": "Business date", "zh": "業務日期"}}),
    "tile": ("big_number_total", {"params": _tile}),
    "line": ("echarts_timeseries_line", {"params": _lines}),
    "bars": ("echarts_timeseries_bar", {"params": _lines}),
    "ranked": ("echarts_timeseries_bar", {"params": _ranked}),
    "table": ("table", {"params": _table}),
    "headlines": ("table", {"params": _headlines, "where": "is_headline", "title": "scorecard"}),
}
"""The forms that a chart may have: Superset's name of each, and what makes it."""
