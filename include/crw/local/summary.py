"""What a night came to: rows of each table, the published figures beside ours, and where to look next."""

from __future__ import annotations

from datetime import date

import psycopg
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crw import settings, unread
from crw.held import VANISHED
from crw.local import environment, services

UNREAD_SHOWN = 20
"""Files that the summary names; the table in the warehouse has all."""

NEWEST = (
    "select distinct on (source, table_name) * from audit.load where business_date = %s "
    "order by source, table_name, load_id desc"
)
"""The newest load of each table for a business date."""


def show(console: Console, business_date: date, seconds: float, succeeded: bool, is_published: bool) -> None:
    """Print the summary of a business date's night; published may be what then failed in a task after it, such as the pages."""
    with psycopg.connect(environment.server().dsn("warehouse")) as connection:
        console.print(_loads(connection, business_date))
        if (compared := _compared(connection, business_date)).row_count:
            console.print(compared)
        for message in [*_limits(connection, seconds), *_told(connection, business_date)]:
            console.print(
                message, style="yellow", highlight=False, markup=False, soft_wrap=True
            )  # a command in it is copied whole
        if (files := _unread(connection, business_date)).row_count:
            console.print(files)
        (has_figures,) = connection.execute("select to_regclass('marts.published_vs_computed') is not null").fetchone()
        if has_figures and (figures := _figures(connection)).row_count:  # an operator may have printed none
            console.print(figures)
        told = _told_time(connection, seconds)
    console.print(f"\nThe night of {business_date} {told}: {verdict(succeeded, is_published)}\n", highlight=False)
    _show_addresses(console)


def _told_time(connection: psycopg.Connection, seconds: float) -> str:
    """How long the night took until readers had its figures, and until its end; the pages are made after that."""
    (ago,) = connection.execute(
        "select extract(epoch from clock_timestamp() - max(published_at))::float from audit.publication"
    ).fetchone()
    if ago is None or ago > seconds:
        return f"took {seconds:.0f} s"
    return f"was out after {seconds - ago:.0f} s and ended after {seconds:.0f} s"


def verdict(succeeded: bool, is_published: bool) -> str:
    """What the night came to, in the console's markup; figures that are out are never called unpublished."""
    if not is_published:
        return "[red]NOT published; readers still see the last good night[/]"
    return "[green]published[/]" if succeeded else "[green]published[/], [red]but a task failed: see above[/]"


def _loads(connection: psycopg.Connection, business_date: date) -> Table:
    table = Table(title=f"Rows loaded for {business_date}", title_justify="left")
    for heading in ("table", "state", "read", "published", "unchanged", "quarantined"):
        table.add_column(heading, justify="left" if heading in ("table", "state") else "right")
    rows = connection.execute(
        "select source || '.' || table_name, state, rows_read, rows_published, rows_unchanged, rows_quarantined "
        f"from ({NEWEST}) as newest order by 1",
        [business_date],
    )
    for name, state, *counts in rows:
        table.add_row(name, state, *("" if count is None else f"{count:,}" for count in counts))
    return table


def _unread(connection: psycopg.Connection, business_date: date) -> Table:
    """The files that were not read; of a great many the first."""
    files = unread.of(connection, business_date)
    table = Table(title=f"Files not read: {len(files):,} (audit.unread_file)", title_justify="left")
    for heading in ("source", "file", "reason"):
        table.add_column(heading, overflow="fold")
    for row in files[:UNREAD_SHOWN]:
        table.add_row(*map(Text, row))  # not as markup: a name may hold brackets
    return table


def _compared(connection: psycopg.Connection, business_date: date) -> Table:
    """Each source table against what raw has of it, but for those whose contract asks for no comparison on this night."""
    table = Table(title="Sources and what raw has of them", title_justify="left")
    for heading in ("table", "at source", "in raw", "found late", "vanished", "held"):
        table.add_column(heading, justify="left" if heading == "table" else "right")
    for name, *counts in connection.execute(
        "select source || '.' || table_name, rows_at_source, rows_in_raw, rows_found_late, "
        "case when vanished_are_held is not true then rows_vanished end, case when vanished_are_held then rows_vanished end "
        f"from ({NEWEST}) as newest where rows_at_source is not null order by 1",
        [business_date],
    ):
        table.add_row(name, *("" if count is None else f"{count:,}" for count in counts))
    return table


