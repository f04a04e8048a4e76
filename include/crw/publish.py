"""Landing -> raw and candidate -> marts, each in one transaction: nobody else publishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from psycopg import Connection, sql

from crw import ledger, raw, readers, reconcile
from crw.ledger import Load, LoadError
from crw.mart_columns import added_columns
from crw.privacy import suppression
from crw.warehouse import ensure_partition, is_spread, landing_table, note_load, partition, raw_table

SCHEMA = {"customer_360": "accounts"}
"""Where a mart goes that is not for dashboards: it lists single companies, which account managers and analysts may read."""

TELEMETRY = "data_health"
"""The mart that tells of the night itself: made last, when the ledger knows of all the others."""


@dataclass(frozen=True)
class Figures:
    """What became of the rows of a load: read = published + unchanged + quarantined. Apart, keys gone from the source."""

    read: int
    published: int
    unchanged: int
    quarantined: int
    vanished: int = 0
    """Keys that marts drop from tonight on."""
    held: int = 0
    """Keys that stay until a person approves."""


def publish_load(connection: Connection, load: Load, releases: list[int] | None = None) -> Figures:
    """Append to raw what the landing table holds and raw does not, and move the watermark, in one transaction.

    A row equal to the version that raw has as of the business date is unchanged and not stored again. On a re-run, a
    row that came out differently replaces what the same date published before, and one that is refused now, by a mended
    rule, leaves raw; a key the source no longer returns for that interval (it was amended since) keeps its version, for
    that is how it was known that night. What the date had in quarantine is settled too, but for the rows of a file that
    was not read again. A key that is gone from the source gets a last version, marked so, unless too many are.

    Args:
        connection: autocommit, to the warehouse.
        load: validated, and still what the landing table holds.
        releases: record_ids in quarantine that the load settles; by default what earlier loads of the date refused.

    Raises:
        LoadError: the load is not validated or was overtaken, or read is not published + unchanged + quarantined.
    """
    ensure_spread_partitions(connection, [load])
    with partition(connection, load.table, load.business_date) as month:
        ledger.lock(connection, load, "validated")
        raw.delete_outdated(connection, load)
        are_held = reconcile.are_held(connection, load)
        ended = 0 if are_held is None else raw.end_vanished(connection, load, are_held, month)
        published = raw.append(connection, load, month)
        if published or ended:
            note_load(connection, load.table, load.business_date, load.load_id)
        figures = _figures(connection, load, published)
        if figures.read != figures.published + figures.unchanged + figures.quarantined:
            raise LoadError(f"{load}: rows do not add up: {figures}")
        connection.execute(
            "update quarantine.record set released_at = clock_timestamp(), released_by_load_id = %(load)s "
            "where source = %(source)s and table_name = %(table)s and business_date = %(date)s "
            "and load_id < %(load)s and released_at is null "
            "and case when %(releases)s::bigint[] is not null then record_id = any (%(releases)s) "
            "else not record ? 'delivery_id' or record ->> 'delivery_id' in "
            "(select jsonb_object_keys(deliveries) from audit.load where load_id = %(load)s) end",
            {
                "load": load.load_id,
                "source": load.table.source,
                "table": load.table.name,
                "date": load.business_date,
                "releases": releases,
            },
        )
        ledger.record(
            connection,
            load,
            "published",
            rows_published=figures.published,
            rows_unchanged=figures.unchanged,
            rows_quarantined=figures.quarantined,
            vanished_are_held=are_held,
        )
    if published or ended:
        # Autovacuum never analyzes a partitioned table itself, and dbt reads it within the minute.
        connection.execute(sql.SQL("analyze {}").format(month))
        connection.execute(sql.SQL("analyze only {}").format(raw_table(load.table)))
    return Figures(*ledger.published_rows(connection, load))


def ensure_spread_partitions(connection: Connection, loads: list[Load]) -> None:
    """Make, before the transaction that publishes them, the partitions which cannot be made in it."""
    for load in loads:
        if is_spread(connection, load.table):
            ensure_partition(connection, load.table, load.business_date)


def publish_source(connection: Connection, loads: list[Load]) -> dict[str, Figures]:
    """Publish the loads of a source's tables for one business date in one transaction, and return each table's figures.

    Raises:
        LoadError: one of them cannot be published; then none is.
    """
    ensure_spread_partitions(connection, loads)
    with connection.transaction():
        figures = {load.table.name: publish_load(connection, load) for load in loads}
        suppression.forget_salt(connection, loads[0].table.source)
    return figures


def publish_marts(connection: Connection, business_date: date, run_id: str) -> dict[str, int]:
    """Replace every mart by its candidate, all or none, and return each mart's row count.

    Readers are never blocked: they see the old rows until the transaction ends. A mart whose columns changed is made
    anew, which waits for its readers, but not for ever. Each gets the columns of `mart_columns`.
    """
    counts = {}
    with readers.made_to_give_way(connection), connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('crw.publish_marts'))")
        marts = [name for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_schema = 'candidate' order by table_name = %s, 1",
            [TELEMETRY],
        )]  # fmt: skip
        for mart in marts:
            counts[mart] = _replace_mart(connection, mart, business_date)
            connection.execute(
                "insert into audit.publication (business_date, run_id, mart, row_count) values (%s, %s, %s, %s)",
                [business_date, run_id, mart, counts[mart]],
            )
    return counts


def _figures(connection: Connection, load: Load, published: int) -> Figures:
    read, quarantined, landed = connection.execute(
        sql.SQL(
            "select rows_read, (select count(*) from quarantine.record where load_id = {0}), (select count(*) from {1}) "
            "from audit.load where load_id = {0}"
        ).format(load.load_id, landing_table(load.table))
    ).fetchone()
    return Figures(read, published, landed - published, quarantined)


def _replace_mart(connection: Connection, mart: str, business_date: date) -> int:
    schema = SCHEMA.get(mart, "marts")
    candidate, published = sql.Identifier("candidate", mart), sql.Identifier(schema, mart)
    shapes = dict(
        connection.execute(
            "select table_schema, array_agg(format('%%s %%s', column_name, data_type) order by ordinal_position) "
            "from information_schema.columns where table_name = %s and table_schema = any (%s) group by 1",
            [mart, ["candidate", schema]],
        ).fetchall()
    )
    lists = dict(
        connection.execute("select column_name, list from core.code_column where mart = %s order by 1", [mart])
    )
    added = added_columns(
        [column.partition(" ")[0] for column in shapes["candidate"]], sql.Literal(business_date), lists
    )
    if shapes.get(schema) != shapes["candidate"] + [f"{name} {type}" for name, (type, _, _) in added.items()]:
        connection.execute(sql.SQL("drop table if exists {}, {}").format(published, sql.Identifier("marts", mart)))
        connection.execute(sql.SQL("create table {} (like {} including all)").format(published, candidate))
        for name, (type, _, says) in added.items():
            column = sql.SQL(f"{type} not null") if name == "business_date" else sql.SQL(type)
            connection.execute(sql.SQL("alter table {} add {} {}").format(published, sql.Identifier(name), column))
            connection.execute(
                sql.SQL("comment on column {}.{} is {}").format(published, sql.Identifier(name), sql.Literal(says))
            )
    else:
        connection.execute(sql.SQL("delete from {}").format(published))
    _copy_comments(connection, candidate, published)
    more = [expression for _, expression, _ in added.values()]
    return connection.execute(
        sql.SQL("insert into {} select {} from {}").format(
            published, sql.SQL(", ").join([sql.SQL("*"), *more]), candidate
        )
    ).rowcount


def _copy_comments(connection: Connection, candidate: sql.Identifier, published: sql.Identifier) -> None:
    """Say of the published mart and its columns what the candidate says: `like` leaves out the table's own, and later changes."""
    found = connection.execute(
        "select a.attname, d.description from pg_description as d "
        "left join pg_attribute as a on d.objoid = a.attrelid and d.objsubid = a.attnum and a.attnum > 0 "
        "where d.objoid = %s::regclass and d.classoid = 'pg_class'::regclass except "
        "select a.attname, d.description from pg_description as d "
        "left join pg_attribute as a on d.objoid = a.attrelid and d.objsubid = a.attnum and a.attnum > 0 "
        "where d.objoid = %s::regclass and d.classoid = 'pg_class'::regclass",
        [candidate.as_string(), published.as_string()],
    ).fetchall()
    for column, description in found:
        what = (
            sql.SQL("column {}.{}").format(published, sql.Identifier(column))
            if column
            else sql.SQL("table {}").format(published)
        )
        connection.execute(sql.SQL("comment on {} is {}").format(what, sql.Literal(description)))
