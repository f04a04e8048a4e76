"""What a task needs of the machine that it runs on, where there are several: the queue that it waits in says it.

A worker takes the tasks of the queues that its machine is fit for; on one machine nobody asks for queues. What no queue is for is
read from the warehouse, or goes to what all machines reach (docs/deployment.md, 'Workers').
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow.sdk.configuration import conf

from crw.contracts import Table

WITH_DROP_FOLDERS = "drop_folders"
"""Queue of the tasks that read drop folders."""


class ElsewhereError(FileNotFoundError):
    """This machine lacks what another one has: the task is to be tried again, and may be by that one."""


def queue(tables: Iterable[Table]) -> str:
    """The queue of a task that reads the sources of these tables."""
    if any(table.reader in ("files", "folder") for table in tables):
        return WITH_DROP_FOLDERS
    return conf.get("operators", "default_queue")


def not_here(message: str) -> FileNotFoundError:
    """The error of a folder that is not on this machine: final where there is no other."""
    kind = FileNotFoundError if conf.get("core", "executor") == "LocalExecutor" else ElsewhereError
    return kind(message)
