"""What the layers promise, read from dbt's own manifest."""

import pytest
import yaml
from dbt.cli.main import dbtRunner

from crw import seeds
from crw.settings import PROJECT

MAY_READ = {"staging": {"raw", "staging", "seed"}, "core": {"staging", "core", "seed"}, "marts": {"core", "seed"}}
# What is compared with print must be what readers see, so the reconciliation reads the marts; so does the scorecard of them.
RECONCILIATION = "model.crw.published_vs_computed"
SCORECARD = "model.crw.kpi_scorecard"
# It tells of the nights themselves, which no fact of core does.
TELEMETRY = "model.crw.data_health"
# It looks for what loads brought in raw itself, of which staging knows the latest versions only.
CHANGES = "model.crw.changed_key"
# Only the reconciliation may see a printed figure.
PRINTED = "seed.crw.published_figure"
# How figures are shown, as d3-format writes it: counts, labels, means, changes, shares, mixed ones; by_row where each row says it.
FORMATS = {"d", ",d", "+,d", ",.1f", ",.2f", ",.3f", "+,.1f", ".1%", ".2%", ",.1~f", "by_row"}

# Texts of the marts that are names, numbers of a record, or words of a rule, and no code of a list.
NO_CODES = {
    *(
        "period",
        "period_compared",
        "fiscal_year",
        "cohort_fiscal_year",
        "wave_code",
        "wave_before",
        "question_text",
        "title",
    ),
    *("campaign_id", "campaign_name", "newsletter_code", "change_no", "origin_no", "company_id", "clubs"),
    *("account_manager_id", "relationship_executive_id", "name_en", "name_zh", "number_format", "table_name", "detail"),
}


