"""The commands on persons: show what is held, erase, readmit, a new key for all. Identifiers come from a prompt or standard input."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import sys
from contextlib import nullcontext
from datetime import datetime

import psycopg

from crw import connections, session, settings
from crw.local import environment, samples
from crw.privacy import access, erasure, pseudonym_key, rooms, rotation, subject, suppression


def run(arguments: argparse.Namespace, *, is_ours: bool) -> int:
    """Run one of the commands, as the superuser of the warehouse.

    Args:
        arguments: of the command line.
        is_ours: whether the warehouse is this checkout's; a deployment says as whom to log in by AIRFLOW_CONN_WAREHOUSE, as `crw install`.
    """
    try:
        with _superuser(is_ours) as warehouse:
            match arguments.command:
                case "rotate-key":
                    return _rotate(warehouse, arguments.by, is_ours=is_ours)
                case "subject":
                    return _subject(warehouse, arguments)
                case "readmit":
                    return _readmit(warehouse, arguments)
            return _erase(warehouse, arguments)
    except (
        erasure.ErasureError,
        pseudonym_key.WrongKey,
        rooms.NightAtWork,
        rotation.RotationError,
        subject.SubjectError,
    ) as error:
        sys.exit(f"{error}")
    except FileExistsError as error:
        sys.exit(f"{error.filename} is there, and an answer is not overwritten: delete it, or name another file")


def _superuser(is_ours: bool) -> psycopg.Connection:
    if not is_ours:
        return connections.warehouse()
    connection = psycopg.connect(environment.server().dsn("warehouse"), autocommit=True)
    session.fix(connection)
    return connection


def _subject(warehouse: psycopg.Connection, arguments: argparse.Namespace) -> int:
    person = subject.of(subject.asked(), pseudonym_key.current(warehouse))
    rows = access.held(warehouse, person)
    written = access.write(arguments.file, rows, datetime.now(settings.CLOCK))
    print(f"{sum(map(len, rows.values()))} rows of {len(rows)} tables: {written[0]}, {written[1]}")
    return 0


def _erase(warehouse: psycopg.Connection, arguments: argparse.Namespace) -> int:
    person = subject.of(subject.asked(), pseudonym_key.current(warehouse))
    with erasure.airflow_metadata() or nullcontext() as metadata:
        erased = erasure.erase(warehouse, metadata, settings.HOME, person, arguments.by, arguments.reason)
    for where, rows in erased.items():
        print(f"{where}: {rows}")
    print(
        "erased; the proof is in audit.erasure"
        if erased
        else "nothing was held; the suppression list has the person all the same (`crw readmit`, if it was mistyped)"
    )
    return 0


def _readmit(warehouse: psycopg.Connection, arguments: argparse.Namespace) -> int:
    person = subject.of(subject.asked(), pseudonym_key.current(warehouse))
    suppression.lift(warehouse, person, arguments.by, arguments.reason)
    print("deliveries bring the person again; what was erased stays so")
    return 0


def _rotate(warehouse: psycopg.Connection, by: str, *, is_ours: bool) -> int:
    """A checkout keeps its key in its state; a deployment's new one is asked for, and its operator puts it in the old one's place."""
    kept = environment.state() if is_ours and _key_is_kept() else None
    if kept and pseudonym_key.used(warehouse) == pseudonym_key.fingerprint(
        kept.get("pseudonym_key_to_come", "").encode()
    ):
        environment.keep_pseudonym_key(kept["pseudonym_key_to_come"], draft=False)
        print("the key had been changed, and is now the one in use")
        return 0
    old = pseudonym_key.current(warehouse)
    new = secrets.token_hex(32) if kept else _asked_key()
    if len(new) < 32:
        raise rotation.RotationError(
            "the new key must have 32 characters at least: type it, or send it on standard input"
        )
    if is_ours:
        samples.start_built(environment.samples_in_use())
    if kept:
        environment.keep_pseudonym_key(new, draft=True)
    for where, values in rotation.rotate(warehouse, settings.HOME, old, new.encode(), by).items():
        print(f"{where}: {values}")
    if kept:
        environment.keep_pseudonym_key(new, draft=False)
    print(
        "the key is changed"
        if kept
        else "the key is changed: put it in the place of CRW_PSEUDONYM_KEY, and destroy the old one"
    )
    return 0


def _asked_key() -> str:
    """The new key from a prompt that does not show it, or from the first line of standard input."""
    return (getpass.getpass("new key of the pseudonyms: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()


def _key_is_kept() -> bool:
    return os.environ.get("CRW_PSEUDONYM_KEY") == environment.state()["pseudonym_key"]
