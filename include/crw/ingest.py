"""The three steps of a load, as the ingest DAGs run them: extract, validate, publish. A step that fails says so in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from psycopg import Connection

from crw import connections, landing, ledger, publish, quality
from crw.contracts import Table
from crw.ledger import Load
from crw.sources import Batch, api, database, files, pseudonym


def extract(warehouse: Connection, table: Table, business_date: date, run_id: str) -> int:
    """Read the table's batch for the date from its source into landing, and return the load's number.

    Raises:
        ContractError: the source does not keep the contract.
        LoadError, psycopg.Error, httpx.HTTPError: reading or landing failed; nothing is kept of the batch.
    """
    load = ledger.start_load(warehouse, table, business_date, run_id)
    with _failures_recorded(warehouse, load), _open_batch(warehouse, load) as batch:
        landing.land(warehouse, load, batch)
    return load.load_id


def validate(warehouse: Connection, table: Table, load_id: int) -> quality.Outcome:
    """Run the table's suite on the landed batch; bad rows go to quarantine.

    Raises:
        QualityError: a critical rule failed, or too many rows are bad. Nothing of the batch will reach raw.
    """
    load = ledger.find_load(warehouse, table, load_id)
    with _failures_recorded(warehouse, load), ledger.held(warehouse, load):
        ledger.lock(warehouse, load, "landed")
        outcome = quality.validate_landing(warehouse, table, load.load_id, load.business_date)
        ledger.record(warehouse, load, "validated")
    return outcome


def publish_table(warehouse: Connection, table: Table, load_id: int) -> publish.Figures:
    """Append the validated batch to raw and move the watermark. Raises LoadError."""
    load = ledger.find_load(warehouse, table, load_id)
    with _failures_recorded(warehouse, load):
        return publish.publish_load(warehouse, load)


@contextmanager
def _failures_recorded(warehouse: Connection, load: Load) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        ledger.fail(warehouse, load, error)
        raise


@contextmanager
def _open_batch(warehouse: Connection, load: Load) -> Iterator[Batch]:
    table = load.table
    match table.reader:
        case "database":
            with connections.database(table.connection) as source:
                yield database.read(table, source, load.interval, pseudonym.key())
        case "api":
            with connections.api(table.connection) as client:
                yield api.read(table, client, load.interval, pseudonym.key())
        case "files":
            published = ledger.published_deliveries(warehouse, table, load.business_date)
            yield files.read(table, connections.folder(table.connection), load.interval, published)
