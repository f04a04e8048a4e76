"""The three steps of a load, as the ingest DAGs run them: extract, validate, publish. A step that fails says so in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from psycopg import Connection, OperationalError

from crw import connections, contracts, landing, ledger, publish, quality, quarantine, reconcile, unread
from crw.contracts import Table
from crw.ledger import Load
from crw.privacy import pseudonym_key
from crw.sources import Batch, api, database, files, folder, scratch
from crw.suites import HeldError


def extract(warehouse: Connection, table: Table, business_date: date, run_id: str, *, is_retry: bool = False) -> int:
    """Read the table's batch for the date from its source into landing, and return the load's number.

    What a drop folder holds and was not read is noted (`unread`). Not read again is what this run has landed already, by a retry,
    and what a person approved, or its source waits with.

    Raises:
        ContractError: the source does not keep the contract.
        LoadError, psycopg.Error, httpx.HTTPError: reading or landing failed; nothing is kept of the batch.
    """
    scratch.sweep()
    if is_retry and (landed := ledger.landed_by(warehouse, table, business_date, run_id)):
        return landed
    if taken_up := ledger.take_up(warehouse, table, business_date):
        return taken_up
    load = ledger.start_load(warehouse, table, business_date, run_id)
    with _failures_recorded(warehouse, [load]), _open_batch(warehouse, load) as batch:
        try:
            landing.land(warehouse, load, batch)
        finally:
            if not warehouse.closed:
                unread.note(warehouse, load, batch.unread)
    return load.load_id


def validate(warehouse: Connection, table: Table, load_id: int, *, is_retry: bool = False) -> quality.Outcome:
    """Run the table's suite on the landed batch; bad rows go to quarantine. A retry leaves alone what is validated already.

    Raises:
        HeldError: the batch is unusual. It waits in landing for a person.
        QualityError: a critical rule failed. Nothing of the batch will reach raw.
    """
    load = ledger.find_load(warehouse, table, load_id)
    if is_retry and ledger.state(warehouse, load) == "validated":
        return quality.Outcome(True, quarantine.count(warehouse, load_id), "validated before this retry", [])
    with _failures_recorded(warehouse, [load], but=OperationalError), ledger.locked(warehouse, load):
        ledger.lock(warehouse, load, "landed")
        outcome = quality.validate_landing(warehouse, table, load.load_id, load.business_date)
        ledger.record(warehouse, load, "validated")
    return outcome


def publish_source(warehouse: Connection, source: str, load_ids: list[int]) -> dict[str, publish.Figures]:
    """Append the validated batches of a source's tables to raw and move their watermarks, all or none.

    Done a second time, as by the retry of a task that was killed after its transaction, it changes nothing and tells the
    same figures.

    Args:
        warehouse: autocommit, to the warehouse.
        source: a declared source.
        load_ids: one a table, in the order of the source's contract.

    Raises:
        LoadError: a load is not validated, was overtaken or does not add up; then none of them is published.
    """
    tables = contracts.sources()[source]
    loads = [ledger.find_load(warehouse, table, load_id) for table, load_id in zip(tables, load_ids, strict=True)]
    published = {load.table.name: ledger.published_rows(warehouse, load) for load in loads}
    if all(published.values()):
        return {table: publish.Figures(*rows) for table, rows in published.items()}
    with _failures_recorded(warehouse, loads, but=OperationalError):
        return publish.publish_source(warehouse, loads)


def publish_approved(
    warehouse: Connection, source: str, business_date: date, run_id: str
) -> dict[str, publish.Figures]:
    """Publish what waits of a source and date, once a person has let it pass: the batches in landing, which are judged again.

    Raises:
        HeldError: another rule holds it.
        QualityError, LoadError: as the three steps do.
    """
    tables = contracts.sources()[source]
    load_ids = [extract(warehouse, table, business_date, run_id) for table in tables]
    for table, load_id in zip(tables, load_ids, strict=True):
        validate(warehouse, table, load_id)
    return publish_source(warehouse, source, load_ids)


@contextmanager
def _failures_recorded(
    warehouse: Connection, loads: list[Load], but: type[Exception] | tuple[()] = ()
) -> Iterator[None]:
    """Write down why the loads fail, but for errors that may pass where the step's retry goes on with the same loads."""
    try:
        yield
    except but:
        raise
    except HeldError as error:
        for load in loads:
            ledger.hold(warehouse, load, error)
        raise
    except Exception as error:
        for load in loads:
            ledger.fail(warehouse, load, error)
        raise


@contextmanager
def _open_batch(warehouse: Connection, load: Load) -> Iterator[Batch]:
    table = load.table
    match table.reader:
        case "database":
            with connections.database(table.connection) as source, database.bounded(table, source):
                yield database.read(
                    table,
                    source,
                    load.interval,
                    pseudonym_key.current(warehouse),
                    reconcile.comparison(warehouse, load),
                )
        case "api":
            with connections.api(table.connection) as client:
                yield api.read(
                    table,
                    client,
                    load.interval,
                    pseudonym_key.current(warehouse),
                    reconcile.comparison(warehouse, load),
                )
        case "files":
            published = ledger.published_deliveries(warehouse, table, load.business_date)
            yield files.read(table, connections.folder(table.connection), load.interval, published)
        case "folder":
            published = ledger.published_deliveries(warehouse, table, load.business_date)
            layouts = [other.layout for other in contracts.sources()[table.source]]
            drop = connections.folder(table.connection)
            yield folder.read(table, drop, load.interval, pseudonym_key.current(warehouse), published, layouts)
