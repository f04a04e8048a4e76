"""Rows out of quarantine: mended by hand, or good under a changed rule, they go through the same gate again."""

from __future__ import annotations

from datetime import date

from psycopg import Connection, sql

from crw import landing, ledger, publish, quality
from crw.contracts import Table
from crw.ledger import LoadError
from crw.sources import Batch
from crw.warehouse import raw_table, same_key


def replay(connection: Connection, table: Table, business_date: date, run_id: str) -> publish.Figures:
    """Load the quarantined rows of one table and date again, and mark them released.

    To mend a row by hand, update `record` in quarantine.record first. What is still bad is quarantined again, by the new
    load. Left where they are: a line that could not be read as a record at all, for it needs a corrected file; and a
    repetition of a record that the date did publish, for the one published is the later version.

    Raises:
        LoadError: the date was never published: its whole batch has to come first, or the rest of it would never be read.
        QualityError: a critical rule failed; nothing was released.
    """
    if not ledger.is_published(connection, table, business_date):
        raise LoadError(
            f"{table.source}.{table.name} was never published for {business_date}: run its ingest DAG first"
        )
    rows = connection.execute(
        sql.SQL(
            "select record_id, record::text from quarantine.record as q join audit.load using (load_id) "
            "where load.state = 'published' and q.source = %s and q.table_name = %s and q.business_date = %s "
            "and released_at is null and record ?& %s "
            "and not exists (select from {} as r where r._business_date = q.business_date and {}) order by record_id"
        ).format(raw_table(table), same_key(table, "r", "q")),
        [table.source, table.name, business_date, table.column_names],
    ).fetchall()
    load = ledger.start_load(connection, table, business_date, run_id)
    try:
        landing.land(connection, load, Batch("json", (record for _, record in rows)))
        with ledger.locked(connection, load):
            ledger.lock(connection, load, "landed")
            quality.validate_landing(connection, table, load.load_id, business_date, check_share=False)
            ledger.record(connection, load, "validated")
        return publish.publish_load(connection, load, releases=[record_id for record_id, _ in rows])
    except Exception as error:
        ledger.fail(connection, load, error)
        raise
