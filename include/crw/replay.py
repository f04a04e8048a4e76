"""Rows out of quarantine: mended by hand, or good under a changed rule, they go through the same gate again."""

from __future__ import annotations

from datetime import date

from psycopg import Connection

from crw import landing, ledger, publish, quality
from crw.contracts import Table
from crw.sources import Batch


def replay(connection: Connection, table: Table, business_date: date, run_id: str) -> publish.Figures:
    """Load the quarantined rows of one table and date again, and mark them released.

    To mend a row by hand, update `record` in quarantine.record first. What is still bad is quarantined again, by the new
    load. A line that could not be read as a record at all is left where it is: it needs a corrected file.

    Raises:
        QualityError: a critical rule failed; nothing was released.
    """
    rows = connection.execute(
        "select record_id, record::text from quarantine.record where source = %s and table_name = %s "
        "and business_date = %s and released_at is null and record ?& %s order by record_id",
        [table.source, table.name, business_date, table.column_names],
    ).fetchall()
    load = ledger.start_load(connection, table, business_date, run_id)
    try:
        landing.land(connection, load, Batch("json", (record for _, record in rows)))
        with ledger.held(connection, load):
            ledger.lock(connection, load, "landed")
            quality.validate_landing(connection, table, load.load_id, business_date, check_share=False)
            ledger.record(connection, load, "validated")
        return publish.publish_load(connection, load, releases=[record_id for record_id, _ in rows])
    except Exception as error:
        ledger.fail(connection, load, error)
        raise
