"""One DAG a source that takes part in the nights: extract >> validate, per table, >> publish it whole >> tell that the date is in."""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import DAG, Asset, CronPartitionTimetable, ExceptionRetryPolicy, RetryAction, RetryRule, chain, task

from crw import contracts, lateness
from crw.contracts import Table
from crw.settings import HONG_KONG

DOC = """
### Nightly load of `{source}`

The run's partition key is the business date. Each table's batch is extracted into `landing`, validated by its Great
Expectations suite, and appended to `raw`, all tables of the source in one transaction, once **all** of them passed.
The last source to publish a date tells `warehouse`, in `deliver`.

**Triage**
1. A red `extract`: the source is away, or it no longer keeps the contract; the message names the column. A network
   fault was already retried.
2. A red `validate`: a critical rule failed; the message names table, rule and rows. Look at
   `select * from audit.validation order by validation_id desc` and at the batch in `landing`. Last night's numbers stay published.
3. Not ended two hours after it was queued, or red: `select * from audit.late_run order by noted_at desc`.
4. Mend the source or the suite, then clear the run: it reads the same interval again. A missed night heals itself.
5. Keys that vanished from the source, too many to believe, are held and told by `publish`: they count on until `crw approve`.
6. A skipped `deliver`: other sources are still to publish the date; the message names them. The last of them tells.
"""

# Set where the sources have an end, as the sample ones do, and for a single night by hand; never in a deployment.
SCHEDULE_END = (
    pendulum.parse(os.environ["CRW_SCHEDULE_END"], tz=HONG_KONG) if "CRW_SCHEDULE_END" in os.environ else None
)

# A fault of the network may pass; bad data and a broken contract will not get better by asking again. Of a task that was
# killed no rule knows: it has the DAG's own retries.
RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(["psycopg.OperationalError", "httpx.HTTPError"], RetryAction.RETRY, timedelta(seconds=30)),
        RetryRule("builtins.Exception", RetryAction.FAIL),
    ]
)


def ingest_dag(source: str, tables: list[Table]) -> DAG:
    """The DAG that loads one source's tables for one business date."""
    with DAG(
        dag_id=f"ingest_{source}",
        description=f"Load {source} into raw, validated.",
        schedule=CronPartitionTimetable("0 0 * * *", timezone="Asia/Hong_Kong", run_offset=-1, key_format="%Y-%m-%d"),
        start_date=pendulum.datetime(2010, 1, 1, tz="Asia/Hong_Kong"),
        end_date=SCHEDULE_END,
        catchup=False,
        max_active_runs=1,
        deadline=lateness.DEADLINE,
        default_args={
            "owner": "data-engineering",
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            "retry_policy": RETRIES,
        },
        tags=["ingest", source],
        doc_md=DOC.format(source=source),
    ) as dag:
        extracts = [_extract(table) for table in tables]
        validates = [_validate(table, load_id) for table, load_id in zip(tables, extracts, strict=True)]
        publish = _publish(source, extracts)
        chain(publish, _deliver())
        # A rule may look at another table of the source, so all are landed first.
        for validate in validates:
            chain(extracts, validate, publish)
    return dag


def _extract(table: Table):
    @task(task_id=f"extract_{table.name}")
    def extract(dag_run=None) -> int:
        from datetime import date

        from crw import connections, ingest

        with connections.warehouse() as warehouse:
            return ingest.extract(warehouse, table, date.fromisoformat(dag_run.partition_key), dag_run.run_id)

    return extract()


def _validate(table: Table, load_id):
    @task(task_id=f"validate_{table.name}")
    def validate(load_id: int) -> None:
        from crw import connections, ingest

        with connections.warehouse() as warehouse:
            print(ingest.validate(warehouse, table, load_id).message)

    return validate(load_id)


def _publish(source: str, load_ids: list):
    @task
    def publish(load_ids: list[int]) -> None:
        from crw import connections, ingest

        with connections.warehouse() as warehouse:
            for table, figures in ingest.publish_source(warehouse, source, load_ids).items():
                print(f"{table}: {figures}")

    return publish(load_ids)


def _deliver():
    @task(outlets=[Asset("raw", uri="crw://raw")])
    def deliver(ti=None, dag_run=None) -> None:
        from datetime import date

        from airflow.sdk.exceptions import AirflowSkipException

        from crw import connections, ledger

        # The ledger does not know a source that this attempt has not begun yet and an earlier one published.
        ended = ("success", "failed", "upstream_failed", "skipped", "removed")
        to_come = set()
        for source in contracts.taking_part():
            found = ti.get_task_states(f"ingest_{source}", task_ids=["publish"], run_ids=[dag_run.run_id])
            if any(states["publish"] not in ended for states in found.values()):
                to_come.add(source)
        business_date = date.fromisoformat(dag_run.partition_key)
        with connections.warehouse() as warehouse:
            to_come |= ledger.outstanding(warehouse, business_date)
        if to_come:
            raise AirflowSkipException(f"{business_date} is still to be published by {', '.join(sorted(to_come))}")

    return deliver()


for _source, _tables in contracts.taking_part().items():
    globals()[f"ingest_{_source}"] = ingest_dag(_source, _tables)
