"""What people read about the KPIs is what the project says, and needs no network."""

from __future__ import annotations

import json
import re

import pytest

from crw import catalogue, publish
from crw.settings import PROJECT

# What makes a browser fetch something: elements that load, and styles that import. A link to click on is none.
LOADS = re.compile(
    r"<(?:script|img|iframe|link|source|object|embed)\b[^>]*(?:src|href|data)\s*=\s*[\"']?(?:https?:)?//[^>]*>"
    r"|@import\s+(?:url\()?[\"']?(?:https?:)?//|url\(\s*[\"']?(?:https?:)?//[^)]*\)",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crw.settings.HOME", tmp_path_factory.mktemp("home"))
        yield catalogue.manifest()


def test_the_page_is_the_one_made_from_the_project(manifest):
    assert catalogue.PAGE.read_text(encoding="utf-8") == catalogue.page(manifest), "run python -m crw.catalogue"


def test_every_mart_and_column_is_on_the_page_with_an_example(manifest):
    page = catalogue.page(manifest)
    marts = {path.stem for path in (PROJECT / "dbt_project" / "models" / "marts").rglob("*.sql")}
    chapters = {chapter.partition("\n")[0]: chapter for chapter in page.split("\n## ")[1:]}
    assert marts <= chapters.keys()
    for mart in marts:
        node = next(n for n in manifest["nodes"].values() if n["name"] == mart and n["resource_type"] == "model")
        assert node["columns"]
        for column in node["columns"]:
            assert f"| `{column}` |" in chapters[mart]
        assert "**One row per**: `" in chapters[mart]
        assert f"{publish.SCHEMA.get(mart, 'marts')}.{mart}" in chapters[mart].partition("```sql")[2]


def test_what_a_model_says_of_itself_beyond_its_description_is_shown(manifest):
    mart = manifest["nodes"]["model.crw.kpi_feedback"]
    mart["config"]["meta"] = {"caveat": "Read it twice."}
    mart["columns"]["received"]["config"]["meta"] = {"formula": "a | b"}
    page = catalogue.page(manifest)
    assert "- **Caveat**: Read it twice." in page
    assert "Formula: a \\| b |" in page


def test_the_days_of_a_pledge_stand_at_each_measure_that_uses_them(manifest):
    page = catalogue.page(manifest)
    days = {"acknowledgement": "5 working", "first_reply": "10 calendar", "substantive_reply": "30 calendar"}
    for milestone, promised in days.items():
        lines = [line for line in page.splitlines() if re.match(rf"\| `{milestone}_(due|within_target)", line)]
        assert len(lines) == 11  # two marts, the cube and the metrics
        assert all(f"{milestone} within {promised} days." in line for line in lines)
    told = "Pledge: acknowledgement within 5 working days; first_reply within 10 calendar days; substantive_reply within 30"
    assert told in page


def test_links_lead_somewhere(manifest):
    page = catalogue.page(manifest)
    chapters = {line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")}
    for target in re.findall(r"\]\(([^)]+)\)", page):
        assert target[1:] in chapters if target.startswith("#") else (PROJECT / "docs" / target).exists(), target


def test_dbt_docs_are_one_file_that_asks_nothing_of_the_network(small_world, tmp_path, monkeypatch):
    monkeypatch.setattr("crw.settings.HOME", tmp_path)
    page = catalogue.write_dbt_docs(tmp_path / "dbt_docs")
    html = page.read_text(encoding="utf-8")
    assert [found.group()[:200] for found in LOADS.finditer(html)] == []
    # Each mart is named as readers find it, in what is said of it and in the SQL that reads it.
    assert [name for name in ('"candidate"', r"\"candidate\"") if name in html] == []
    for name in (r"\"marts\".\"kpi_feedback\"", r"\"accounts\".\"customer_360\""):
        assert name in html
    for mart, schema in (("kpi_feedback", "marts"), ("customer_360", "accounts")):
        assert re.search(rf'"schema": ?"{schema}", ?"name": ?"{mart}"', html), mart
    # The page's tracker loads itself only where the manifest inside allows usage statistics.
    assert re.findall(r'"send_anonymous_usage_stats": ?(\w+)', html) == ["false"]
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]
    # The warehouse goes on from an earlier night; what is documented, and read for the lineage, is a build from nothing.
    made = json.loads((tmp_path / "dbt" / "docs" / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    assert "fct_feedback_month_by_code" not in made["model.crw.fct_feedback_month_by_code"]["compiled_code"]
