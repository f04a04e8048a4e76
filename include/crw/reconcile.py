"""All that a source holds against what raw has as latest: which rows no interval would ever read, and which keys are gone.

Keys and watermarks alone are compared, in one hash join. What it finds is in audit.load, the keys that are gone in audit.vanished.
"""

from __future__ import annotations

from functools import partial

from psycopg import Connection, Cursor, sql

from crw import contract_reconcile
from crw.contracts import Table
from crw.held import VANISHED
from crw.ledger import Load
from crw.sources.listing import KEY_SEPARATOR, Compare, Listing
from crw.warehouse import matching_key, raw_table, same_key

HANDFUL = 5
"""Keys that may vanish in a night whatever their share is: in a table of ten, one is a tenth."""

WATERMARK = "_watermark"
"""The watermark in a temporary table, where a key may have a column of its name."""


def comparison(connection: Connection, load: Load) -> Compare | None:
    """How the load is to compare its source with raw, or None where that is not due.

    It is due as often as the contract says, and only on the newest date: what a later one has published is known better since.
    """
    every = load.table.reconcile.every
    if every == "never":
        return None
    (is_due,) = connection.execute(
        "select not exists (select from audit.load where source = %s and table_name = %s and state = 'published' and "
        "(business_date > %s or rows_at_source is not null and business_date < %s and business_date > %s - %s))",
        [load.table.source, load.table.name, *[load.business_date] * 3, contract_reconcile.DAYS[every]],
    ).fetchone()
    return partial(_compare, connection, load) if is_due else None


def are_held(connection: Connection, load: Load) -> bool | None:
    """Whether more keys vanished than may without a person's approval; None where nothing was compared.

    Allowed are a handful and the contract's share, and none if the source is empty. On top come as many as were held on a date
    that is approved, as long as nothing has been let through since.
    """
    named = [load.table.source, load.table.name]
    at_source, in_raw, vanished = connection.execute(
        "select rows_at_source, rows_in_raw, rows_vanished from audit.load where load_id = %s", [load.load_id]
    ).fetchone()
    if at_source is None:
        return None
    (approved,) = connection.execute(
        "with compared as (select business_date, rows_vanished, vanished_are_held from audit.load "
        "where source = %s and table_name = %s and state = 'published' and rows_at_source is not null) "
        "select coalesce(max(rows_vanished), 0) from compared where vanished_are_held and business_date <= %s "
        "and business_date > coalesce((select max(business_date) from compared "
        "where not vanished_are_held and business_date < %s), '-infinity') "
        "and business_date in (select business_date from (select distinct on (business_date) business_date, decision "
        "from audit.approval where source = %s and table_name = %s and rule = %s order by business_date, approval_id desc) as last "
        "where decision = 'approved')",
        [*named, load.business_date, load.business_date, *named, VANISHED],
    ).fetchone()
    allowed = max(HANDFUL, load.table.reconcile.vanished_limit * in_raw) if at_source else 0
    return vanished > allowed + approved


def _compare(connection: Connection, load: Load, listing: Listing) -> frozenset[str]:
    with connection.transaction(), connection.cursor() as cursor:
        at_source = _fill(cursor, load.table, listing)
        in_raw = _differ(cursor, load)
        late = _late(cursor, load)
        vanished = _note_vanished(cursor, load)
        cursor.execute(
            "update audit.load set rows_at_source = %s, rows_in_raw = %s, rows_found_late = %s, rows_vanished = %s "
            "where load_id = %s",
            [at_source, in_raw, len(late), vanished, load.load_id],
        )
    return frozenset(late)


def _fill(cursor: Cursor, table: Table, listing: Listing) -> int:
    """The listing into a temporary table. Returns its number of rows. A text that is not of its type becomes null."""
    types = {name: table.column(name).type for name in table.key} | {WATERMARK: table.column(table.watermark).type}
    cursor.execute(_temporary("listing", types))
    if listing.format == "binary":
        with cursor.copy("copy listing from stdin (format binary)") as copy:
            for block in listing.rows:
                copy.write(block)
    else:
        cursor.execute(_temporary("listed", dict.fromkeys(types, "text")))
        with cursor.copy("copy listed from stdin") as copy:
            for row in listing.rows:
                copy.write_row(row)
        typed = (
            sql.SQL("case when pg_input_is_valid({0}, {1}) then {0}::{2} end").format(
                sql.Identifier(name), sql.Literal(type_), sql.SQL(type_)
            )
            for name, type_ in types.items()
        )
        cursor.execute(sql.SQL("insert into listing select {} from listed").format(sql.SQL(", ").join(typed)))
    rows = cursor.rowcount
    cursor.execute("analyze listing")
    return rows