@pytest.fixture(scope="module")
def manifest(small_world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRW_BUSINESS_DATE", "2013-03-31")
        outcome = dbtRunner().invoke(["--quiet", "parse"])
    assert outcome.success, outcome.exception
    return outcome.result


@pytest.fixture(scope="module")
def models(manifest):
    return {id: node for id, node in manifest.nodes.items() if node.resource_type == "model"}


def layer(id, manifest):
    if id in manifest.sources:
        return "raw"
    node = manifest.nodes[id]
    return "seed" if node.resource_type == "seed" else node.fqn[1]


def test_data_flows_one_way(manifest, models):
    wrong = [
        f"{id} reads {parent}"
        for id, node in models.items()
        for parent in node.depends_on.nodes
        if id not in (RECONCILIATION, SCORECARD, TELEMETRY)
        and layer(parent, manifest) not in MAY_READ[layer(id, manifest)]
        and not (id == CHANGES and layer(parent, manifest) == "raw")
    ]
    assert len(models) > 30
    assert wrong == []


def test_the_reconciliation_reads_marts_and_alone_sees_print(manifest, models):
    parents = set(models[RECONCILIATION].depends_on.nodes)
    assert {layer(parent, manifest) for parent in parents} == {"marts", "seed"}
    assert [id for id, node in models.items() if PRINTED in node.depends_on.nodes] == [RECONCILIATION]


def test_schema_follows_layer(models):
    schemas = {(node.fqn[1], node.schema) for node in models.values()}
    assert schemas == {("staging", "staging"), ("core", "core"), ("marts", "candidate")}


def test_every_model_and_column_is_described(models, manifest):
    seeds = {id: node for id, node in manifest.nodes.items() if node.resource_type == "seed"}
    silent = [
        f"{id} {column}"
        for id, node in {**models, **seeds}.items()
        for column, description in [("", node.description), *((c.name, c.description) for c in node.columns.values())]
        if not description
    ]
    assert silent == []
    assert [id for id, node in {**models, **seeds}.items() if not node.columns] == []


def test_every_figure_of_a_mart_has_a_unit_and_a_number_format(models):
    units = {row["code"] for row in seeds.rows("word") if row["list"] == "unit"} | {"by_row"}
    told = {
        f"{node.name}.{name}": (column.config.meta.get("unit"), column.config.meta.get("format"))
        for node in models.values()
        if node.fqn[1] == "marts"
        for name, column in node.columns.items()
        if column.data_type in ("integer", "bigint", "numeric")
    }
    assert len(told) > 250
    assert {column: said for column, said in told.items() if said[0] not in units or said[1] not in FORMATS} == {}
    # The name of a column says what its figures are.
    endings = {"_share": "share", "_pct": "pct", "_pp": "pp"}
    assert {
        column: unit
        for column, (unit, _) in told.items()
        for ending, of_name in endings.items()
        if column.endswith(ending) and unit != of_name
    } == {}


def test_contracts_are_enforced_and_have_a_primary_key(models):
    for id, node in models.items():
        if node.fqn[1] == "staging":
            continue
        types = [c.type for c in node.constraints] + [
            c.type for column in node.columns.values() for c in column.constraints
        ]
        assert node.contract.enforced, id
        assert "primary_key" in types, id


def test_staging_describes_exactly_the_columns_it_has(small_world, models):
    columns = small_world.rows(
        "select table_name, column_name from information_schema.columns where table_schema = 'staging'"
    )
    described = {(node.name, c) for node in models.values() if node.fqn[1] == "staging" for c in node.columns}
    assert set(columns) == described


def test_the_database_describes_each_table_and_column_as_the_project_does(small_world, models):
    described = small_world.rows(
        "select format('%s.%s', nspname, relname), attname::text, description from pg_description "
        "join pg_class on pg_class.oid = objoid join pg_namespace on pg_namespace.oid = relnamespace "
        "left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0 "
        "where classoid = 'pg_class'::regclass and nspname in ('core', 'candidate')"
    )
    said = {
        (f"{node.schema}.{node.name}", part): description
        for node in models.values()
        if node.schema in ("core", "candidate")
        for part, description in [(None, node.description), *((c.name, c.description) for c in node.columns.values())]
    }
    assert {(table, column): description for table, column, description in described} == said


def test_who_asks_whether_the_build_goes_on_comes_after_it(manifest):
    """The answer is kept for the rest of the run."""

    def ancestors(id, parents):
        found, to_look_at = set(), [id]
        while to_look_at:
            new = set(parents(to_look_at.pop())) - found
            found |= new
            to_look_at += new
        return found

    def calls(id):
        return (manifest.macros.get(id) or manifest.nodes[id]).depends_on.macros

    def reads(id):
        return getattr(manifest.nodes.get(id), "depends_on_nodes", ())

    asking = {
        id
        for id, node in manifest.nodes.items()
        if node.resource_type in ("model", "test")
        and ("macro.crw.goes_on" in ancestors(id, calls) or is_made_anew_by_the_build(node))
    }
    assert len(asking) > 30
    assert [id for id in asking if "model.crw.build" not in ancestors(id, reads)] == []


def is_made_anew_by_the_build(node):
    return node.config.get("materialized") == "incremental" and node.config.get("full_refresh") is not False


def test_a_night_of_another_date_is_not_parsed_anew(manifest):
    assert "CRW_PROJECT_VERSION" in manifest.env_vars
    assert "CRW_BUSINESS_DATE" not in manifest.env_vars


def test_every_model_is_used_or_exposed(models, manifest):
    readers = [*models.values(), *manifest.semantic_models.values()]
    used = {parent for node in readers for parent in node.depends_on.nodes}
    exposed = {parent for exposure in manifest.exposures.values() for parent in exposure.depends_on.nodes}
    assert sorted(models.keys() - used - exposed) == []


def test_the_dashboards_expose_the_marts_that_they_read(manifest):
    declared = yaml.safe_load((PROJECT / "bi" / "superset" / "dashboards.yml").read_text(encoding="utf-8"))
    exposure = manifest.exposures["exposure.crw.superset_dashboards"]
    assert {node.rpartition(".")[2] for node in exposure.depends_on.nodes} == {*declared["datasets"], "code_name"}


def test_metrics_are_defined_over_core_and_described(manifest):
    parents = {parent for model in manifest.semantic_models.values() for parent in model.depends_on.nodes}
    assert {layer(parent, manifest) for parent in parents} == {"core", "seed"}
    parts = [part for model in manifest.semantic_models.values() for part in (*model.dimensions, *model.measures)]
    assert [part.name for part in (*parts, *manifest.metrics.values()) if not part.description] == []


def test_data_tests_stop_the_night(manifest):
    tests = [node for node in manifest.nodes.values() if node.resource_type == "test"]
    assert tests
    assert {node.config.severity.lower() for node in tests} == {"error"}
    assert {node.config.error_if for node in tests} == {"!= 0"}


def test_every_text_of_a_mart_is_a_code_of_a_named_list_or_no_code(models):
    listed = {"by_row", "district", "kpi", "post_office", "group", "industry"}
    listed |= {row["list"] for name in ("list", "word") for row in seeds.rows(name)}
    told = {
        f"{node.name}.{name}": column.config.meta.get("codes")
        for node in models.values()
        if node.fqn[1] == "marts" and node.name != "code_name"
        for name, column in node.columns.items()
        if column.data_type == "text" and name not in NO_CODES
    }
    assert {column: codes for column, codes in told.items() if codes not in listed} == {}
