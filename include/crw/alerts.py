"""Who is told of a fault, when, and where the runbook has its drill: once when it comes, once when it is over (audit.alert).

The connection `alerts` says how: `smtp` is a mail to its `extra.to`, `http` a webhook. Without one the table alone says it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from psycopg import Connection as Warehouse

from crw import standing
from crw.standing import Fault

CONNECTION = "alerts"

AGAIN_AFTER = timedelta(days=1)
GONE_AFTER = timedelta(days=3)
"""What not every one of several machines sees is told again each day: what was not for so long was of a machine that is no more."""


def task_failed(context: dict[str, Any]) -> None:
    """Callback of a nightly task that failed for good: note it, for the ledger knows of no build or page, and tell what is new."""
    from crw import connections

    run = context["dag_run"]
    with connections.warehouse() as warehouse:
        warehouse.execute(
            "insert into audit.failed_task (dag_id, task_id, business_date, run_id) values (%s, %s, %s, %s) "
            "on conflict (dag_id, task_id) do update set business_date = excluded.business_date, run_id = excluded.run_id, "
            "noted_at = excluded.noted_at",
            [run.dag_id, context["ti"].task_id, run.partition_key, run.run_id],
        )
        tell(warehouse)


def task_ended_well(context: dict[str, Any]) -> None:
    """Callback of a nightly DAG's last task: nothing of the DAG is failed any more; tell what is over."""
    from crw import connections

    with connections.warehouse() as warehouse:
        dag_ended_well(warehouse, context["dag_run"].dag_id)


def dag_ended_well(warehouse: Warehouse, dag_id: str) -> None:
    """Note that nothing of a nightly DAG is failed any more, and tell what is over."""
    warehouse.execute("delete from audit.failed_task where dag_id = %s", [dag_id])
    tell(warehouse)


def tell(warehouse: Warehouse) -> tuple[list[Fault], list[Fault]]:
    """Tell what is new and what is over since it was last told, in one message, or nothing. Returns both.

    Raises whatever the notifier does; all is told anew the next time then, for the table changes once the message is out.
    """
    with warehouse.transaction():
        warehouse.execute("lock table audit.alert in share row exclusive mode")  # a night's end and the watch may meet
        rows = warehouse.execute(
            "select kind, place, message, clock_timestamp() - opened_at from audit.alert where closed_at is null order by alert_id"
        )
        told = {(kind, place): (Fault(kind, place, message), age) for kind, place, message, age in rows}
        now = {(fault.kind, fault.place): fault for fault in standing.faults(warehouse)}
        again = [
            now[key]
            for key, (fault, age) in told.items()
            if key in now and standing.may_be_of_one_machine(fault) and age > AGAIN_AFTER
        ]
        new = [fault for key, fault in now.items() if key not in told] + again
        over = [
            fault
            for key, (fault, age) in told.items()
            if key not in now and (standing.is_seen_from_here(fault) or age > GONE_AFTER)
        ]
        with warehouse.cursor() as cursor:
            cursor.executemany(
                "update audit.alert set closed_at = clock_timestamp() where kind = %s and place = %s and closed_at is null",
                [(fault.kind, fault.place) for fault in over + again],
            )
            cursor.executemany(
                "insert into audit.alert (kind, place, message) values (%s, %s, %s)",
                [(fault.kind, fault.place, fault.message) for fault in new],
            )
        if new or over:
            _send(new, over)
    return new, over


def _send(new: list[Fault], over: list[Fault]) -> None:
    try:
        connection = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        return
    subject = f"Warehouse: {len(new)} new, {len(over)} over"
    lines = [*(f"NEW  {fault}" for fault in new), *(f"OVER {fault.kind} {fault.place}" for fault in over)]
    match connection.conn_type:
        case "smtp":
            from airflow.providers.smtp.notifications.smtp import SmtpNotifier
            from markupsafe import escape

            # Braces would be a template's: notify() renders none of what it is given.
            SmtpNotifier(
                smtp_conn_id=CONNECTION,
                to=connection.extra_dejson["to"],
                subject=subject,
                html_content=f"<pre>{escape(chr(10).join(lines))}</pre>",
            ).notify({})
        case "http":
            from airflow.providers.http.notifications.http import HttpNotifier

            HttpNotifier(
                http_conn_id=CONNECTION,
                json={
                    "text": "\n".join([subject, *lines]),
                    "new": [fault.told() for fault in new],
                    "over": [fault.told() for fault in over],
                },
                extra_options={"timeout": 30},  # seconds
            ).notify({})
        case other:
            raise ValueError(f"connection {CONNECTION} is {other}: nobody is told by that, but by smtp or http")
