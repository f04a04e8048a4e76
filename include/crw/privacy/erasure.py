"""Erase one data subject: whatever tells of the person in the warehouse, in Airflow's metadata and in the files of the state folder.

Rows stay, for figures count them. Their pseudonym becomes one made at random that is noted nowhere beside the old one: the same in
all of the subject's rows, so that no figure can tell, and nobody can say whose it was. Refused rows are emptied.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from crw.privacy import rooms
from crw.privacy.subject import Subject
from crw.sources import scratch

NOT_OURS = ("postgres/data", "sources", "state.json")
"""Within the state folder: the database's own files, the sample's source systems, and the secrets of one machine."""


class ErasureError(RuntimeError):
    """Something is left. The message says where, and repeats no identifier."""


def erase(
    warehouse: Connection, metadata: Connection | None, home: Path, subject: Subject, by: str, reason: str
) -> dict[str, int]:
    """Erase the subject everywhere, and see to it that no delivery brings the person back. May be done again.

    Args:
        warehouse: autocommit, as a role that may change every table.
        metadata: the same, to Airflow's database; None where it is not reached.
        home: the state folder.
        subject: the person.
        by: who does it, for the proof.
        reason: why, or the request's number, for the proof.

    Returns:
        How many rows of each table, and files, told of the subject; the proof in audit.erasure says the same.

    Raises:
        NightAtWork: do it again when the night has ended.
        ErasureError: the subject is still found somewhere: do it again.
    """
    with rooms.at_rest(warehouse):
        warehouse.execute(
            "insert into audit.suppression (pseudonym) select unnest(%s::text[]) on conflict do nothing",
            [sorted(subject.pseudonyms)],
        )
        warehouse.execute(
            "insert into audit.nobody (pseudonym) select unnest(%s::text[]) on conflict do nothing",
            [[subject.replacements[each] for each in subject.pseudonyms]],
        )
        erased = {
            "quarantine.record": empty_refused(
                warehouse, "(record::text ~* %s or reasons::text ~* %s)", [subject.pattern] * 2
            )
        }
        erased |= rooms.blot_out(warehouse, subject)
        if metadata:
            tables = rooms.blot_out(metadata, subject, schemas=None)
            erased |= {f"airflow: {table}": rows for table, rows in tables.items()}
        erased["files"] = _blot_out_files(home, subject)
        erased = {where: found for where, found in erased.items() if found}
        warehouse.execute(
            "insert into audit.erasure (erased_by, reason, erased) values (%s, %s, %s)", [by, reason, Jsonb(erased)]
        )
    scratch.sweep()
    rooms.forget_statistics(warehouse, [where for where in erased if where.partition(".")[0] in rooms.WAREHOUSE])
    if left := [
        str(relation)
        for relation in rooms.relations(warehouse)
        if str(relation) != rooms.SUPPRESSION and rooms.count(warehouse, relation, subject)
    ]:
        raise ErasureError(f"the subject is still in {', '.join(left)}: something was written meanwhile; erase again")
    return erased


def empty_refused(connection: Connection, condition: str, values: list) -> int:
    """Empty refused rows, but for which rules refused them: they count as refused, and cannot be replayed. Returns how many.

    Args:
        connection: to the warehouse.
        condition: on quarantine.record, with placeholders for the values.
        values: of its placeholders.
    """
    return connection.execute(
        "update quarantine.record set record = '{}', released_at = coalesce(released_at, clock_timestamp()), "
        "reasons = (select jsonb_agg(reason - 'value' - 'message') from jsonb_array_elements(reasons) as reason) "
        f"where record <> '{{}}' and {condition}",
        values,
    ).rowcount


def files(home: Path) -> list[Path]:
    """The files of the state folder that a night writes: logs, pages, Data Docs, what dbt leaves; and PostgreSQL's log."""
    ours = [
        path
        for path in home.rglob("*")
        if path.is_file() and not path.is_symlink() and not path.relative_to(home).as_posix().startswith(NOT_OURS)
    ]
    return ours + [path for path in [home / "postgres" / "data" / "server.log"] if path.exists()]


def _blot_out_files(home: Path, subject: Subject) -> int:
    """Put something else in the subject's place in each file; one that is no text goes. Returns how many told of the subject."""
    found = 0
    for path in files(home):
        content = path.read_bytes()
        if not re.search(subject.pattern.encode(), content, re.IGNORECASE):
            continue
        found += 1
        if b"\0" in content:
            path.unlink()
            continue
        for searched, text in subject.replacements.items():
            content = re.sub(searched.encode(), text.encode(), content, flags=re.IGNORECASE)
        path.write_bytes(content)  # in its place: who writes a log on has it open
    return found


def airflow_metadata() -> Connection | None:
    """A connection to Airflow's own database, where the environment says which that is."""
    address = os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "")
    return psycopg.connect(re.sub(r"^postgresql\+\w+", "postgresql", address), autocommit=True) if address else None
