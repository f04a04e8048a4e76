"""Every table in which a person may stand: find one there, put another pseudonym in the place of one.

Whatever the catalogue names is looked through, so that a table made later is too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection, sql

from crw import contracts
from crw.privacy.subject import Subject

WAREHOUSE = ("landing", "raw", "quarantine", "audit", "core", "candidate", "marts", "accounts")
"""The schemas that hold rows; staging and as_of are made of them when they are asked."""

SUPPRESSION = "audit.suppression"
"""The one table in which a pseudonym stands for the person that must not come back."""

TEXTS = ("text", "character varying", "json", "jsonb", "text[]")
ROW = sql.Identifier("t")

HOLDS_OTHERS = ("json", "jsonb", "text[]")
"""Types of which a pseudonym may be a part."""

RENEWED = """
    create function pg_temp.renewed_text(value text) returns text language plpgsql as $$
    declare
        pair record;
    begin
        for pair in select old, new from renewed where old in (select m[1] from regexp_matches(value, '[0-9a-f]{64}', 'g') as m) loop
            value := replace(value, pair.old, pair.new);
        end loop;
        return value;
    end $$
"""


class NightAtWork(RuntimeError):
    """Loads or dbt are writing: what they have read before would come after."""


@dataclass(frozen=True)
class Relation:
    """One table, with its columns that can hold a text, and their types."""

    schema: str
    name: str
    texts: dict[str, str]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> sql.Identifier:
        """For a statement."""
        return sql.Identifier(self.schema, self.name)


@contextmanager
def at_rest(connection: Connection) -> Iterator[None]:
    """A transaction beside which no load and no publication runs. Raises NightAtWork if one does, or dbt."""
    with connection.transaction():
        (working,) = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and state <> 'idle' "
            "and usename in ('crw_loader', 'crw_transformer') and pid <> pg_backend_pid()"
        ).fetchone()
        names = [f"crw.load.{table.identifier}" for table in contracts.tables().values()] + ["crw.publish_marts"]
        taken = [
            connection.execute("select pg_try_advisory_xact_lock(hashtext(%s))", [name]).fetchone()[0] for name in names
        ]
        if working or not all(taken):
            raise NightAtWork("a night is at work on the warehouse: do it again when it has ended")
        yield


def relations(connection: Connection, schemas: Collection[str] | None = WAREHOUSE) -> list[Relation]:
    """The tables of the schemas (of all but PostgreSQL's own, for None) that the session may change; partitions with their table."""
    found = connection.execute(
        "select n.nspname, c.relname, coalesce(jsonb_object_agg(a.attname, format_type(a.atttypid, null)) "
        "filter (where format_type(a.atttypid, null) = any (%(texts)s)), '{}') "
        "from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "where c.relkind in ('r', 'p') and not c.relispartition and has_table_privilege(c.oid, 'update') and "
        "case when %(schemas)s::text[] is null then n.nspname !~ '^pg_|^information_schema$' else n.nspname = any (%(schemas)s) end "
        "group by 1, 2 order by 1, 2",
        {"texts": list(TEXTS), "schemas": schemas and list(schemas)},
    )
    return [Relation(*row) for row in found]


def tells_of(subject: Subject, value: sql.Composable = ROW) -> sql.Composed:
    """Condition that a value, or the whole row aliased `t`, tells of the subject."""
    return sql.SQL('(lower({0}::text collate "C") like any ({1}) and {0}::text ~* {2})').format(
        value, sql.Literal(subject.likes), sql.Literal(subject.pattern)
    )


def count(connection: Connection, relation: Relation, subject: Subject) -> int:
    """Rows that tell of the subject in any value."""
    statement = sql.SQL("select count(*) from {} as t where {}").format(relation.quoted, tells_of(subject))
    return connection.execute(statement).fetchone()[0]


def _exists(connection: Connection, relation: Relation, condition: sql.Composed) -> bool:
    statement = sql.SQL("select exists (select true from {} as t where {})").format(relation.quoted, condition)
    return connection.execute(statement).fetchone()[0]


def blot_out(connection: Connection, subject: Subject, schemas: Collection[str] | None = WAREHOUSE) -> dict[str, int]:
    """Put something else in the subject's place, in every value of every table but the suppression list.

    Args:
        connection: may change what holds them.
        subject: the person.
        schemas: as of `relations`.

    Returns:
        The rows changed, by table.
    """
    changed = {}
    for relation in relations(connection, schemas):
        if str(relation) == SUPPRESSION or not (rows := count(connection, relation, subject)):
            continue
        changed[str(relation)] = rows
        for column, type in relation.texts.items():
            told = tells_of(subject, sql.Identifier("t", column))
            # Asked first: by the column that spreads a table over nodes no row may be updated, and none has to be.
            if not _exists(connection, relation, told):
                continue
            value = sql.SQL("{}::text").format(sql.Identifier(column))
            for searched, text in subject.replacements.items():
                value = sql.SQL("regexp_replace({}, {}, {}, 'gi')").format(
                    value, sql.Literal(searched), sql.Literal(text)
                )
            connection.execute(
                sql.SQL("update {} as t set {} = ({})::{} where {}").format(
                    relation.quoted,
                    sql.Identifier(column),
                    value,
                    sql.SQL(type),
                    told,
                )
            )
    return changed


def renew(connection: Connection, renewed: Mapping[str, str], keep: Collection[str] = ()) -> dict[str, int]:
    """Put the new pseudonym in the place of each old one, in one pass over every table that the session may change.

    Rows that had one person still have one, and rows of two still have two: no figure can tell.

    Args:
        connection: in a transaction.
        renewed: the new pseudonym of each old one, no two the same.
        keep: tables, as schema.table, to leave as they are.

    Returns:
        The values changed, by table.
    """
    connection.execute("create temporary table renewed (old text primary key, new text not null unique) on commit drop")
    with connection.cursor() as cursor, cursor.copy("copy renewed from stdin") as copy:
        for pair in renewed.items():
            copy.write_row(pair)
    connection.execute("analyze renewed")
    # The function is this session's alone: Citus would make it on every node. Where there is none, the setting says nothing.
    connection.execute("set local citus.enable_ddl_propagation = off")
    connection.execute(RENEWED)
    changed: dict[str, int] = {}
    for relation in relations(connection):
        for column, type in relation.texts.items() if str(relation) not in keep else ():
            among = type in HOLDS_OTHERS or relation.schema in ("audit", "quarantine")
            held = "{} ~ '[0-9a-f]{{64}}'" if among else "{} in (select old from renewed)"
            if not _exists(
                connection, relation, sql.SQL(held).format(sql.SQL("{}::text").format(sql.Identifier("t", column)))
            ):
                continue
            statement = (
                "update {0} set {1} = pg_temp.renewed_text({1}::text)::{2} where {1}::text ~ '[0-9a-f]{{64}}' "
                "and pg_temp.renewed_text({1}::text) <> {1}::text"
                if among
                else "update {0} as t set {1} = pair.new from (select old, new from renewed) as pair where t.{1} = pair.old"
            )
            rows = connection.execute(
                sql.SQL(statement).format(relation.quoted, sql.Identifier(column), sql.SQL(type))
            ).rowcount
            if rows:
                changed[str(relation)] = changed.get(str(relation), 0) + rows
    connection.execute("drop function pg_temp.renewed_text")
    return changed


def forget_statistics(connection: Connection, changed: Collection[str]) -> None:
    """Have PostgreSQL sample the changed tables anew, whose statistics name values, and drop the rows of before.

    A table that another owns is left to whoever does: the planner's sample of it is then of before. An empty one keeps, whatever it is
    told, the sample of the rows that it had, as landing does after an empty batch: that goes too.
    """
    for name in changed:
        connection.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier(*name.split("."))))
    connection.execute(
        "select pg_clear_attribute_stats(s.schemaname, s.tablename, s.attname, s.inherited) from pg_stats as s "
        "join pg_class as c on c.oid = format('%%I.%%I', s.schemaname, s.tablename)::regclass "
        "where s.schemaname = any (%s) and c.relkind = 'r' and pg_relation_size(c.oid) = 0",
        [list(WAREHOUSE)],
    )
