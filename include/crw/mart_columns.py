"""The columns that publishing adds to a mart: the date at whose end it is known, of which periods its rows are, and sort keys."""

from __future__ import annotations

from psycopg import sql

OF_PERIODS = {
    "fiscal_year": (
        "to_char(period_end - interval '3 months', 'YYYY') || '/' || to_char(period_end + interval '9 months', 'YY')",
        "Fiscal year in which the period ends.",
    ),
    "is_latest": (
        "{is_complete} and period_end = max(period_end) filter (where {is_complete}) over (partition by period_basis)",
        "Whether this is the mart's newest complete period of its basis: choose it for a headline.",
    ),
}
"""Columns that publishing adds to a mart of periods, with what they say. They change for rows that the night does not make anew."""


def added_columns(
    columns: list[str], business_date: sql.Composable, lists: dict[str, str]
) -> dict[str, tuple[str, sql.Composable, str]]:
    """What publishing adds to the columns of a mart: by name the type, the expression, and what it says.

    Args:
        columns: names of the mart's own.
        business_date: expression of the date at whose end the mart is known.
        lists: by column of codes the list that names them, as the model core.code_column has it.
    """
    wanted = {"business_date": ("date", business_date, "The business date, at whose end this was known.")}
    if {"period_basis", "period_end"} <= set(columns):
        is_complete = (
            sql.SQL("is_complete") if "is_complete" in columns else sql.SQL("period_end <= {}").format(business_date)
        )
        for name, (expression, meaning) in OF_PERIODS.items():
            type = "boolean" if name.startswith("is_") else "text"
            wanted[name] = (type, sql.SQL(expression).format(is_complete=is_complete), meaning)
    if "sort_order" not in columns:
        for column, of in lists.items():
            wanted[f"{column.removesuffix('_code')}_order"] = ("integer", _sort_key(column, of), _says(column, of))
    return {name: column for name, column in wanted.items() if name not in columns}


def _sort_key(column: str, of: str) -> sql.Composable:
    """Looked up each time: lists of what the sources name themselves grow from night to night, in rows that stand as well."""
    if of == "by_row":
        lookup = "(select sort_order from candidate.code_name where list = dimension and code = {code})"
    else:  # the list is read once for all rows: a query for each took a third of the time of publishing
        lookup = "((select jsonb_object_agg(code, sort_order) from candidate.code_name where list = {list}) ->> {code})::integer"
    return sql.SQL(lookup).format(list=sql.Literal(of), code=sql.Identifier(column))


def _says(column: str, of: str) -> str:
    return f"Sort key of {column}: its order in {'the list that dimension names' if of == 'by_row' else f'list {of}'}."
