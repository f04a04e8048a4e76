"""What is done by hand or by the month: replay quarantined rows, make the coming months' partitions."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param, task

from crw import contracts, retries

START = pendulum.datetime(2010, 1, 1, tz="Asia/Hong_Kong")
TABLES = sorted(f"{table.source}.{table.name}" for table in contracts.tables().values())

with DAG(
    dag_id="replay_quarantine",
    description="Send quarantined rows of one table and date through the gate again.",
    schedule=None,
    is_paused_upon_creation=False,  # it runs only when triggered
    start_date=START,
    max_active_runs=1,
    default_args={"owner": "data-engineering"},
    params={
        "table": Param(TABLES[0], enum=TABLES, description="Table whose rows to replay."),
        "business_date": Param(type="string", format="date", description="Business date they were refused on."),
    },
    tags=["maintenance", "quarantine"],
    doc_md="""
### Replay quarantine

Mend the rows first (`update quarantine.record set record = ...`) or the rule, then run this. Rows still bad are quarantined
again by the new load; a row that could not be read at all needs a corrected file instead. Run `warehouse` afterwards.

**Triage** - a red run released nothing; the message names table, rule and rows.
""",
):

    @task
    def replay(params: dict, dag_run=None) -> None:
        from datetime import date

        from crw import connections
        from crw.replay import replay as replay_rows

        table = contracts.table(*params["table"].split("."))
        with connections.warehouse() as warehouse:
            print(replay_rows(warehouse, table, date.fromisoformat(params["business_date"]), dag_run.run_id))

    replay()

with DAG(
    dag_id="partitions",
    description="Make next month's raw partitions ahead of the night that needs them.",
    schedule=CronTriggerTimetable("0 12 20 * *", timezone="Asia/Hong_Kong"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-engineering", **retries.RETRIES},
    tags=["maintenance", "partitions"],
    doc_md="""
### Partitions

Makes next month's partition of every raw table on the 20th, so that no load has to. A load makes a missing one itself,
before its transaction.

**Triage** - a red run means that a reader holds a table for very long: look at `pg_stat_activity`, then clear the run.
""",
):

    @task
    def make_partitions() -> None:
        from datetime import date, timedelta

        from crw import connections, warehouse

        next_month = date.today().replace(day=1) + timedelta(days=32)
        with connections.warehouse() as connection:
            for table in contracts.tables().values():
                warehouse.ensure_partition(connection, table, next_month)

    make_partitions()
