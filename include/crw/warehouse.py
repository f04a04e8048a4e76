"""The warehouse's own tables and roles: warehouse.sql, typed_date.sql, readers.sql, landing and raw tables from the contracts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.resources import files

from psycopg import Connection, sql

from crw import contracts, readers
from crw.contracts import Table
from crw.sources import BLANKS


def install(connection: Connection) -> None:
    """Create what is missing of the schemas, the ledger and every contract's tables. May run at any time, again.

    A column added to a contract is added to both tables. Raises ContractError when a column's type was changed or a
    column was dropped: raw is history, so that needs a migration by hand (docs/runbook.md).
    """
    with readers.made_to_give_way(connection):
        # A transaction each: another node is entered as the role at work, which it must have by then, and would wait there for
        # what the same transaction did as another role.
        for step in (_apply, _create_tables, _distribute_tables):
            with connection.transaction():
                connection.execute("select pg_advisory_xact_lock(hashtext('crw.warehouse.install'))")
                step(connection)


def _apply(connection: Connection) -> None:
    for part in ("warehouse.sql", "typed_date.sql", "readers.sql"):
        connection.execute(files("crw").joinpath(part).read_text(encoding="utf-8"))


def _create_tables(connection: Connection) -> None:
    connection.execute("set local role crw_loader")  # whose the landing and raw tables are
    for contract in contracts.tables().values():
        _create(connection, contract)


def _distribute_tables(connection: Connection) -> None:
    if is_distributed(connection):
        for contract in contracts.tables().values():
            _distribute(connection, contract)


def is_distributed(connection: Connection) -> bool:
    """Whether the warehouse is one of several nodes: where its database has the extension Citus, it is."""
    return connection.execute("select exists (select from pg_extension where extname = 'citus')").fetchone()[0]


def set_passwords(connection: Connection, passwords: dict[str, str]) -> None:
    """Let the roles of warehouse.sql log in, each with its password."""
    for role, password in passwords.items():
        connection.execute(
            sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(password))
        )


def landing_table(table: Table) -> sql.Identifier:
    """`landing.<source>__<table>`, quoted."""
    return sql.Identifier("landing", table.identifier)


def raw_table(table: Table) -> sql.Identifier:
    """`raw.<source>__<table>`, quoted."""
    return sql.Identifier("raw", table.identifier)


def columns_of(table: Table, alias: str | None = None) -> sql.Composed:
    """The contract's columns as a quoted, comma-separated list, each behind `alias` if given."""
    names = [(alias, name) if alias else (name,) for name in table.column_names]
    return sql.SQL(", ").join(sql.Identifier(*name) for name in names)


def keys_of(table: Table, alias: str) -> sql.Composed:
    """The columns of the key as a quoted, comma-separated list, each behind `alias`."""
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in table.key)


def matching_key(table: Table, left: str, right: str) -> sql.Composed:
    """Condition: the rows of two relations, by their aliases, have the same key."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in table.key
    )


def same_key(table: Table, record: str, quarantined: str) -> sql.Composed:
    """Condition: the row aliased `record` and the one of quarantine.record aliased `quarantined` have the same key."""
    return sql.SQL(" and ").join(
        sql.SQL("to_jsonb({}) #>> '{{}}' = {} ->> {}").format(
            sql.Identifier(record, name), sql.Identifier(quarantined, "record"), sql.Literal(name)
        )
        for name in table.key
    )


@contextmanager
def partition(connection: Connection, table: Table, business_date: date) -> Iterator[sql.Identifier]:
    """The raw partition of `business_date`'s month, for the block to store rows in, in one transaction with it.

    A missing one is attached with its rows: its indexes are made of them at once, in half of the time that they take row by row,
    and no reader of the table is waited for.
    """
    name, bounds = _month(table, business_date)
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"crw.partition.{name.as_string()}"])
        is_missing = _is_missing(connection, name)
        if is_missing:
            like = sql.SQL("create table {} (like {} including defaults)")
            connection.execute(like.format(name, raw_table(table)))
        yield name
        if is_missing:
            connection.execute(sql.SQL("alter table {} attach partition {} {}").format(raw_table(table), name, bounds))


def ensure_partition(connection: Connection, table: Table, business_date: date) -> None:
    """Make the raw partition of `business_date`'s month if it is missing.

    Of a table that is spread over nodes before the transaction that stores rows in it: Citus would keep a copy of rows that are
    attached on the coordinator, and stops an attachment as a deadlock. There it waits for readers of the table.
    """
    name, bounds = _month(table, business_date)
    if not _is_missing(connection, name):
        return
    if is_spread(connection, table):
        create = sql.SQL("create table if not exists {} partition of {} {}").format(name, raw_table(table), bounds)
        with readers.made_to_give_way(connection):  # functions of as_of read raw in a reader's transaction
            connection.execute(create)
    else:
        with partition(connection, table, business_date):
            pass


def is_spread(connection: Connection, table: Table) -> bool:
    """Whether the table's rows in raw lie on several nodes."""
    return table.distribute_by is not None and is_distributed(connection)


