"""What a load changes in raw: versions appended, versions of a re-run taken back, a last version of what vanished.

Each statement runs on one node as on several (`meta.distribute_by` of a contract), where raw is spread and landing is not.
"""

from __future__ import annotations

from psycopg import Connection, sql

from crw import ledger
from crw.ledger import Load
from crw.warehouse import columns_of, keys_of, landing_table, matching_key, raw_table, same_key


def _record(load: Load, alias: str) -> sql.Composed:
    """The columns in which two versions are compared: all but those that tell of the delivery."""
    return sql.SQL(", ").join(
        sql.Identifier(alias, column.name) for column in load.table.columns if not column.provenance
    )


def delete_outdated(connection: Connection, load: Load) -> None:
    """On a re-run, take back what the date published before and what is other or refused now."""
    if not ledger.is_published(connection, load.table, load.business_date):
        return
    _delete(
        connection,
        load,
        sql.SQL(
            "select {keys}, r._load_id from {raw} as r join {landing} as l on {same} "
            "where r._business_date = {date} and row({published}) is distinct from row({landed})"
        ),
        same=matching_key(load.table, "r", "l"),
        published=_record(load, "r"),
        landed=_record(load, "l"),
    )
    _delete(
        connection,
        load,
        sql.SQL(
            "select {keys}, r._load_id from {raw} as r join quarantine.record as q on {refused} "
            "left join (select {landed} from {landing} as l) as l on {same} "
            "where r._business_date = {date} and q.load_id = {load_id} and {first} is null"
        ),
        refused=same_key(load.table, "r", "q"),
        landed=keys_of(load.table, "l"),
        same=matching_key(load.table, "r", "l"),
        first=sql.Identifier("l", load.table.key[0]),
    )


def _delete(connection: Connection, load: Load, which: sql.SQL, **parts: sql.Composable) -> None:
    """Delete rows of the load's date from raw, and note their keys in audit.raw_change.

    Args:
        which: a query of the key and _load_id of each. The rows to go are known before any goes, as a table of several nodes
            demands; so do the subqueries in place of joins with tables that only one node has.
        parts: what stands in its braces, but for the load's own.
    """
    own = {
        "raw": raw_table(load.table),
        "landing": landing_table(load.table),
        "keys": keys_of(load.table, "r"),
        "date": sql.Literal(load.business_date),
        "load_id": sql.Literal(load.load_id),
    }
    statement = sql.SQL(
        "with outdated as materialized (" + which.as_string() + "), "
        "deleted as (delete from {raw} as r where r._business_date = {date} "
        "and ({keys}, r._load_id) in (table outdated) returning {key}::text as key) "
        "insert into audit.raw_change (relation, business_date, key) select distinct {relation}, {date}, key from deleted"
    )
    key, relation = sql.Identifier("r", load.table.key[0]), sql.Literal(load.table.identifier)
    connection.execute(statement.format(**own, **parts, key=key, relation=relation))


def end_vanished(connection: Connection, load: Load, are_held: bool, partition: sql.Identifier) -> int:
    """Give each key that is gone from the source a last version, the latest one marked. Returns how many this load did.

    What an earlier attempt of the date marked stays if the key is still gone, else it goes.
    """
    vanished = sql.SQL(
        "audit.vanished as gone cross join lateral jsonb_populate_record(null::{}, gone.key) as v"
    ).format(landing_table(load.table))
    _delete(
        connection,
        load,
        sql.SQL(
            "select {keys}, r._load_id from {raw} as r left join (select {gone} from {vanished} where gone.load_id = {load_id}) as v "
            "on {same} where r._business_date = {date} and r._is_vanished and {first} is null"
        ),
        vanished=vanished,
        gone=keys_of(load.table, "v"),
        same=matching_key(load.table, "r", "v"),
        first=sql.Identifier("v", load.table.key[0]),
    )
    if are_held:
        return 0
    return connection.execute(
        sql.SQL(
            "insert into {partition} ({columns}, _load_id, _business_date, _is_vanished) "
            "select {columns}, {load_id}, {date}, true from (select distinct on ({keys}) {latest}, r._is_vanished from {raw} as r "
            "where ({keys}) in (select {gone} from {vanished} where gone.load_id = {load_id}) and r._business_date <= {date} "
            "order by {keys}, r._business_date desc, r._load_id desc) as latest where not _is_vanished"
        ).format(
            raw=raw_table(load.table),
            partition=partition,
            columns=columns_of(load.table),
            latest=columns_of(load.table, "r"),
            keys=keys_of(load.table, "r"),
            gone=keys_of(load.table, "v"),
            vanished=vanished,
            date=load.business_date,
            load_id=load.load_id,
        )
    ).rowcount


def append(connection: Connection, load: Load, partition: sql.Identifier) -> int:
    """Store each row of landing that raw does not have as of the date in the date's partition. Returns how many."""
    statement = sql.SQL(
        """
        with latest as (
            select distinct on ({key}) {raw_columns}, r._is_vanished
            from {raw} as r
            where r._business_date <= {date} and ({key}) in (select {landed_key} from {landing} as l)
            order by {key}, r._business_date desc, r._load_id desc
        )
        insert into {partition} ({columns}, _load_id, _business_date)
        select {landing_columns}, {load_id}, {date}
        from {landing} as l left join latest as r on {key_match}
        where row({landing_record}) is distinct from row({raw_record}) or r._is_vanished
        """
    )
    cursor = connection.execute(
        statement.format(
            key=keys_of(load.table, "r"),
            landed_key=keys_of(load.table, "l"),
            raw=raw_table(load.table),
            partition=partition,
            landing=landing_table(load.table),
            key_match=matching_key(load.table, "l", "r"),
            columns=columns_of(load.table),
            landing_columns=columns_of(load.table, "l"),
            raw_columns=columns_of(load.table, "r"),
            landing_record=_record(load, "l"),
            raw_record=_record(load, "r"),
            load_id=load.load_id,
            date=load.business_date,
        )
    )
    return cursor.rowcount
