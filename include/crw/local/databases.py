"""The databases of a server that is ours alone: who owns each, and that nobody else may enter it."""

from __future__ import annotations

import psycopg
from psycopg import Connection, sql

DATABASES = {
    "warehouse": None,
    "airflow": "crw_airflow",
    "case_management": "sample_operator",
    "crm": "sample_operator",
}
"""Each with the role that owns it and works in it. The warehouse is the installer's; `warehouse.install` says who may enter."""

READERS = {"case_management": "case_reader"}
"""Roles that read all of a database and may do nothing else."""

ROLES = tuple(dict.fromkeys([*filter(None, DATABASES.values()), *READERS.values()]))


def prepare(admin: Connection, passwords: dict[str, str]) -> None:
    """Create what is missing of the databases and of their roles, and let nobody else in.

    What an older release made as the superuser is handed over. May run at any time, again.

    Args:
        admin: autocommit, as the superuser of a server that serves nothing else.
        passwords: of `ROLES`.
    """
    for role, password in passwords.items():
        if not admin.execute("select from pg_roles where rolname = %s", [role]).rowcount:
            admin.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
        admin.execute(sql.SQL("alter role {} login password {}").format(sql.Identifier(role), sql.Literal(password)))
    present = dict(admin.execute("select datname, datdba::regrole::text from pg_database").fetchall())
    for name, owner in DATABASES.items():
        if name not in present:
            admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        if owner and present.get(name) != owner:
            _hand_over(admin, name, owner)
    for name in ("postgres", "template1", *DATABASES):
        statement = sql.SQL("revoke connect, temporary on database {} from public")
        admin.execute(statement.format(sql.Identifier(name)))
    for name, role in READERS.items():
        statement = sql.SQL("grant connect on database {} to {}; grant pg_read_all_data to {}")
        admin.execute(statement.format(*map(sql.Identifier, (name, role, role))))


def _hand_over(admin: Connection, name: str, owner: str) -> None:
    """Make the role the owner of a database with all that is in it; of the database last, so that a half is taken up again."""
    with psycopg.connect(admin.info.dsn, dbname=name, password=admin.info.password) as connection:
        statements = connection.execute(
            "select format('alter schema %%I owner to %%I', nspname, %(owner)s::text) from pg_namespace "
            "where nspname !~ '^pg_' and nspname not in ('information_schema', 'public') "
            "union all select format('alter table %%s owner to %%I', c.oid::regclass, %(owner)s::text) from pg_class as c "
            "where c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)' and c.relkind in ('r', 'p', 'v', 'm', 'S') "
            "and not exists (select from pg_depend as d where d.objid = c.oid and d.deptype in ('a', 'i') and c.relkind = 'S') "
            "union all select format('alter type %%s owner to %%I', t.oid::regtype, %(owner)s::text) from pg_type as t "
            "where t.typnamespace::regnamespace::text !~ '^(pg_|information_schema)' and t.typtype in ('e', 'd')",
            {"owner": owner},
        ).fetchall()
        for (statement,) in statements:
            connection.execute(statement)
        connection.execute(sql.SQL("alter database {} owner to {}").format(*map(sql.Identifier, (name, owner))))
