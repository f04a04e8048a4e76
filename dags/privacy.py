"""What goes by age: the monthly purge by the seed `retention`."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, task

from crw import retries
from crw.settings import CLOCK

with DAG(
    dag_id="retention",
    description="Take away what is older than the seed retention keeps it.",
    schedule=CronTriggerTimetable("0 12 5 * *", timezone=CLOCK.key),
    start_date=pendulum.datetime(2010, 1, 1, tz=CLOCK.key),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-engineering", **retries.RETRIES, "retries": 12},
    tags=["maintenance", "privacy"],
    doc_md="""
### Retention

At noon on the 5th: persons whom no table keeps any longer get random pseudonyms (rows and figures stay), refused rows and examples in
results are emptied, old logs and rows of Airflow's own database go. What went is in `audit.purge`.

While a night is at work it waits, two hours at most.

**Triage** - a red run says that a night was at work all that time, or which line of `retention.csv` is wrong; run again, it takes away
what is left.
""",
):

    @task
    def purge() -> None:
        from crw import connections, settings
        from crw.privacy import retention

        with connections.warehouse() as warehouse, connections.transformer() as transformer:
            print(retention.purge(warehouse, transformer, connections.airflow_metadata(), settings.HOME))

    purge()
