"""The commands behind the Makefile and the compose file."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from rich.console import Console

from crw import contracts, settings
from crw.local import databases, environment, services
from crw.local.arguments import DEFAULT_DATE, parser


def main() -> int:
    """Run one command. Returns the exit status. What it writes, and what it starts, is for its own user alone."""
    os.umask(environment.OTHERS)
    arguments = parser().parse_args()
    try:
        status = _run(arguments)
        sys.stdout.flush()  # here and not as Python ends, where nobody could meet it
        return status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written as Python ends
        return 141  # what a shell says of a command whose reader (`head`) went first
    except contracts.ContractError as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130  # what a shell says of a command that Ctrl-C ended
    except Exception as error:
        from crw.local import faults

        if (line := faults.told(error)) is None:
            raise
        sys.exit(line)


def _run(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "nightly":
            return _nightly(arguments.date, arguments.date)
        case "backfill":
            return _nightly(arguments.first, arguments.last)
        case "check":
            return _check(arguments.source, arguments.file, arguments.date)
        case "held" | "approve" | "reject" | "quarantine":
            _reach_warehouse()
            from crw.local import decisions  # after the level of logs is set: Airflow asks for it when it is imported

            return decisions.run(arguments)
        case "subject" | "erase" | "readmit" | "rotate-key":
            from crw.local import privacy

            is_ours = "CRW_PGHOST" not in os.environ
            _reach_warehouse()
            return privacy.run(arguments, is_ours=is_ours)
        case "backup" | "restore" | "upgrade":
            from crw.local import backup

            return backup.run(arguments)
        case "up":
            return _up()
        case "install":
            return _install()
        case "sample":
            return _sample()
        case "down":
            return _down()
        case "dbt-docs":
            return _dbt_docs()
        case "site":
            return _site()
        case "export":
            return _export(arguments.folder)
        case "sql":
            return _sql(arguments.query, arguments.role, arguments.spreadsheet)
        case "mf":
            return _mf(arguments.arguments)
    raise AssertionError(arguments.command)


def _console() -> Console:
    """A log has no width of its own, and 80 columns cut names and addresses."""
    return Console(width=None if sys.stdout.isatty() else 120)


def _nightly(first: date, last: date) -> int:
    from crw.local import night

    try:
        return 0 if night.run(first, last, _console()) else 1
    except KeyboardInterrupt:
        print("stopped: readers keep the last good night; the same command starts this one again", file=sys.stderr)
        return 130  # what a shell says of a command that Ctrl-C ended


def _check(source: str | None, file: Path | None, business_date: date | None) -> int:
    tables = contracts.sources().get(source, [])
    if source and not tables:
        sys.exit(f"{source} is no source: {', '.join(contracts.sources())} are")
    if file and (tables[0].reader != "files" or not file.is_file()):
        whole = f"{source} is not checked by file: `crw check {source}` reads all of it"
        sys.exit(f"there is no file {file}" if tables[0].reader == "files" else whole)
    sources = [source] if source else list(contracts.taking_part())
    try:
        from crw.local import check

        return 0 if check.run(sources, business_date or check.tonight(), _console(), file) else 1
    except KeyboardInterrupt:
        print("stopped: nothing was kept", file=sys.stderr)
        return 130


def _up() -> int:
    from crw.local import samples, scheduler

    console = _console()
    services.start_databases()
    variables = environment.variables()
    os.environ.update(variables)
    samples.prepare(DEFAULT_DATE)
    scheduler.migrate()
    try:
        services.start_airflow(variables)
    except RuntimeError as error:
        sys.exit(f"{error}")
    console.print(f"Airflow     http://127.0.0.1:{environment.state()['airflow_port']}", highlight=False)
    console.print(f"pages       {services.start_site()}", highlight=False)
    console.print(f"PostgreSQL  {environment.role_dsn('crw_analyst')}", highlight=False)
    console.print(f"logs        {settings.HOME / 'logs'}", highlight=False)
    return 0


def _install() -> int:
    from crw import connections, warehouse

    with connections.warehouse() as connection:
        given = {role: os.environ.get(f"{role.upper()}_PASSWORD") for role in databases.ROLES}
        if all(given.values()):  # the server is the deployment's own, and not only its warehouse
            databases.prepare(connection, given)
        warehouse.install(connection)
        warehouse.set_passwords(
            connection, {role: os.environ[f"{role.upper()}_PASSWORD"] for role in environment.ROLES}
        )
    return 0


def _sample() -> int:
    from crw.local import samples

    samples.prepare_deployment()
    return 0


def _dbt_docs() -> int:
    from crw import catalogue, store

    if "CRW_PGHOST" not in os.environ:
        services.start_databases()  # for what dbt compiles an empty one will do
    _reach_warehouse()
    with store.home() as home:
        written = catalogue.write_dbt_docs(home / "dbt_docs").as_uri()
        if (home / "site").exists():  # whose start page leads to them
            _make_site(home)
            written = store.start_page()
        elif home != settings.HOME:
            sys.exit("no pages are there yet that could lead to dbt's docs: run `crw site` first")
    print(written)
    return 0


def _site() -> int:
    from crw import store

    _reach_warehouse()
    with store.home() as home:
        _make_site(home)
    print(store.start_page())
    return 0


def _make_site(home: Path) -> None:
    from crw import connections, transform
    from crw.report import site

    with connections.marts() as marts:
        if marts.execute("select to_regclass('marts.kpi_scorecard')").fetchone() == (None,):
            sys.exit("nothing is published yet: run `make nightly` first")
        site.build(marts, home, transform.manifest())


def _export(folder: Path) -> int:
    from crw import connections, export

    _reach_warehouse()
    with connections.marts() as marts:
        try:
            print(export.write(marts, folder))
        except export.ExportError as error:
            sys.exit(f"{error}")
    return 0


def _reach_warehouse() -> None:
    """Set what dbt's profile reads, unless a deployment has set it: then the warehouse is not ours to start.

    Ends the command where ours is not there: an empty one would answer that nothing is held, of anybody.
    """
    # What libraries tell of themselves hides the answer.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    if "CRW_PGHOST" not in os.environ:
        if not environment.server().is_made:
            sys.exit(
                f"{environment.no_warehouse()}; of a deployment, run this where its warehouse is told (CRW_PGHOST)"
            )
        services.start_databases()
        os.environ.update(environment.variables())


def _down() -> int:
    stopped = services.stop_all()
    _console().print(f"stopped: {', '.join(stopped) or 'nothing was running'}", highlight=False)
    return 0


def _start_warehouse() -> None:
    if not environment.server().is_made:
        sys.exit(environment.no_warehouse())
    environment.server().start()


def _sql(statement: str, role: str, is_for_spreadsheet: bool) -> int:
    from crw.local import query

    _start_warehouse()
    # The loader may write all that nights do: here it looks.
    only_look = "" if role == "analyst" else "?options=-c%20default_transaction_read_only%3Don"
    query.run(environment.role_dsn(f"crw_{role}") + only_look, statement, is_for_spreadsheet)
    return 0


def _mf(arguments: list[str]) -> int:
    if "CRW_PGHOST" not in os.environ:
        _start_warehouse()
        analyst = {"CRW_PGUSER": "crw_analyst", "CRW_PGPASSWORD": environment.state()["analyst_password"]}
        os.environ.update(environment.variables() | analyst)
    from crw import metrics

    metrics.run(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
