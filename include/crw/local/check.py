"""What a first night would say of a source, found by its own steps in a throw-away warehouse: nothing is kept.

A night's message may quote the value that is at fault. Here anybody may be reading, so messages are made anew, without it.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import httpx
import psycopg
from psycopg import Connection
from rich.console import Console

from crw import contracts, seeds, settings, warehouse
from crw.contracts import ContractError, Table
from crw.ledger import LoadError
from crw.local import environment, findings, samples
from crw.local.findings import Finding
from crw.local.postgres import Server
from crw.sources import code_book, scratch

RUN = "check"
POSTGRES = "postgres"
PREFIX = "crw-check-"
CONNECT_TIMEOUT = "10"  # seconds; a night has more patience with a database that does not answer

SAYS_NO_VALUE = (ContractError, LoadError, seeds.SeedError, OSError, httpx.HTTPError)
"""Exceptions whose message names file, column or address, and no value."""


def run(sources: list[str], business_date: date, console: Console, file: Path | None = None) -> bool:
    """Check sources and print what a first night, up to the end of the business date, would find in them.

    Args:
        sources: names of declared sources.
        business_date: the night's.
        console: where to print.
        file: a survey data file with its code book beside it, to check instead of the drop folder.

    Returns:
        Whether a night would publish them.
    """
    with _throw_away() as folder:
        # The lines that libraries log may quote a value.
        os.environ |= {"CRW_PSEUDONYM_KEY": secrets.token_hex(32), "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL"}
        os.environ["CRW_SCRATCH"] = str(folder / "readers")
        for name, value in {"AIRFLOW_HOME": str(folder / "airflow"), "PGCONNECT_TIMEOUT": CONNECT_TIMEOUT}.items():
            os.environ.setdefault(name, value)
        if file:
            _deliver(file, folder / "drop", contracts.sources()[sources[0]][0])
        findings.progress(console, "making a throw-away warehouse")
        server = Server(folder / POSTGRES)
        server.start()
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            warehouse.install(connection)
            return _Check(connection, business_date, console).of(sources, is_of_one_file=file is not None)


@contextmanager
def _throw_away() -> Iterator[Path]:
    """A folder that is removed, and the server in it stopped, however the check ends."""
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, lambda number, _: sys.exit(128 + number))
    for left in scratch.dead(Path(tempfile.gettempdir()), PREFIX):  # by a check that was killed
        Server(left / POSTGRES).stop()
        shutil.rmtree(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with scratch.locked(folder):
        try:
            yield folder
        finally:
            for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(stop, signal.SIG_IGN)  # the second Ctrl-C of an impatient hand would leave half of it
            Server(folder / POSTGRES).stop()
            shutil.rmtree(folder)


def _deliver(file: Path, drop: Path, table: Table) -> None:
    """Make a drop folder of one delivery, by copies with their times: a file's time is that of its arrival."""
    drop.mkdir()
    for path in (file, file.with_name(file.name + code_book.SUFFIX)):
        if path.exists():
            shutil.copy2(path, drop)
    connection = {"conn_type": "fs", "extra": {"path": str(drop)}}
    os.environ[environment.connection_variable(table)] = json.dumps(connection)


