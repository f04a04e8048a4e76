"""What is told without a night's end: every hour, so that a night that never began is told as well."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, task

from crw.settings import CLOCK

with DAG(
    dag_id="watch",
    description="Tell which faults are new and which are over.",
    schedule=CronTriggerTimetable("30 * * * *", timezone=CLOCK.key),
    start_date=pendulum.datetime(2010, 1, 1, tz=CLOCK.key),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-engineering", "retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["maintenance", "alerts"],
    doc_md="""
### Watch

Looks at the ledger, the calendar and the machine (`crw.standing`), and tells through the connection `alerts` what is new and what is over;
`select * from audit.alert where closed_at is null` is what stands. Each night's end does the same.

**Triage** - a red run could not reach the mail server or the webhook of the connection `alerts`: nothing is lost, the next run tells it.
""",
):

    @task
    def tell() -> None:
        from crw import alerts, connections

        with connections.warehouse() as warehouse:
            new, over = alerts.tell(warehouse)
        print(*(f"new: {fault}" for fault in new), *(f"over: {fault}" for fault in over), sep="\n")

    tell()
