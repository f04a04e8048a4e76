"""Faults from outside that end a command: one line that says what happened and what to do, in a traceback's place."""

from __future__ import annotations

import errno
import shutil

import psycopg
import sqlalchemy.exc

from crw import settings
from crw.local import environment, scheduler
from crw.local.postgres import StartError

AGAIN = "Readers keep the last good night, and nothing is lost: start the same command again (docs/runbook.md, 'A process was killed')"
OF_OUTSIDE = (psycopg.OperationalError, sqlalchemy.exc.OperationalError, StartError, scheduler.EndedError)
SQLSTATES = ("08", "53", "57P", "58")
"""Connection broken or refused, resources used up, ended by an operator, and the system's own; not a statement's time limit."""
FULL = 16 * 2**20  # bytes; with less, PostgreSQL cannot write one more segment of its log


def told(error: Exception) -> str | None:
    """What to print of a fault from outside; None of any other, which is a bug and keeps its traceback."""
    is_no_room = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not (is_no_room or isinstance(error, OF_OUTSIDE)):
        return None
    if not (getattr(error, "sqlstate", None) or "08").startswith(SQLSTATES):
        return None
    reason = str(error).strip()
    if is_no_room or isinstance(error, psycopg.errors.DiskFull) or _is_full():
        return f"the disk of {settings.HOME} is full ({_first_line(reason)}): make room. {AGAIN}"
    if any(text in reason for text in ("too many clients", "too many connections", "remaining connection slots")):
        return (
            "PostgreSQL has no connection left: `select usename, client_addr, count(*) from pg_stat_activity group by 1, 2` "
            f"says who has them; end what does not belong there. {AGAIN}"
        )
    if isinstance(error, StartError):
        return f"{reason}\n{AGAIN}"
    server = environment.server()
    if server.is_made and not server.is_running():  # a deployment's is not ours to look at
        return f"PostgreSQL of {settings.HOME} has ended: {server.data / 'server.log'} says of what. {AGAIN}"
    if isinstance(error, scheduler.EndedError):
        return f"{reason}. {AGAIN}"
    return f"PostgreSQL broke off the connection ({_first_line(reason)}). {AGAIN}"


def _is_full() -> bool:
    return settings.HOME.exists() and shutil.disk_usage(settings.HOME).free < FULL


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
