"""What Superset knows of a mart: its columns as dbt describes them, and beside each code its name in either language.

The YAML of dbt is read, and the seeds; nothing is asked of a database, so that the assets are the same before any night.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml
from bi.superset.told import LANGUAGES, TOLD, quoted
from psycopg import sql

from crw import mart_columns, seeds, settings


@cache
def marts() -> dict[str, dict[str, Any]]:
    """Each mart's entry in dbt's YAML, by name."""
    files = sorted((settings.DBT_PROJECT / "models" / "marts").rglob("_*.yml"))
    models = (
        model
        for path in files
        for model in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader).get("models", ())
    )
    return {model["name"]: model for model in models}


def declared(mart: str) -> dict[str, dict[str, Any]]:
    """The columns of a published mart, by name: those of its YAML, and those that publishing adds."""
    columns = {column["name"]: column for column in marts()[mart]["columns"]}
    lists = {name: codes for name, column in columns.items() if (codes := _meta(column).get("codes"))}
    added = mart_columns.added_columns(list(columns), sql.SQL("null"), lists)
    return columns | {
        name: {"name": name, "data_type": data_type, "description": description}
        for name, (data_type, _, description) in added.items()
    }


def number_format(mart: str, column: str) -> str | None:
    """How a column's figures are shown, as d3-format writes it: what dbt's `meta` says of it; none where it says nothing."""
    return _meta(declared(mart)[column]).get("format")


def _meta(column: Mapping[str, Any]) -> dict[str, str]:
    return {**column.get("meta", {}), **column.get("config", {}).get("meta", {})}


def dataset(mart: str, declaration: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset of a mart: its rows, the names of their codes, and what the declaration adds.

    Args:
        mart: its name.
        declaration: `lists`, the list of each column whose name does not tell it; `adds`, columns by their SQL over the mart `m`.
    """
    columns = declared(mart)
    named = dict(_named(mart, declaration.get("lists", {})))
    added = declaration.get("adds", {})
    names = [
        f"coalesce({f'nullif({name}.name_zh, {quoted()}), ' if language == 'zh' else ''}{name}.name_en, m.{column}) as {name}_{language}"
        for name, (column, _) in named.items()
        for language in LANGUAGES
    ]
    joins = [
        f"left join marts.code_name as {name} on {name}.list = {code_list} and {name}.code = m.{column}"
        for name, (column, code_list) in named.items()
    ]
    query = (
        "select\n    "
        + ",\n    ".join(["m.*", *names, *(f"{value.strip()} as {name}" for name, value in added.items())])
        + "\n"
        + "\n".join([f"from marts.{mart} as m", *joins])
    )
    shown = [_column(entry["name"], entry["data_type"], entry.get("description", "")) for entry in columns.values()]
    shown += [
        _column(f"{name}_{language}", "text", f"Name of {column} in {'English' if language == 'en' else 'Chinese'}.")
        for name, (column, _) in named.items()
        for language in LANGUAGES
    ]
    shown += [_column(name, "boolean", "") for name in added]
    # Expressions of a column, not of the query: Superset parses the whole query each time, and these are long.
    shown += [{**_column(name, "text", ""), "expression": told} for name, told in words(mart).items()]
    return {
        "table_name": mart,
        "description": " ".join(marts()[mart]["description"].split()),
        "main_dttm_col": next((name for name in ("period_start", "night") if name in columns), None),
        "sql": query,
        "columns": shown,
        "metrics": list(_metrics(mart, columns)),
    }


@cache
def words(mart: str) -> dict[str, str]:
    """What a mart's rows are told in, by column name: SQL over its dataset."""
    return TOLD.get(mart, dict)()


def _column(name: str, data_type: str, description: str) -> dict[str, Any]:
    return {
        "column_name": name,
        "verbose_name": name.removesuffix("_code").replace("_", " ").capitalize(),
        "type": data_type.upper(),
        "is_dttm": data_type == "date",
        "groupby": True,
        "filterable": True,
        "description": " ".join(description.split()),
    }


def _metrics(mart: str, columns: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Sums of the counts of a mart; a share is no sum, so whoever charts one divides two."""
    for column in columns.values():
        if column["data_type"] in ("integer", "bigint"):
            yield {
                "metric_name": f"sum_{column['name']}",
                "verbose_name": column["name"].replace("_", " ").capitalize(),
                "expression": f"sum({column['name']})",
                "description": " ".join(column["description"].split()),
                "d3format": number_format(mart, column["name"]) or ",d",
            }


def _named(mart: str, lists: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """The columns of codes, by what their names are called: the column, and in SQL the list that it is of."""
    known = {row["list"] for row in seeds.rows("list") + seeds.rows("word")}
    for column in declared(mart):
        name = column.removesuffix("_code")
        if column in lists or name in known:
            yield name, (column, quoted(lists.get(column, name)))
        elif column == "dimension_value":
            segment = "case m.dimension when 'segment' then 'respondent_segment' else m.dimension end"
            yield "dimension_value", (column, segment)
