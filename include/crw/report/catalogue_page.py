"""The KPI catalogue as a page: every KPI with what it is made of, every mart with its columns, from dbt's manifest."""

from __future__ import annotations

import re
from typing import Any

import jinja2

from crw import catalogue, seeds
from crw.report.words import Words


def page(manifest: dict[str, Any], words: Words) -> dict[str, Any]:
    """What the page says, as plain data. Names are in both languages; definitions in that of the project's YAML."""
    marts = catalogue.marts_of(manifest)
    made = made_of(manifest)
    columns = {
        (mart["name"], name): column["description"] for mart in marts for name, column in mart["columns"].items()
    }
    kpis = sorted(seeds.rows("kpi"), key=lambda row: int(row["sort_order"]))
    return {
        "name": "catalogue",
        "title": words("catalogue"),
        "lead": words("index_catalogue"),
        "areas": [
            {
                "id": area,
                "title": words.code("kpi_area", area),
                "kpis": [_kpi(kpi, made.get(kpi["kpi"]), columns, words) for kpi in kpis if kpi["area"] == area],
            }
            for area in dict.fromkeys(kpi["area"] for kpi in kpis)
        ],
        "marts": [_mart(mart) for mart in marts],
    }


def _kpi(
    kpi: dict[str, str], made: dict[str, Any] | None, columns: dict[tuple[str, str], str], words: Words
) -> dict[str, Any]:
    told = {
        "kpi": kpi["kpi"],
        "name_en": kpi["name_en"],
        "name_zh": kpi["name_zh"],
        "unit": words.code("unit", kpi["unit"]),
    }
    told["good"] = words(f"good_{kpi['good_direction']}")
    told["targets"] = [row for row in seeds.rows("kpi_target") if row["kpi"] == kpi["kpi"]]
    if made is None:  # a line of the operator's that no mart knows
        return told | {"mart": "", "formula": "", "rows": "", "terms": []}
    formula = made["numerator"] if made["denominator"] == "null" else f"({made['numerator']}) / ({made['denominator']})"
    named = dict.fromkeys(re.findall(r"\bmart\.(\w+)", formula))
    terms = [(name, columns[made["mart"], name]) for name in named if (made["mart"], name) in columns]
    formula, rows = formula.replace("mart.", ""), made["rows"].replace("mart.", "")
    return told | {"mart": made["mart"], "formula": formula, "rows": rows, "terms": terms}


def _mart(mart: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": mart["name"],
        "description": mart["description"],
        "key": catalogue.key_of(mart),
        "columns": [
            (name, column["data_type"], catalogue.unit_of(column), column["description"])
            for name, column in mart["columns"].items()
        ],
    }


def made_of(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each KPI of the scorecard is made of, told by the macro that makes it."""
    told: list[dict[str, Any]] = []
    macro = manifest["macros"]["macro.crw.scorecard_marts"]["macro_sql"]
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.globals |= {
        "return": lambda marts: told.extend(marts) or "",
        "codes_of": lambda name, concept: f"what counts as {concept}",
    }
    environment.from_string(macro + "{{ scorecard_marts() }}").render()
    return {
        kpi: {
            "mart": mart["mart"],
            "numerator": numerator,
            "denominator": denominator,
            "rows": " and ".join(condition for condition in (mart["rows"], condition) if condition != "true"),
        }
        for mart in told
        for kpi, condition, numerator, denominator, _ in mart["kpis"]
    }
