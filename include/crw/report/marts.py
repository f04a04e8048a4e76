"""What the pages read: schema `marts` as the role crw_dashboard, in one snapshot. Nothing is computed here that is not in a mart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

Row = dict[str, Any]

QUERY = (
    "select * from marts.kpi_scorecard where kpi = '{kpi}' and period_basis = '{period_basis}' and period = '{period}'"
)
"""How a reader finds a figure of the pages."""

WAVE_BASES = ("fiscal_year", "calendar_year")
"""A survey's wave speaks for a year of one kind; so the waves of a question are its years of both kinds."""


class Marts:
    """The published marts as they stand; build one within a transaction, so that a publication does not come between.

    Args:
        connection: as a role that reads schema `marts`.
        formats: how figures are shown, by mart and column, as `crw.catalogue.formats_of` reads it.
    """

    def __init__(self, connection: Connection, formats: Mapping[tuple[str, str], str]) -> None:
        self._connection, self.formats = connection, formats

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query, each a dictionary by column."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, parameters).fetchall()

    @cached_property
    def scorecard(self) -> list[Row]:
        """Every row of the scorecard, in the order in which reports list KPIs, periods from old to new."""
        return self.rows(
            "select * from marts.kpi_scorecard order by sort_order, kpi, period_basis, period_start, period_end"
        )

    @cached_property
    def names(self) -> dict[tuple[str, str], Row]:
        """The names of every code, by list and code."""
        return {(row["list"], row["code"]): row for row in self.rows("select * from marts.code_name")}

    def codes(self, list_name: str, counts_as: str) -> list[str]:
        """The codes of a list that count as a concept."""
        return [code for (of, code), row in self.names.items() if of == list_name and row["counts_as"] == counts_as]

    @cached_property
    def business_date(self) -> date | None:
        """As of when everything is known; none where the marts hold no KPI."""
        return max((row["business_date"] for row in self.scorecard), default=None)

    def series(self, kpi: str, *bases: str, where: Callable[[Row], bool] = lambda row: row["is_complete"]) -> list[Row]:
        """The periods of a KPI in these bases, from old to new, complete ones unless told otherwise."""
        found = [row for row in self.scorecard if row["kpi"] == kpi and row["period_basis"] in bases and where(row)]
        return sorted(found, key=lambda row: (row["period_end"], row["period_start"]))

    def areas(self) -> list[str]:
        """The areas that have KPIs, in their order."""
        return list(dict.fromkeys(row["area"] for row in self.scorecard))

    def kpis(self, area: str) -> list[str]:
        """The KPIs of an area, in their order."""
        return list(dict.fromkeys(row["kpi"] for row in self.scorecard if row["area"] == area))

    def headline(self, kpi: str) -> Row | None:
        """The one figure to show of a KPI, as the scorecard chooses it."""
        return next((row for row in self.scorecard if row["kpi"] == kpi and row["is_headline"]), None)

    def fiscal_years(self) -> list[str]:
        """The complete fiscal years that have a page, from old to new: of which two areas are known, or the only one there is.

        The histories of the sources begin at different times, and a year of one area alone is no report.
        """
        areas: dict[str, set[str]] = {}
        for row in self.scorecard:
            if row["period_basis"] == "fiscal_year" and row["is_complete"] and row["value"] is not None:
                areas.setdefault(row["fiscal_year"], set()).add(row["area"])
        return sorted(year for year, known in areas.items() if len(known) >= min(2, len(self.areas())))

    def year(self, area: str, fiscal_year: str) -> list[Row]:
        """The KPIs of an area in a complete fiscal year; a survey's, of the wave that the year's report prints."""
        return [
            row
            for row in self.scorecard
            if row["area"] == area and row["fiscal_year"] == fiscal_year and row["is_complete"] and _is_of_report(row)
        ]


def _is_of_report(row: Row) -> bool:
    """Whether a row is one that the annual page shows."""
    if row["area"] == "satisfaction":
        return row["period_basis"] in WAVE_BASES
    return row["period_basis"] == "fiscal_year"
