"""The columns that publishing adds to a mart: the date at whose end it is known, and of which periods its rows are."""

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


def added_columns(columns: list[str], business_date: sql.Composable) -> dict[str, tuple[str, sql.Composable, str]]:
    """What publishing adds to the columns of a mart: by name the type, the expression, and what it says.

    Args:
        columns: names of the mart's own.
        business_date: expression of the date at whose end the mart is known.
    """
    wanted = {"business_date": ("date", business_date, "The business date, at whose end this was known.")}
    if {"period_basis", "period_end"} <= set(columns):
        is_complete = (
            sql.SQL("is_complete") if "is_complete" in columns else sql.SQL("period_end <= {}").format(business_date)
        )
        for name, (expression, meaning) in OF_PERIODS.items():
            type = "boolean" if name.startswith("is_") else "text"
            wanted[name] = (type, sql.SQL(expression).format(is_complete=is_complete), meaning)
    return {name: column for name, column in wanted.items() if name not in columns}
