"""Who was erased and must not come back: a delivery that still has the person is landed without.

The row itself is kept, for it counts. A record that raw has keeps the nobody that stands there since the erasure, so that it is
unchanged, or amended in what else it says; a new one gets a random pseudonym, the same in all tables of the source until it publishes.
"""

from __future__ import annotations

from psycopg import Connection, Cursor, sql

from crw.ledger import Load
from crw.privacy.subject import Subject, SubjectError
from crw.warehouse import keys_of, landing_table, matching_key, raw_table

STRANGER = "encode(sha256(salt.salt || convert_to({value}, 'UTF8')), 'hex')"


def apply(cursor: Cursor, load: Load) -> int:
    """Take suppressed persons out of what was just landed and refused, and return in how many values one stood.

    Args:
        cursor: in the transaction that lands the batch.
        load: whose batch it is.
    """
    columns = [column.name for column in load.table.columns if column.pseudonym_of]
    if not columns or cursor.execute("select exists (select from audit.suppression)").fetchone() == (False,):
        return 0
    cursor.execute(
        "insert into audit.suppression_salt (source) values (%s) on conflict do nothing", [load.table.source]
    )
    return sum(_replace_landed(cursor, load, name) + _replace_refused(cursor, load, name) for name in columns)


def lift(connection: Connection, subject: Subject, by: str, reason: str) -> None:
    """Take a person off the list: deliveries bring the person as any other from now on. What was erased does not come back.

    Args:
        connection: to the warehouse, as a role that may change the list.
        subject: the person, by the identifiers that were given to be erased.
        by: who does it, for `audit.readmission`.
        reason: why, or the request's number.

    Raises:
        SubjectError: one of the identifiers is not on the list; nothing is changed.
    """
    pseudonyms = sorted(subject.pseudonyms)
    with connection.transaction():
        lifted = connection.execute("delete from audit.suppression where pseudonym = any (%s)", [pseudonyms]).rowcount
        if lifted < len(pseudonyms):
            raise SubjectError("not all of these identifiers are on the suppression list: give those that were erased")
        connection.execute("insert into audit.readmission (readmitted_by, reason) values (%s, %s)", [by, reason])


def forget_salt(connection: Connection, source: str) -> None:
    """End a source's random pseudonyms, in the transaction that publishes it: from then on nobody can make them again."""
    connection.execute("delete from audit.suppression_salt where source = %s", [source])


def _replace_landed(cursor: Cursor, load: Load, column: str) -> int:
    return cursor.execute(
        sql.SQL(
            "with suppressed as materialized (select {keys}, l._row_no, " + STRANGER + " as stranger "
            "from {landing} as l, audit.suppression_salt as salt "
            "where salt.source = {source} and l.{column} in (select pseudonym from audit.suppression)), "
            "stands as materialized (select distinct on ({raw_keys}) {raw_keys}, r.{column} as nobody from {raw} as r "
            "where ({raw_keys}) in (select {keys} from suppressed as l) and r._business_date <= {date} "
            "and r.{column} in (select pseudonym from audit.nobody) order by {raw_keys}, r._business_date desc, r._load_id desc), "
            "replaced as (update {landing} as l set {column} = coalesce(r.nobody, suppressed.stranger) "
            "from suppressed left join stands as r on {same} where l._row_no = suppressed._row_no returning l.{column} as made), "
            "noted as (insert into audit.nobody select made from replaced on conflict do nothing) "
            "select count(*) from replaced"
        ).format(
            landing=landing_table(load.table),
            raw=raw_table(load.table),
            column=sql.Identifier(column),
            keys=keys_of(load.table, "l"),
            raw_keys=keys_of(load.table, "r"),
            same=matching_key(load.table, "r", "suppressed"),
            date=sql.Literal(load.business_date),
            source=sql.Literal(load.table.source),
            value=sql.Identifier("l", column),
        )
    ).fetchone()[0]


def _replace_refused(cursor: Cursor, load: Load, column: str) -> int:
    return cursor.execute(
        sql.SQL(
            "with replaced as (update quarantine.record as q "
            "set record = jsonb_set(record, array[{name}], to_jsonb(" + STRANGER + ")) "
            "from audit.suppression_salt as salt where salt.source = {source} and q.load_id = {load_id} "
            "and record ->> {name} in (select pseudonym from audit.suppression) returning record ->> {name} as made), "
            "noted as (insert into audit.nobody select made from replaced on conflict do nothing) "
            "select count(*) from replaced"
        ).format(
            name=sql.Literal(column),
            source=sql.Literal(load.table.source),
            load_id=sql.Literal(load.load_id),
            value=sql.SQL("record ->> {}").format(sql.Literal(column)),
        )
    ).fetchone()[0]
