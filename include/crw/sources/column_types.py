"""Which types a relation's columns may have where the contract wants others: those whose every value comes over unchanged."""

from __future__ import annotations

from zoneinfo import available_timezones

from psycopg import Connection, sql

from crw.contracts import Column, ContractError, Table

WHOLE = {"int2", "int4", "int8"}
TEXTUAL = {"text", "varchar", "bpchar", "name", "citext", "enum"}
READABLE = {
    "smallint": {"int2"},
    "integer": {"int2", "int4"},
    "bigint": WHOLE,
    "numeric": {"numeric", *WHOLE},
    "boolean": {"bool"},
    "text": {*TEXTUAL, "uuid", *WHOLE},
}
"""By type of the contract; of any other type only itself. A cast that rounds, or reads a text in a style of its own, is none."""

ON_A_CLOCK = {"timestamp", "date"}
"""Moments only on the clock that the contract declares."""


def found(table: Table, connection: Connection) -> dict[str, str]:
    """The types of the relation's columns, by name: a domain's is the type below it, every enumeration's is `enum`.

    Raises:
        ContractError: the relation lacks a column of the contract, has one that the contract does not know, or has one
            whose type cannot be read as the contract's (the message names all of them), or the contract's clock is none.
    """
    rows = connection.execute(
        "with recursive resolved as ("
        "select attname, format_type(atttypid, atttypmod) as declared, atttypid as type from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped "
        "union all select attname, declared, typbasetype from resolved join pg_type on oid = type where typtype = 'd') "
        "select attname, declared, case when typtype = 'e' then 'enum' else typname end "
        "from resolved join pg_type on oid = type where typtype <> 'd'",
        [table.relation],
    ).fetchall()
    where = f"relation {table.relation}"
    table.check_fields({name for name, _, _ in rows}, where)
    if table.clock is not None and table.clock not in available_timezones():
        raise ContractError(f"{where}: its contract's clock {table.clock!r} is no time zone, such as Asia/Hong_Kong")
    types = {name: type for name, _, type in rows}
    declared = {name: type for name, type, _ in rows}
    if wrong := [column for column in table.columns if not _is_readable(column, types[column.field], table.clock)]:
        told = "; ".join(f"column {column.field} is {declared[column.field]}, {_wanted(column)}" for column in wrong)
        clock = any(types[column.field] in ON_A_CLOCK and column.type == "timestamptz" for column in wrong)
        hint = "declare the source's clock in its contract (meta.clock: Asia/Hong_Kong), or " if clock else ""
        raise ContractError(
            f"{where}: {told}. To read it, {hint}name in `meta.relation` a view that casts as it should be"
        )
    return types


def expression(column: Column, type: str, clock: str | None) -> sql.Composed:
    """SQL that gives a column of the source, which has that type, in the contract's; it raises for no value."""
    name = sql.Identifier(column.field)
    if column.type != "timestamptz" or type not in ON_A_CLOCK:
        return sql.SQL("{}::{}").format(name, sql.SQL(column.type))
    # What another clock would carry beyond the type's own bounds is refused by landing all the same.
    return sql.SQL(
        "case when {0} >= '200000-01-01' then 'infinity' when {0} < '4000-01-01 BC' then '-infinity' "
        "else {0}::timestamp at time zone {1} end"
    ).format(name, sql.Literal(clock))


def moment(instant: sql.Composable, type: str, clock: str | None) -> sql.Composable:
    """SQL of an instant as a column of that type compares with it, so that the source's index on it is of use."""
    return sql.SQL("({} at time zone {})").format(instant, sql.Literal(clock)) if type in ON_A_CLOCK else instant


def _is_readable(column: Column, type: str, clock: str | None) -> bool:
    if column.pseudonym_of:
        return type in TEXTUAL
    on_declared_clock = column.type == "timestamptz" and type in ON_A_CLOCK and clock is not None
    return on_declared_clock or type in READABLE.get(column.type, {column.type})


def _wanted(column: Column) -> str:
    return f"but {column.name} is made of a text" if column.pseudonym_of else f"the contract says {column.type}"