def _limits(connection: psycopg.Connection, seconds: float) -> list[str]:
    """Which limits of readers were found otherwise since the night began, so many seconds ago."""
    rows = connection.execute(
        "select distinct message from audit.reader_limit_restored where restored_at > clock_timestamp() - make_interval(secs => %s) "
        "order by 1",
        [seconds],
    )
    return [f"readers' limits: {message}" for (message,) in rows]


def _told(connection: psycopg.Connection, business_date: date) -> list[str]:
    """What a person is asked to look at."""
    held = connection.execute(
        "select source || '.' || table_name, rows_vanished, rows_in_raw, (select string_agg(key::text, ' ') from "
        "(select key from audit.vanished where vanished.load_id = newest.load_id limit 3) as example) "
        f"from ({NEWEST}) as newest where vanished_are_held order by 1",
        [business_date],
    )
    overtaken = connection.execute(
        "select source || '.' || table_name, rows_amended_since from audit.overtaken where business_date = %s order by 1",
        [business_date],
    )
    waits = connection.execute(
        "select format('%%s.%%s', source, table_name), rule, message from audit.held where business_date = %s and rule <> %s "
        "order by 1, 2",
        [business_date, VANISHED],
    ).fetchall()
    passed = connection.execute(
        "select format('%%s.%%s', l.source, l.table_name), l.business_date, l.message "
        "from audit.load as l where l.state = 'superseded' and exists (select from audit.load as newer where newer.source = l.source "
        "and newer.table_name = l.table_name and newer.business_date = %s and newer.landed_at > l.landed_at "
        "and position(format('load %%s of ', newer.load_id) in l.message) = 1) order by 1, 2",
        [business_date],
    ).fetchall()
    return (
        [
            f"{name} is held by {rule}, until `crw approve {name} {business_date} {rule} --reason ... --by ...` or `crw reject ...`: "
            f"{message}"
            for name, rule, message in waits
        ]
        + [
            f"{name}: what waited for a person since {held_on} was not published: {message}"
            for name, held_on, message in passed
        ]
        + [
            f"{name}: {vanished:,} of {in_raw:,} keys are gone from the source, more than its contract lets pass ({examples} ...). They "
            f"count on until `crw approve {name} {business_date} vanished --reason ... --by ...`, or until they are back"
            for name, vanished, in_raw, examples in held
        ]
        + [
            f"{name}: read late, {rows:,} rows or more have been amended since {business_date}: no period is complete as of that date"
            for name, rows in overtaken
        ]
    )


def _figures(connection: psycopg.Connection) -> Table:
    table = Table(title="Published figures and what the marts compute", title_justify="left")
    for heading in ("year", "kpi", "published", "computed", ""):
        table.add_column(heading, justify="right" if heading in ("published", "computed") else "left")
    sign = {"exact": "", "about": "some ", "below": "close to ", "over": "over "}
    for year, kpi, comparator, published, computed, agrees in connection.execute(
        "select fiscal_year, kpi, comparator, published, computed, agrees from marts.published_vs_computed "
        "order by fiscal_year, kpi"
    ):
        shown = "" if computed is None else f"{computed.normalize():,f}"
        mark = "[green]✓[/]" if agrees else "[red]✗[/]"
        table.add_row(year, kpi, f"{sign.get(comparator, comparator + ' ')}{published.normalize():,f}", shown, mark)
    return table


def _show_addresses(console: Console) -> None:
    airflow = f"http://127.0.0.1:{environment.state()['airflow_port']}"
    if not services.is_running("airflow-api-server"):
        airflow += " (after `make up`)"
    console.print("Look next:", highlight=False)
    console.print('  marts       make sql Q="select * from marts.kpi_feedback limit 10"', highlight=False, markup=False)
    if (site := settings.HOME / "site" / "index.html").exists():
        console.print(f"  pages       {site.as_uri()}", highlight=False)
    console.print(f"  Data Docs   {settings.HOME / 'data_docs' / 'index.html'}", highlight=False)
    console.print(f"  Airflow     {airflow}", highlight=False)
    console.print(f"  logs        {settings.HOME / 'logs'}", highlight=False)
