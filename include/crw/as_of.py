"""The marts as they were known at the end of a past business date: for each mart but `data_health` a function `as_of.<mart>(date)`.

Raw keeps every version with the business date that brought it, and staging reads no later one. A function runs the dbt
project's own SQL, from staging to the mart, as of the date it is asked for. So it gives what readers saw then: by today's
definitions, and with what a later re-run of that night mended.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any

from psycopg import sql

from crw.mart_columns import added_columns

NIGHT = "model.crw.stg_night"
CODES = "model.crw.code_column"

# It reads raw with the rights of crw_transformer, hence the fixed search path. enable_nestloop: as dbt_project.yml says of core.
FUNCTION = """
create function as_of.{name}(known_on date) returns table ({columns}) language plpgsql security definer
set search_path = pg_catalog, pg_temp set enable_nestloop = off set client_min_messages = warning as {body};
comment on function as_of.{name} is {comment}
"""
BODY = """
#variable_conflict use_column
begin
perform as_of.check_date(known_on);
{steps}
return query select {columns} from {mart};
drop table {tables} cascade;
end
"""


class CompileError(RuntimeError):
    """dbt did not compile the project. The message is dbt's."""


def install() -> None:
    """Make the functions anew, of the dbt project as it is now. Logs in as dbt does (CRW_* variables); all or none.

    Raises:
        CompileError: a model does not compile.
    """
    # Not before: where it is imported Airflow reads its settings, which one machine's night makes first.
    from crw import connections

    models = _compiled()
    with connections.transformer() as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('crw.as_of.install'))")
        for (signature,) in connection.execute(
            "select oid::regprocedure::text from pg_proc where pronamespace = 'as_of'::regnamespace and prosecdef"
        ).fetchall():
            connection.execute(sql.SQL("drop function {}").format(sql.SQL(signature)))
        lists = connection.execute(models[CODES].compiled_code).fetchall()
        for model in models.values():
            # A view tells of the nights themselves, and of past ones anyway.
            if model.schema == "candidate" and not _is_view(model):
                of_mart = {column: of for mart, column, of in sorted(lists) if mart == model.name}
                connection.execute(_function(model, models, of_mart))


def _compiled() -> dict[str, Any]:
    """What the marts are made of, by dbt's id: each model with the SQL that makes it from nothing."""
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke(
        ["--quiet", "compile", "--full-refresh", "--select", "+path:models/marts", "code_column"]
    )
    if not outcome.success:
        raise CompileError(f"dbt: {outcome.exception or [result.message for result in outcome.result]}")
    nodes = [result.node for result in outcome.result]
    # What the night changed is of no use to a build from nothing.
    return {node.unique_id: node for node in nodes if node.resource_type == "model" and "night" not in node.fqn}


def _lineage(mart: Any, models: dict[str, Any]) -> list[Any]:
    """The models that a mart is made of, and the mart itself, each after those that it reads."""
    reads: dict[str, list[str]] = {}
    found = [mart.unique_id]
    while found:
        name = found.pop()
        if name not in reads:
            reads[name] = [parent for parent in models[name].depends_on.nodes if parent in models]
            found += reads[name]
    return [models[name] for name in TopologicalSorter(reads).static_order()]


def _function(mart: Any, models: dict[str, Any], lists: dict[str, str]) -> sql.Composed:
    """The statement that makes a mart's function. Args: lists, which name the codes of its columns, by column."""
    lineage = _lineage(mart, models)
    added = added_columns(list(mart.columns), sql.Identifier("known_on"), lists)
    types = {column.name: column.data_type for column in mart.columns.values()}
    types |= {name: type for name, (type, _, _) in added.items()}
    columns = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type)) for name, type in types.items()]
    body = sql.SQL(BODY).format(
        steps=sql.SQL("\n").join(_step(model, lineage) for model in lineage),
        # By name, as dbt makes the table: in the contract's order, whatever the query's is.
        columns=sql.SQL(", ").join(
            [*map(sql.Identifier, mart.columns), *(expression for _, expression, _ in added.values())]
        ),
        mart=_temporary(mart),
        tables=sql.SQL(", ").join(_temporary(model) for model in lineage if not _is_view(model)),
    )
    return sql.SQL(FUNCTION).format(
        name=sql.Identifier(mart.name),
        columns=sql.SQL(", ").join(columns),
        body=sql.Literal(body.as_string()),
        comment=sql.Literal(f"marts.{mart.name} as it was known at the end of a past business date."),
    )


def _step(model: Any, lineage: list[Any]) -> sql.Composed:
    """Make one model, of those made before it."""
    query = model.compiled_code
    for parent in lineage:
        query = query.replace(parent.relation_name, _temporary(parent).as_string())
    if model.unique_id == NIGHT:
        query = "select known_on as business_date"
    if _is_view(model):
        return sql.SQL("create temporary view {} as {}\n;").format(_temporary(model), sql.SQL(query))
    return sql.SQL("create temporary table {0} as {1}\n;\nanalyze {0};").format(_temporary(model), sql.SQL(query))


def _is_view(model: Any) -> bool:
    """Not one that reads no other model: `drop table ... cascade` would leave it behind."""
    return model.config.materialized == "view" and any(name.startswith("model.") for name in model.depends_on.nodes)


def _temporary(model: Any) -> sql.Identifier:
    return sql.Identifier("pg_temp", model.name)
