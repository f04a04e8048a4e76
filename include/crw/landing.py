"""A batch into landing.<source>__<table>, by COPY, in one transaction; what cannot be typed goes to quarantine.

Landing knows no source: it takes a Batch. A load that dies in the middle leaves the landing table as it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import Connection, Cursor, sql
from psycopg.types.json import Jsonb

from crw import ledger
from crw.contracts import Column, Table
from crw.ledger import Load
from crw.privacy import suppression
from crw.sources import BLANKS, DELIMITER, Batch, Rejection, Section
from crw.warehouse import columns_of, landing_table

# PostgreSQL reads more than a source may write: 'today', 'allballs', 24:00, 05/11/2012, J2451187 and the names of time zones;
# NaN, 0x1F and 1_000; 'on' and 'tr'. More than microseconds it rounds, 23:59:59.9999999 into the next day.
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6}0*)?)?"
SHAPES = {
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "time": rf"^{_CLOCK}$",
    "timestamptz": rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{_CLOCK} ?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}}){{0,2}})$",
    "numeric": r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?$",
    "integer": r"^-?[0-9]+$",
    "bigint": r"^-?[0-9]+$",
    "boolean": "(?i)^(true|false|yes|no|y|n|1|0)$",
}
"""How a value of a type is written as text, by a source that says no more of its types than JSON or CSV do."""

BOUNDS = {
    "date": ("{0} not between '0001-01-01' and '9999-12-31'", "outside the years 1 to 9999"),
    "timestamptz": (
        # In UTC and on the session's clock, the operator's.
        "{0} < greatest(timestamptz '0001-01-01 00:00+00', timestamptz '0001-01-01 00:00') "
        "or {0} >= least(timestamptz '10000-01-01 00:00+00', timestamptz '10000-01-01 00:00')",
        "outside the years 1 to 9999",
    ),
    "time": ("{0} = '24:00'", "the end of a day, which is no time of it"),
    "numeric": ("{0} in ('NaN', 'Infinity', '-Infinity')", "no number"),
}
"""Which values of a type that PostgreSQL holds are refused, and why: few other programs can hold them, and none can reckon with them."""


def land(connection: Connection, load: Load, batch: Batch) -> int:
    """Replace the content of the landing table by the batch, and return the number of rows read.

    Rows read = rows landed + rows quarantined here, because a value does not have the type of the contract or the row
    could not be read at all. Whatever the source raises while it is read rolls everything back.

    Raises:
        LoadError: the load was taken up before.
    """
    table = load.table
    with connection.transaction(), connection.cursor() as cursor:
        ledger.lock(connection, load, "started")
        cursor.execute(sql.SQL("truncate {} restart identity").format(landing_table(table)))
        match batch.format:
            case "binary":
                rows_read = _copy(cursor, table, table.column_names, sql.SQL("binary"), batch.blocks)
            case "csv":
                rows_read = sum(_copy_section(cursor, table, section) for section in batch.blocks)
            case "json":
                rows_read = _land_json(cursor, load, batch.blocks)
        _quarantine_beyond_bounds(cursor, load)
        rows_read += _quarantine_unread(cursor, load, batch.rejected, first_row_no=rows_read + 1)
        suppressed = suppression.apply(cursor, load)
        analyze(cursor, table)
        _check_count(cursor, load, rows_read)
        told = {"deliveries": Jsonb(batch.deliveries), "rows_amended_since": batch.amended_since}
        told |= {"rows_suppressed": suppressed}
        ledger.supersede(connection, load)
        ledger.record(connection, load, "landed", rows_read=rows_read, **told)
    return rows_read


def is_of_type(connection: Connection, column: Column, value: str | None) -> bool:
    """Whether a value is written as one of the column's type."""
    statement = sql.SQL("select {} = '[]' from (select jsonb_build_object({}, {}::text) as record) as typed")
    typed = statement.format(_problem(column), sql.Literal(column.name), sql.Literal(value))
    return connection.execute(typed).fetchone()[0]


def analyze(cursor: Cursor, table: Table) -> None:
    """Tell the planner what the landing table holds.

    From a sample of 3,000 rows instead of 30,000: enough for the suite's plans, and a third of a small load's time less.
    """
    with cursor.connection.transaction():
        cursor.execute("set local default_statistics_target = 10")
        cursor.execute(sql.SQL("analyze {}").format(landing_table(table)))


def _copy(cursor: Cursor, table: Table, columns: list[str], form: sql.Composable, blocks: Iterable[bytes]) -> int:
    statement = sql.SQL("copy {} ({}) from stdin (format {})").format(
        landing_table(table), sql.SQL(", ").join(map(sql.Identifier, columns)), form
    )
    with cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(block)
    return cursor.rowcount


def _copy_section(cursor: Cursor, table: Table, section: Section) -> int:
    """What the rows share comes as the columns' defaults of this transaction, which cost no parsing a row."""
    defaults = [(sql.Identifier(name), sql.Literal(value)) for name, value in section.shared.items()]
    alter = sql.SQL("alter table {} ").format(landing_table(table))
    cursor.execute(alter + sql.SQL(", ").join(sql.SQL("alter {} set default {}").format(*pair) for pair in defaults))
    sent = [name for name in table.column_names if name not in section.shared]
    rows = _copy(cursor, table, sent, sql.SQL("csv, delimiter {}").format(sql.Literal(DELIMITER)), section.blocks)
    cursor.execute(alter + sql.SQL(", ").join(sql.SQL("alter {} drop default").format(name) for name, _ in defaults))
    return rows