def _is_missing(connection: Connection, relation: sql.Identifier) -> bool:
    return connection.execute("select to_regclass(%s) is null", [relation.as_string()]).fetchone()[0]


def _month(table: Table, business_date: date) -> tuple[sql.Identifier, sql.Composed]:
    """The name of the partition that a date belongs to, and its bounds."""
    first = business_date.replace(day=1)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    bounds = sql.SQL("for values from ({}) to ({})").format(sql.Literal(first), sql.Literal(after))
    return sql.Identifier("raw", f"{table.identifier}__{first:%Y_%m}"), bounds


def note_load(connection: Connection, table: Table, business_date: date, load_id: int) -> None:
    """Note in audit.raw_change that a load stored rows in raw, in the transaction that stores them."""
    connection.execute(
        "insert into audit.raw_change (relation, business_date, load_id) values (%s, %s, %s)",
        [table.identifier, business_date, load_id],
    )


def _create(connection: Connection, table: Table) -> None:
    definitions = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type)) for column in table.columns
    )
    # Unlogged: a crash empties landing, publishing then refuses the load, and its batch can be extracted again.
    connection.execute(
        sql.SQL(
            "create unlogged table if not exists {} ({}, _row_no bigint generated always as identity (cache 1000))"
        ).format(landing_table(table), definitions)
    )
    connection.execute(
        sql.SQL(
            "create table if not exists {} ({}, _load_id bigint not null, _business_date date not null, "
            "_is_vanished boolean not null default false) partition by range (_business_date)"
        ).format(raw_table(table), definitions)
    )
    raw = f"raw.{table.identifier}"
    if not connection.execute(
        "select true from pg_attribute where attrelid = %s::regclass and attname = '_is_vanished'", [raw]
    ).fetchone():
        connection.execute(
            sql.SQL("alter table {} add column _is_vanished boolean not null default false").format(raw_table(table))
        )
    # Looked up first: `create index if not exists` locks the table all the same, and autovacuum may hold it.
    key = sql.SQL(", ").join(map(sql.Identifier, table.key))
    versions = sql.SQL("{}, _business_date desc, _load_id desc").format(key)
    indexes = {"key": (versions, ""), "vanished": (versions, "where _is_vanished")}
    if table.column(table.key[0]).type == "text":
        # Staging knows a record by its key without blanks around it, and is asked for those that the night changed.
        trimmed = sql.SQL("nullif(btrim({}, {}), '')").format(sql.Identifier(table.key[0]), sql.Literal(BLANKS))
        indexes["trimmed"] = (sql.SQL("({})").format(trimmed), "")
    for index, (columns, where) in indexes.items():
        if connection.execute("select to_regclass(%s)", [f"{raw}_{index}"]).fetchone()[0] is None:
            connection.execute(
                sql.SQL("create index {} on {} ({}) {}").format(
                    sql.Identifier(f"{table.identifier}_{index}"), raw_table(table), columns, sql.SQL(where)
                )
            )
    for schema in ("landing", "raw"):
        _add_new_columns(connection, table, schema)


def _distribute(connection: Connection, table: Table) -> None:
    """Spread the rows of raw over the nodes by the column that the contract names; what is there moves.

    Landing stays where it is: a row without its key is to be refused, and cannot lie on any of several nodes.
    """
    if table.distribute_by:
        connection.execute(
            "select create_distributed_table(%(relation)s, %(column)s) "
            "where not exists (select from pg_dist_partition where logicalrelid = %(relation)s::regclass)",
            {"relation": f"raw.{table.identifier}", "column": table.distribute_by},
        )


def _add_new_columns(connection: Connection, table: Table, schema: str) -> None:
    present = dict(
        connection.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 and not attisdropped and attname not like '\\_%%'",
            [f"{schema}.{table.identifier}"],
        ).fetchall()
    )
    for column in table.columns:
        if column.name not in present:
            connection.execute(
                sql.SQL("alter table {} add column {} {}").format(
                    sql.Identifier(schema, table.identifier), sql.Identifier(column.name), sql.SQL(column.type)
                )
            )
        elif connection.execute("select %s::regtype = %s::regtype", [present[column.name], column.type]).fetchone() == (
            False,
        ):
            raise contracts.ContractError(
                f"{schema}.{table.identifier}.{column.name} is {present[column.name]}, the contract says {column.type}"
            )
    for name in present.keys() - set(table.column_names):
        raise contracts.ContractError(f"{schema}.{table.identifier}.{name} is no longer in the contract")
