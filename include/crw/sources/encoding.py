"""Rows of a PostgreSQL source whose text cannot become UTF-8: found before the rest is read, for they would end the COPY.

There are none in a database that is UTF-8 itself. One that is SQL_ASCII keeps whatever bytes it was given, and in others
(WIN1252, EUC_JP, ...) some bytes stand for nothing.
"""

from __future__ import annotations

import json

from psycopg import Connection, errors, sql

from crw.contracts import Table
from crw.sources import Rejection
from crw.sources.column_types import TEXTUAL

# An inner block a row: nothing but an exception tells that a text cannot be converted.
SEARCH = """
declare
    line record;
    place integer;
    found jsonb := '[]';
begin
    for line in select {texts} as texts, {digest} as digest, {key} as key from {relation} where {condition} loop
        begin
            for place_no in 1 .. cardinality(line.texts) loop
                place := place_no;
                perform convert_to(line.texts[place_no], 'UTF8');
            end loop;
        exception when untranslatable_character or character_not_in_repertoire then
            found := found || jsonb_build_object('digest', line.digest, 'place', place, 'key', line.key);
        end;
    end loop;
    perform set_config('crw.unreadable', found::text, true);
end
"""


def unreadable(
    table: Table, connection: Connection, types: dict[str, str], condition: sql.Composable
) -> tuple[sql.Composable, list[Rejection]]:
    """The rows to leave out, of those that meet the condition: as a further condition, and each as it is refused.

    Args:
        table: contract with a `relation`.
        connection: to the source, in the transaction that will read the rows.
        types: of the source's columns.
        condition: which rows will be read.
    """
    none = sql.SQL("true"), []
    names = [column.field for column in table.columns if types[column.field] in TEXTUAL]
    encoding = connection.info.parameter_status("server_encoding")
    if encoding == "UTF8" or not names:
        return none
    texts = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in names]
    digest = sql.SQL("encode(sha256({}), 'hex')").format(
        _bytes(sql.SQL("concat_ws('|', {})").format(sql.SQL(", ").join(texts)))
    )
    relation = sql.Identifier(*table.relation.split("."))
    try:
        with connection.transaction():
            converted = sql.SQL(" || ").join(
                sql.SQL("coalesce(convert_to({}, 'UTF8'), '')").format(text) for text in texts
            )
            connection.execute(sql.SQL("select count({}) from {} where {}").format(converted, relation, condition))
        return none
    except (errors.UntranslatableCharacter, errors.CharacterNotInRepertoire):
        pass
    key = sql.SQL(", ").join(
        sql.SQL("{}, encode({}, 'escape')").format(
            sql.Literal(name), _bytes(sql.SQL("{}::text").format(sql.Identifier(table.column(name).field)))
        )
        for name in (*table.key, table.watermark)
    )
    body = sql.SQL(SEARCH).format(
        texts=sql.SQL("array[{}]").format(sql.SQL(", ").join(texts)),
        digest=digest,
        key=sql.SQL("jsonb_build_object({})").format(key),
        relation=relation,
        condition=condition,
    )
    connection.execute(sql.SQL("do {}").format(sql.Literal(body.as_string(connection))))
    (found,) = connection.execute("select current_setting('crw.unreadable')").fetchone()
    rows = json.loads(found)
    left_out = sql.SQL("{} <> all ({})").format(digest, sql.Literal([row["digest"] for row in rows]))
    return left_out, [_rejection(table, names[row["place"] - 1], row["key"], encoding) for row in rows]


def _bytes(text: sql.Composable) -> sql.Composed:
    """The bytes of a text as the source keeps it; nothing is converted to SQL_ASCII."""
    return sql.SQL("convert_to({}, 'SQL_ASCII')").format(text)


def _rejection(table: Table, name: str, key: dict[str, str | None], encoding: str) -> Rejection:
    why = (
        "holds bytes that are no UTF-8, and the database is SQL_ASCII, which says nothing of them: mend the row, or convert the "
        "database to UTF-8"
        if encoding == "SQL_ASCII"
        else f"holds a character of {encoding} that has no like in UTF-8: mend the row"
    )
    row = ", ".join(f"{column}={key[column]}" for column in table.key)
    column = next(column.name for column in table.columns if column.field == name)
    return Rejection(f"{table.relation}, {row}: {name} {why}", key, column)
