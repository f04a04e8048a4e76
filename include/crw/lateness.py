"""A night that is late: what every nightly DAG has as its deadline, and what happens when that passes.

Airflow's scheduler looks for deadlines that have passed and runs the callback on its executor. A run that ended well has
none any more; one that failed still has, so that a red night is late as well.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback

ALLOWED = timedelta(hours=2)
"""How long a run may take from being queued: readers come at eight, and a night takes minutes."""


def note(context: dict[str, Any]) -> None:
    """Write down in audit.late_run that a DAG run has not ended well by its deadline, once; of a backfill nothing is due.

    Args:
        context: `dag_run` and `deadline`, as Airflow's deadline alerts tell them.
    """
    from crw import connections

    run = context["dag_run"]
    if run["run_type"] == "backfill":
        return
    with connections.warehouse() as warehouse:
        warehouse.execute(
            "insert into audit.late_run (dag_id, run_id, business_date, due_at) values (%s, %s, %s, %s) on conflict do nothing",
            [
                run["dag_id"],
                run["dag_run_id"],
                date.fromisoformat(run["partition_key"]),
                context["deadline"]["deadline_time"],
            ],
        )


# In seconds, as Airflow 3.3.2 can read it too: of a timedelta it fails to reckon the deadline of a run that is cleared anew.
DEADLINE = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, ALLOWED.total_seconds(), SyncCallback(note))