def _land_json(cursor: Cursor, load: Load, records: Iterable[str]) -> int:
    """Land JSON objects: as text first, then typed in SQL. Returns the number of records read."""
    cursor.execute(
        "create temporary table batch (row_no bigint generated always as identity, record jsonb) on commit drop"
    )
    with cursor.copy("copy batch (record) from stdin") as copy:
        for record in records:
            copy.write_row((record,))
    rows_read = cursor.rowcount
    problems = sql.SQL(" || ").join(map(_problem, load.table.columns))
    cursor.execute(
        sql.SQL(
            "insert into quarantine.record (load_id, source, table_name, business_date, row_no, record, reasons) "
            "select {}, {}, {}, {}, row_no, record, problems "
            "from (select row_no, record, {} as problems from batch) as checked where problems <> '[]'"
        ).format(*map(sql.Literal, _identity(load)), problems)
    )
    # Cast only what is not refused: an anti-join keeps the casts above the filter.
    cursor.execute(
        sql.SQL(
            "insert into {} ({}, _row_no) overriding system value select {}, row_no from batch "
            "where not exists (select from quarantine.record as q where q.load_id = {} and q.row_no = batch.row_no)"
        ).format(
            landing_table(load.table),
            columns_of(load.table),
            sql.SQL(", ").join(map(_cast, load.table.columns)),
            sql.Literal(load.load_id),
        )
    )
    return rows_read


def _text(column: Column) -> sql.Composed:
    """The value as text; a blank is no value, except in a text column, where it is kept as it came."""
    text = sql.SQL("record ->> {}").format(sql.Literal(column.name))
    return text if column.type == "text" else sql.SQL("nullif(btrim({}, {}), '')").format(text, sql.Literal(BLANKS))


def _cast(column: Column) -> sql.Composed:
    if column.type == "jsonb":
        return sql.SQL("nullif(record -> {}, 'null')").format(sql.Literal(column.name))
    return sql.SQL("({})::{}").format(_text(column), sql.SQL(column.type))


def _problem(column: Column) -> sql.Composed:
    """SQL that gives a JSON array: empty, or with the reason why the column's value is not of its type."""
    if column.type in ("text", "jsonb"):
        return sql.SQL("'[]'::jsonb")
    text = _text(column)
    valid = sql.SQL("pg_input_is_valid({}, {})").format(text, sql.Literal(column.type))
    if column.type in SHAPES:
        valid = sql.SQL("({} and {} ~ {})").format(valid, text, sql.Literal(SHAPES[column.type]))
    message = sql.SQL("coalesce((pg_input_error_info({0}, {1})).message, {2} || quote_nullable({0}))").format(
        text, sql.Literal(column.type), sql.Literal(f"not an unambiguous {column.type}: ")
    )
    return sql.SQL("case when {} then '[]'::jsonb else jsonb_build_array({}) end").format(
        sql.SQL("coalesce({}, true)").format(valid),
        _reason(sql.Literal(column.name), sql.SQL("record ->> {}").format(sql.Literal(column.name)), message),
    )


def _quarantine_beyond_bounds(cursor: Cursor, load: Load) -> None:
    """Move what no later step could hold out of the landing table, whatever way it came."""
    bounded = [column for column in load.table.columns if column.type in BOUNDS]
    beyond = {c.name: sql.SQL(BOUNDS[c.type][0]).format(sql.Identifier(c.name)) for c in bounded}
    reasons = [
        sql.SQL("case when {} then jsonb_build_array({}) else '[]' end").format(
            beyond[column.name],
            _reason(
                sql.Literal(column.name),
                sql.SQL("{}::text").format(sql.Identifier(column.name)),
                sql.Literal(f"{column.name} is {BOUNDS[column.type][1]}"),
            ),
        )
        for column in bounded
    ]
    cursor.execute(
        sql.SQL(
            "with refused as (delete from {} where {} returning *) "
            "insert into quarantine.record (load_id, source, table_name, business_date, row_no, record, reasons) "
            "select {}, {}, {}, {}, _row_no, to_jsonb(refused) - '_row_no', {} from refused"
        ).format(
            landing_table(load.table),
            sql.SQL(" or ").join(beyond.values()),
            *map(sql.Literal, _identity(load)),
            sql.SQL(" || ").join(reasons),
        )
    )


def _reason(column: sql.Composable, value: sql.Composable, message: sql.Composable) -> sql.Composed:
    return sql.SQL(
        "jsonb_build_object('rule', 'type', 'column', {}, 'value', {}, 'message', {}, 'severity', 'warning')"
    ).format(column, value, message)


def _quarantine_unread(cursor: Cursor, load: Load, rejected: list[Rejection], first_row_no: int) -> int:
    """Quarantine what the reader could not read as a row of the contract. Returns how many."""
    cursor.executemany(
        sql.SQL(
            "insert into quarantine.record (load_id, source, table_name, business_date, row_no, record, reasons) "
            "values (%s, %s, %s, %s, %s, %s, jsonb_build_array({}))"
        ).format(_reason(sql.SQL("%s::text"), sql.SQL("%s::text"), sql.SQL("%s::text"))),
        [
            (*_identity(load), row_no, Jsonb(row.record), row.column, row.value, row.reason)
            for row_no, row in enumerate(rejected, first_row_no)
        ],
    )
    return len(rejected)


def _identity(load: Load) -> tuple:
    return load.load_id, load.table.source, load.table.name, load.business_date


def _check_count(cursor: Cursor, load: Load, rows_read: int) -> None:
    (arrived,) = cursor.execute(
        sql.SQL(
            "select (select count(*) from {}) + (select count(*) from quarantine.record where load_id = {})"
        ).format(landing_table(load.table), sql.Literal(load.load_id))
    ).fetchone()
    if arrived != rows_read:
        raise ledger.LoadError(f"{load}: {rows_read} rows were read and {arrived} arrived")
