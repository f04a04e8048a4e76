"""The assets that Superset imports, made of `dashboards.yml` and the marts' metadata: database, datasets, charts, dashboards.

Each dashboard is made twice, in English and in Traditional Chinese. Identities follow from names, so that a second import
finds what the first one made.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml
from bi.superset import charts
from bi.superset.datasets import dataset
from bi.superset.told import LANGUAGES, text

from crw import seeds

DECLARATION = Path(__file__).with_name("dashboards.yml")
VERSION = {"version": "1.0.0"}
DATABASE = "databases/warehouse.yaml"
"""Where the bundle has the database: Superset takes its password by this name."""

MASK = "X" * 10
"""What stands in its address for the password: without it Superset forgets the one that it was given."""

Bundle = dict[str, dict[str, Any]]


def declaration() -> dict[str, Any]:
    """What `dashboards.yml` says."""
    return yaml.safe_load(DECLARATION.read_text(encoding="utf-8"))


def identity(*names: str) -> str:
    """The UUID of an asset."""
    return str(uuid5(NAMESPACE_URL, "/".join(("crw", *names))))


def bundle(address: str) -> Bundle:
    """Every asset by its place in the bundle.

    Args:
        address: SQLAlchemy URL of the warehouse as crw_dashboard, `MASK` for the password.
    """
    declared = declaration()
    files: Bundle = {
        "metadata.yaml": {"type": "assets", **VERSION},
        DATABASE: {
            "database_name": "Customer Relations Warehouse",
            "sqlalchemy_uri": address,
            "expose_in_sqllab": True,
            "allow_dml": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_csv_upload": False,
            "allow_run_async": False,
            "extra": {"allows_virtual_table_explore": True},
            "uuid": identity("database"),
            **VERSION,
        },
    }
    for mart, entry in declared["datasets"].items():
        files[f"datasets/warehouse/{mart}.yaml"] = {
            **dataset(mart, entry or {}),
            "schema": "marts",
            "uuid": identity("dataset", mart),
            "database_uuid": identity("database"),
            **VERSION,
        }
    for name, entry in declared["dashboards"].items():
        for language in LANGUAGES:
            files |= _dashboard(name, entry, language)
    return files


def _dashboard(name: str, entry: Mapping[str, Any], language: str) -> Bundle:
    """A dashboard in one language, with its charts."""
    date = {"business_date": {"form": "date", "mart": entry["date_of"], "width": 2}}
    rows = [dict(row) for row in entry["rows"]]
    rows[0] = {**rows[0], "charts": {**date, **rows[0]["charts"]}}
    files, numbers = {}, itertools.count(1)
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "children": [], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": text(entry["title"], language)}},
    }
    unfiltered = []
    for index, row in enumerate(rows):
        parents = ["ROOT_ID", "GRID_ID"]
        children = []
        for key, chart in row["charts"].items():
            number, uuid = next(numbers), identity("chart", name, key, language)
            made = charts.chart(chart, language)
            mart = chart.get("mart", "kpi_scorecard")
            files[f"charts/{name}.{key}.{language}.yaml"] = {
                **made,
                "uuid": uuid,
                "dataset_uuid": identity("dataset", mart),
                **VERSION,
            }
            children.append(f"CHART-{key}")
            meta = {"chartId": number, "uuid": uuid, "width": chart["width"], "height": row["height"]}
            position[f"CHART-{key}"] = {
                "id": f"CHART-{key}",
                "type": "CHART",
                "children": [],
                "parents": [*parents, f"ROW-{index}"],
                "meta": {**meta, "sliceName": made["slice_name"]},
            }
            if mart != entry.get("filtered") or chart["form"] == "date":
                unfiltered.append(number)
        position["GRID_ID"]["children"].append(f"ROW-{index}")
        position[f"ROW-{index}"] = {
            "id": f"ROW-{index}",
            "type": "ROW",
            "children": children,
            "parents": parents,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    filters = [_filter(entry["filtered"], column, language, unfiltered) for column in entry.get("filters", ())]
    files[f"dashboards/{name}.{language}.yaml"] = {
        "dashboard_title": text(entry["title"], language),
        "slug": name.replace("_", "-") + ("" if language == "en" else f"-{language}"),
        "published": True,
        "position": position,
        "metadata": {
            "native_filter_configuration": filters,
            "color_scheme": "supersetColors",
            "cross_filters_enabled": False,
            "refresh_frequency": 0,
        },
        "uuid": identity("dashboard", name, language),
        **VERSION,
    }
    return files


def _filter(mart: str, column: str, language: str, unfiltered: list[int]) -> dict[str, Any]:
    """A filter by a code's names, on the charts of one mart; nothing is chosen until a reader chooses."""
    return {
        "id": f"NATIVE_FILTER-{column}",
        "name": _dimension(column, language),
        "filterType": "filter_select",
        "type": "NATIVE_FILTER",
        "targets": [{"datasetUuid": identity("dataset", mart), "column": {"name": f"{column}_{language}"}}],
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": unfiltered},
        "controlValues": {
            "multiSelect": True,
            "enableEmptyFilter": False,
            "defaultToFirstItem": False,
            "inverseSelection": False,
            "searchAllOptions": False,
        },
        "description": "",
    }


def _dimension(column: str, language: str) -> str:
    if column == "source":
        return text("health_head_source", language)
    row = next(row for row in seeds.rows("word") if (row["list"], row["code"]) == ("dimension", column))
    return row[f"name_{language}"] or row["name_en"]