class _Check:
    """One check: the loads of its throw-away warehouse, and which sources did not answer."""

    def __init__(self, connection: Connection, business_date: date, console: Console):
        from crw import ingest  # after AIRFLOW_HOME is set: Airflow asks for it when it is imported

        self.ingest = ingest
        self.warehouse, self.business_date, self.console = connection, business_date, console
        self.found: dict[tuple[str, str], Finding] = {}
        self.away: dict[str, str] = {}
        """By connection, why its source cannot be reached."""

    def of(self, sources: list[str], *, is_of_one_file: bool) -> bool:
        """Check the sources; True if a night would publish all of them, of one file if it would read that."""
        tables = [table for source in sources for table in contracts.sources()[source]]
        wanted = [*tables, *_referred_to(tables)]
        self._reach({environment.connection_variable(table) for table in wanted})
        for table in wanted:
            self.found[table.source, table.name] = self._extract(table)
        unread = {f"{t.source}__{t.name}" for t in self._expected() if not self._is_landed(t)}
        by_source = {source: [self.found[source, t.name] for t in contracts.sources()[source]] for source in sources}
        for found in by_source.values():
            self._judge(found, unread)
        return findings.show_verdict(self.console, self.warehouse, by_source, is_of_one_file=is_of_one_file)

    def _judge(self, found: list[Finding], unread: set[str]) -> None:
        """Run the gate on each table of a source that was read, and show what it says."""
        for finding in found:
            if finding.problem is None:
                self._validate(finding, unread)
        findings.show_source(self.console, found)
        if findings.all_alike(found):
            return
        findings.show_unread(self.console, self.warehouse, found[0].table.source)
        for finding in found:
            findings.show(self.console, finding)
        if found[0].table.reader == "files":
            findings.show_survey(self.console, self.warehouse)

    def _expected(self) -> list[Table]:
        """The tables that a night would fill; any other is as empty in a night as it is here."""
        return [table for tables in contracts.taking_part().values() for table in tables]

    def _is_landed(self, table: Table) -> bool:
        finding = self.found.get((table.source, table.name))
        return finding is not None and finding.load_id is not None

    def _reach(self, variables: set[str]) -> None:
        """Use the sample for a connection that is not set, where a night has built it."""
        unset = {name for name in variables if name not in os.environ}
        if unset:
            os.environ |= samples.start_built(unset)

    def _extract(self, table: Table) -> Finding:
        if table.connection in self.away:
            return Finding(table, problem=self.away[table.connection])
        findings.progress(self.console, f"reading {table.source}.{table.name}")
        try:
            self._knock(table)
            load_id = self.ingest.extract(self.warehouse, table, self.business_date, RUN)
        except Exception as error:  # whatever it is, the other tables are checked all the same
            problem = self._fault(table, error)
            if _is_away(error):
                self.away[table.connection] = problem
            return Finding(table, problem=problem)
        return findings.landed(self.warehouse, table, load_id)

    def _knock(self, table: Table) -> None:
        """Ask an API for anything at all: a night would ask it again for half a minute before it gives up."""
        if table.reader == "api":
            from crw import connections

            with connections.api(table.connection) as client:
                client.get("/")

    def _validate(self, finding: Finding, unread: set[str]) -> None:
        table = finding.table
        findings.progress(self.console, f"judging {table.source}.{table.name}")
        try:
            self.ingest.validate(self.warehouse, table, finding.load_id)
            refusal = None
        except Exception as error:
            refusal = error
        findings.judged(self.warehouse, finding, refusal, unread)

    def _fault(self, table: Table, error: Exception) -> str:
        """Why the table cannot be read, without any value of it."""
        from airflow.sdk.exceptions import AirflowNotFoundException

        match error:
            case AirflowNotFoundException():
                return f"no connection {table.connection}: set {environment.connection_variable(table)}"
            case psycopg.OperationalError():
                return f"{table.connection} cannot be reached: {' '.join(str(error).split())}"
            case psycopg.DataError():
                return f"a value has not the type of the contract ({type(error).__name__})"
            case psycopg.Error():
                return f"{table.connection}: {error.diag.message_primary or type(error).__name__}"
            case httpx.TransportError():
                return f"{table.connection} cannot be reached: {error}"
            case KeyError():
                return f"{table.connection}: {error.args[0]!r} is missing from the connection or the answer"
            case _ if isinstance(error, SAYS_NO_VALUE):
                return str(error)
        return f"{type(error).__name__}, whose message may quote a value: a night's log has it"


def _referred_to(tables: list[Table]) -> list[Table]:
    """Tables of other sources of the nights that columns of these refer to."""
    targets = {target[:2] for table in tables for column in table.columns for target in column.references}
    others = targets - {(table.source, table.name) for table in tables}
    return [contracts.table(*target) for target in sorted(others) if target[0] in contracts.taking_part()]


def _is_away(error: Exception) -> bool:
    """Whether it is the source that is away, and no matter of a single table."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (401, 403)
    return isinstance(
        error, AirflowNotFoundException | psycopg.OperationalError | httpx.TransportError | FileNotFoundError
    )


def tonight() -> date:
    """The business date of the next night, which is today's on the operator's clock: a file put into a drop folder today is due."""
    return datetime.fromtimestamp(time.time(), settings.CLOCK).date()
