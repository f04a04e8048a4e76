"""What is held on one data subject, as JSON and as a page that the person can read."""

from __future__ import annotations

import json
import os
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from crw import contracts
from crw.contracts import Table
from crw.privacy import rooms
from crw.privacy.subject import Subject
from crw.settings import CLOCK
from crw.warehouse import raw_table

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c2733; background: #fff } h2 { margin-top: 2rem }
table { border-collapse: collapse } td, th { border: 1px solid #ccd5de; padding: .3rem .6rem; text-align: left; vertical-align: top }
td { overflow-wrap: anywhere } th { background: #eef2f6 }
"""


def held(connection: Connection, subject: Subject) -> dict[str, list[dict[str, Any]]]:
    """Every row that tells of the subject, by table; in raw with each of its versions, and with what belongs to it.

    What belongs to a row says its contract: the events of a case, the terms of a member.
    """
    found = {}
    for relation in rooms.relations(connection):
        statement = sql.SQL("select to_jsonb(t) from {} as t where {}").format(relation.quoted, rooms.tells_of(subject))
        if rows := [row for (row,) in connection.execute(statement)]:
            found[str(relation)] = rows
    for table in contracts.tables().values():
        if rows := [row for row in _belonging(connection, table, subject) if row not in found.get(_name(table), [])]:
            found.setdefault(_name(table), []).extend(rows)
    return found


def write(path: Path, rows: dict[str, list[dict[str, Any]]], asked_at: datetime) -> tuple[Path, Path]:
    """Write `<path>.json` and `<path>.html`, for their owner alone, and return both.

    Raises:
        FileExistsError: one is there; what was answered before is not overwritten.
    """
    when = asked_at.astimezone(CLOCK).isoformat(timespec="seconds")
    answer = json.dumps({"asked_at": when, "held": rows}, ensure_ascii=False, indent=2, default=str)
    written = path.with_name(f"{path.name}.json"), path.with_name(f"{path.name}.html")
    for file, content in zip(written, (answer, _page(rows, when)), strict=True):
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(content)
    return written


def _name(table: Table) -> str:
    return f"raw.{table.identifier}"


def _belonging(connection: Connection, table: Table, subject: Subject) -> list[dict[str, Any]]:
    rows = []
    for column in table.columns:
        for source, name, referenced in column.references:
            owner = contracts.table(source, name)
            persons = [other.name for other in owner.columns if other.pseudonym_of]
            if persons:
                statement = sql.SQL(
                    "select to_jsonb(t) from {} as t where {} in (select o.{} from {} as o where o.{} = any (%s))"
                ).format(
                    raw_table(table),
                    sql.Identifier("t", column.name),
                    sql.Identifier(referenced),
                    raw_table(owner),
                    sql.SQL(" = any (%s) or o.").join(map(sql.Identifier, persons)),
                )
                values = [sorted(subject.pseudonyms)] * len(persons)
                rows += [row for (row,) in connection.execute(statement, values)]
    return rows


def _page(rows: dict[str, list[dict[str, Any]]], when: str) -> str:
    described = {_name(table): table.description for table in contracts.tables().values()}
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"><title>What is held on you</title>'
        f"<style>{STYLE}</style></head><body><h1>What is held on you</h1><p>As of {escape(when)}. Your name, address and telephone "
        "number are not held here: in their place stands a pseudonym, a number made of your e-mail address or name with a secret key.</p>"
    ]
    if not rows:
        parts.append("<p>Nothing.</p>")
    for name, entries in sorted(rows.items()):
        columns = list(dict.fromkeys(column for entry in entries for column in entry))
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_shown(entry.get(column)))}</td>' for column in columns)}</tr>"
            for entry in entries
        )
        parts.append(
            f"<h2>{escape(name)}</h2><p>{escape(described.get(name, ''))}</p><table><tr>{head}</tr>{body}</table>"
        )
    return "\n".join([*parts, "</body></html>\n"])


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
