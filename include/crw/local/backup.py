"""The warehouse as one file, and a new home from it; the key of its pseudonyms is kept apart from both."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from crw.local import environment, services
from crw.local.postgres import Server, binaries
from crw.privacy import pseudonym_key

DRAFT = "warehouse_restored"
"""The database that a backup is read into: it gets the warehouse's name once it is whole."""


class BackupError(RuntimeError):
    """A backup cannot be written, or a home cannot be made of it."""


def run(arguments: argparse.Namespace) -> int:
    """Run `crw backup`, `restore` or `upgrade`. Returns the exit status."""
    if arguments.command != "restore" and not environment.server().is_made:
        sys.exit(environment.no_warehouse())
    try:
        match arguments.command:
            case "backup":
                environment.server().start()  # the warehouse as it stands: a backup comes before an upgrade
                write(arguments.file.absolute())
                print("written, without the pseudonyms' key: keep `pseudonym_key` of state.json in another place")
            case "restore":
                services.start_databases()
                restore(arguments.file.absolute(), os.environ.get("CRW_PSEUDONYM_KEY"))
                print("restored: the next night goes on from here")
            case "upgrade":
                from crw.local import scheduler

                services.start_databases()
                os.environ.update(environment.variables())
                scheduler.migrate()
                print("up to date; the next night builds anew what has another definition")
    except BackupError as error:
        sys.exit(f"{error}")
    return 0


def write(file: Path) -> None:
    """Write the warehouse as it stands now to a file, which appears when it is whole. Nobody waits for it, nor it for them.

    Left out is what landed and is not published yet: the next night reads it again.

    Raises:
        BackupError: with what pg_dump says.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        # Statistics too: the first night of a new home must not plan as if its tables were empty.
        leave_out = "--exclude-table-data=landing.*"
        _run(
            environment.server(), "pg_dump", "--format=custom", "--statistics", leave_out, "--file", draft, "warehouse"
        )
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


def restore(file: Path, key: str | None) -> None:
    """Make the warehouse of a home that has none yet from a backup, and bring it up to this version.

    Args:
        file: written by `write`.
        key: the one of the backup's pseudonyms; None where the home's state.json has it.

    Raises:
        BackupError: the home has loads of its own, the key is another, or what pg_restore says; nothing is changed then.
    """
    server = environment.server()
    with psycopg.connect(server.dsn("warehouse"), autocommit=True) as warehouse:
        if warehouse.execute("select exists (select from audit.load)").fetchone() == (True,):
            raise BackupError("this home has a warehouse of its own: restore into a new one (CRW_HOME=<folder>)")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"drop database if exists {DRAFT} with (force)")  # a restore that was killed
        admin.execute(f"create database {DRAFT} template template0")
        try:
            _run(server, "pg_restore", "--exit-on-error", "--dbname", DRAFT, file)
            _keep_key(server, key)
        except BackupError:
            admin.execute(f"drop database {DRAFT} with (force)")
            raise
        admin.execute("drop database warehouse with (force)")
        admin.execute(f"alter database {DRAFT} rename to warehouse")
    services.start_databases()


def _keep_key(server: Server, key: str | None) -> None:
    with psycopg.connect(server.dsn(DRAFT)) as restored:
        is_known = restored.execute("select to_regclass('audit.pseudonym_key') is not null").fetchone() == (True,)
        if not (is_known and restored.execute("select exists (select from audit.pseudonym_key)").fetchone()[0]):
            return
        used = pseudonym_key.used(restored)
    if pseudonym_key.fingerprint((key or environment.state()["pseudonym_key"]).encode()) != used:
        raise BackupError(
            "the pseudonyms of this backup have another key: set CRW_PSEUDONYM_KEY to `pseudonym_key` of the state.json "
            "of the home that it was written in"
        )
    if key:
        environment.keep_pseudonym_key(key, draft=False)


def _run(server: Server, program: str, *arguments: str | Path) -> None:
    reach = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres", "PGPASSWORD": server.password}
    done = subprocess.run([binaries() / program, *arguments], env=os.environ | reach, capture_output=True, text=True)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()[-2000:]}")
