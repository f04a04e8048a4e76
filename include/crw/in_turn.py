"""A step of the night taken with each table of a source in turn: with all of them, whatever comes of one."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

import httpx
import psycopg

from crw.contracts import Table
from crw.machines import ElsewhereError

Result = TypeVar("Result")

AWAY = (psycopg.OperationalError, httpx.HTTPError, ElsewhereError)
"""What is raised where a system does not answer, or not on this machine, which may pass."""


class TablesError(RuntimeError):
    """Several tables of a source failed in one step. The message names each and why."""


class AwayError(TablesError):
    """Several tables of a source failed, each because a system did not answer."""


def each(tables: Iterable[Table], step: Callable[[Table], Result]) -> dict[str, Result]:
    """Take the step with each table; of one that fails print a line, and the traceback into a group of the task's log.

    Returns:
        By name of the table what the step returned.

    Raises:
        Exception: what the step raised, where one table failed.
        TablesError: several failed; AwayError where each of them may pass.
    """
    done: dict[str, Result] = {}
    failed: dict[str, Exception] = {}
    for table in tables:
        name = f"{table.source}.{table.name}"
        try:
            done[table.name] = step(table)
        except Exception as error:  # whatever it is, the other tables are told of all the same
            failed[name] = error
            print(f"{name}: FAILED: {_said(error)}")
            print(f"::group::traceback of {name}", traceback.format_exc(), "::endgroup::", sep="\n")
    if len(failed) == 1:
        raise next(iter(failed.values()))
    if failed:
        kind = AwayError if all(isinstance(error, AWAY) for error in failed.values()) else TablesError
        raise kind("\n".join(f"{name}: {_said(error)}" for name, error in failed.items()))
    return done


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
