"""The assets that Superset is given, as they are made: without Superset and without a database."""

from __future__ import annotations

import json
import re

import pytest
from bi.superset import __main__ as dashboards
from bi.superset import assets, charts, datasets
from bi.superset.told import LANGUAGES

from crw import seeds

SQL_WORDS = {
    *(
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "case",
        "when",
        "then",
        "else",
        "end",
        "filter",
        "where",
        "array",
        "numeric",
    ),
    *(
        "sum",
        "max",
        "min",
        "nullif",
        "coalesce",
        "replace",
        "to_char",
        "regexp_replace",
        "text",
        "date",
        "true",
        "extract",
    ),
    *("epoch", "from"),
}


@pytest.fixture(scope="module")
def files():
    return assets.bundle("postgresql+psycopg2://crw_dashboard:XXXXXXXXXX@127.0.0.1:1/warehouse")


def of(files, folder):
    return {path: content for path, content in files.items() if path.startswith(f"{folder}/")}


def expressions(value):
    """Every piece of SQL in a chart, and the columns that it names plainly."""
    if isinstance(value, dict):
        if "sqlExpression" in value:
            yield value["sqlExpression"]
        for entry in value.values():
            yield from expressions(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from expressions(entry)


def test_there_are_five_dashboards_in_two_languages_and_each_asset_has_an_identity_of_its_own(files):
    titles = {content["dashboard_title"] for content in of(files, "dashboards").values()}
    assert {"Service quality", "Satisfaction", "Clubs and engagement", "Liaison and campaigns", "Data health"} < titles
    assert len(titles) == 10
    identities = [content["uuid"] for content in files.values() if "uuid" in content]
    assert len(identities) == len(set(identities))
    assert files == json.loads(json.dumps(assets.bundle(files[assets.DATABASE]["sqlalchemy_uri"])))


def test_each_chart_names_columns_that_its_dataset_has(files):
    columns = {
        content["uuid"]: {column["column_name"] for column in content["columns"]} | set()
        for content in of(files, "datasets").values()
    }
    for path, chart in of(files, "charts").items():
        known = columns[chart["dataset_uuid"]]
        params = chart["params"]
        plain = [params["x_axis"]] if isinstance(params.get("x_axis"), str) else []
        for expression in [*expressions(params), *plain]:
            bare = re.sub(r"'(?:[^']|'')*'", "", expression).replace("::", " ")
            assert set(re.findall(r"[a-z_]\w*", bare)) <= known | SQL_WORDS, path


def test_a_dataset_reads_one_mart_and_names_and_lists_each_column_once(files):
    for path, content in of(files, "datasets").items():
        names = [column["column_name"] for column in content["columns"]]
        assert len(names) == len(set(names)), path
        assert (
            re.findall(r"(?:from|join) (\S+)", content["sql"].replace("\n", " "))[0] == f"marts.{content['table_name']}"
        )
        assert set(re.findall(r"join (\S+)", content["sql"])) <= {"marts.code_name"}
        assert "customer_360" not in content["sql"]


def test_no_year_stands_in_a_dashboard_and_no_code_of_a_place_or_product(files):
    shown = assets.DECLARATION.read_text(encoding="utf-8")
    assert not re.search(r"\b(19|20)\d\d\b", shown)
    districts = {row["district_code"] for row in seeds.rows("district")}
    assert not districts & set(re.findall(r"\b[A-Z]{1,3}\b", re.sub(r"\bKPIs?\b|\bSQL\b", "", shown)))
    for content in of(files, "charts").values():
        grouped = [column["sqlExpression"] for column in content["params"].get("groupby", ())]
        assert [
            name for name in grouped if name.endswith("_code") or name in ("kind", "dimension_value", "measure")
        ] == []


def test_what_is_shown_is_in_the_language_of_the_dashboard(files):
    for path, content in of(files, "charts").items():
        chinese = re.search("[\u4e00-\u9fff]", content["slice_name"])
        assert bool(chinese) == path.endswith(".zh.yaml"), path


def test_each_text_is_whole_in_both_languages():
    """A comma that is not quoted cuts a text in YAML, and makes a key of its rest."""

    def texts(value):
        if isinstance(value, dict) and "en" in value:
            yield value
        elif isinstance(value, dict | list):
            for entry in value.values() if isinstance(value, dict) else value:
                yield from texts(entry)

    found = list(texts(assets.declaration()))
    assert found and [entry for entry in found if set(entry) != {"en", "zh"}] == []


def test_every_dashboard_shows_the_business_date_and_has_no_filter_that_is_chosen_before_a_reader_chooses(files):
    for content in of(files, "dashboards").values():
        assert "CHART-business_date" in content["position"]["ROW-0"]["children"]
        for entry in content["metadata"]["native_filter_configuration"]:
            assert entry["defaultDataMask"]["filterState"] == {} and not entry["controlValues"]["defaultToFirstItem"]


def test_a_rows_charts_fit_into_its_twelve_columns(files):
    for path, content in of(files, "dashboards").items():
        for row in (
            entry for entry in content["position"].values() if isinstance(entry, dict) and entry["type"] == "ROW"
        ):
            assert sum(content["position"][chart]["meta"]["width"] for chart in row["children"]) <= 12, path


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_figure_has_the_name_and_format_that_the_seed_gives_its_kpi(language):
    declared = {"form": "tile", "kpis": ["churn_share"], "periods": "is_headline"}
    row = next(row for row in seeds.rows("kpi") if row["kpi"] == "churn_share")
    made = charts.chart(declared, language)
    assert (made["slice_name"], made["params"]["y_axis_format"]) == (row[f"name_{language}"], row["number_format"])


def test_a_column_has_the_format_that_dbt_declares(monkeypatch):
    column = {"name": "received", "data_type": "integer", "config": {"meta": {"format": ",.1f"}}}
    monkeypatch.setattr(datasets, "declared", lambda mart: {"received": column})
    assert datasets.number_format("feedback_cube", "received") == ",.1f"


def test_the_marts_of_a_deployment_are_read_where_its_connection_says_and_no_asset_has_its_password(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MARTS", "postgresql://crw_dashboard:p%40ss@warehouse.example.com:5433/warehouse")
    assert dashboards.marts().password == "p@ss"
    address = dashboards.warehouse_address()
    assert address == f"postgresql+psycopg2://crw_dashboard:{assets.MASK}@warehouse.example.com:5433/warehouse"
    assert not re.search("p(@|%40)ss", json.dumps(assets.bundle(address)))