def _temporary(name: str, types: dict[str, str]) -> sql.Composed:
    columns = (sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(type_)) for column, type_ in types.items())
    return sql.SQL("create temporary table {} ({}) on commit drop").format(
        sql.Identifier(name), sql.SQL(", ").join(columns)
    )


def _differ(cursor: Cursor, load: Load) -> int:
    """What raw had before the date and the listing disagree in, into a temporary table. Returns the number of keys in raw.

    Of the listing only rows whose watermark no interval holds: not this load's, and no later one's.
    """
    table = load.table
    statement = sql.SQL(
        """
        create temporary table difference on commit drop as select *, false as is_at_source from listing with no data;
        with stood as materialized (
            select {keys}, known from (
                select distinct on ({keys}) {keys}, {watermark} as known, _is_vanished from {raw} where _business_date < {date}
                order by {keys}, _business_date desc, _load_id desc
            ) as version where not _is_vanished
        ), differing as (
            insert into difference
            select {either}, listing._watermark, listing.{first} is not null
            from (select * from listing where row({keys}) is not null) as listing
            full join stood on {same}
            where listing.{first} is null
                or (listing._watermark < {start} or listing._watermark >= {horizon})
                and listing._watermark is distinct from stood.known
        )
        select count(*) from stood
        """
    ).format(
        keys=_listed(table.key),
        either=sql.SQL(", ").join(
            sql.SQL("coalesce({}, {})").format(sql.Identifier("listing", name), sql.Identifier("stood", name))
            for name in table.key
        ),
        first=sql.Identifier(table.key[0]),
        watermark=sql.Identifier(table.watermark),
        raw=raw_table(table),
        same=matching_key(table, "listing", "stood"),
        date=sql.Literal(load.business_date),
        start=sql.Literal(load.interval.start),
        horizon=sql.Literal(load.interval.horizon),
    )
    cursor.execute(statement)
    cursor.nextset()
    return cursor.fetchone()[0]


def _late(cursor: Cursor, load: Load) -> list[str]:
    """The keys of rows to be read now, one a row.

    Not those that another date refused and that wait in quarantine as they are, or were given up there: they were told. Nor, of two
    rows of one key, the earlier one that raw has had: read alone, it would take the later one's place. Both are read where it was
    never known, and the suite refuses it.
    """
    table = load.table
    statement = sql.SQL(
        """
        with known as materialized (
            select distinct {keys}, {watermark} as watermark from {raw}
            where _business_date < {date} and ({keys}) in (select {keys} from difference where is_at_source)
        )
        select concat_ws({separator}, {keys}) from difference
        where is_at_source
        and not exists (
            select from quarantine.record as q
            where q.source = {source} and q.table_name = {table} and q.business_date <> {date}
            and (q.released_at is null
                or exists (select from audit.quarantine_action as a where a.record_id = q.record_id and a.action = 'expired'))
            and {quarantined}
            and case when pg_input_is_valid(q.record ->> {name}, {type}) then (q.record ->> {name})::{sql_type} end
                = difference._watermark
        )
        and not (
            exists (select from listing where {listed} and listing._watermark > difference._watermark)
            and exists (select from known where {known} and known.watermark = difference._watermark)
        )
        """
    ).format(
        separator=sql.Literal(KEY_SEPARATOR),
        keys=_listed(table.key),
        source=sql.Literal(table.source),
        table=sql.Literal(table.name),
        date=sql.Literal(load.business_date),
        quarantined=same_key(table, "difference", "q"),
        name=sql.Literal(table.watermark),
        type=sql.Literal(table.column(table.watermark).type),
        sql_type=sql.SQL(table.column(table.watermark).type),
        watermark=sql.Identifier(table.watermark),
        listed=matching_key(table, "listing", "difference"),
        raw=raw_table(table),
        known=matching_key(table, "known", "difference"),
    )
    return [key for (key,) in cursor.execute(statement)]


def _note_vanished(cursor: Cursor, load: Load) -> int:
    """The keys that are gone from the source, in the place of those of earlier loads. Returns how many."""
    pairs = sql.SQL(", ").join(
        sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier(name)) for name in load.table.key
    )
    cursor.execute(
        "delete from audit.vanished using audit.load where vanished.load_id = load.load_id "
        "and load.source = %s and load.table_name = %s",
        [load.table.source, load.table.name],
    )
    cursor.execute(
        sql.SQL(
            "insert into audit.vanished (load_id, key) select {}, jsonb_build_object({}) from difference where not is_at_source"
        ).format(sql.Literal(load.load_id), pairs)
    )
    return cursor.rowcount


def _listed(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
