"""One DAG a source that takes part in the nights: extract >> validate >> publish it whole >> tell that the date is in."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta

import pendulum
from airflow.sdk import DAG, Asset, CronPartitionTimetable, chain, task

from crw import alerts, contracts, lateness, machines, openlineage, retries
from crw.contracts import Table
from crw.settings import CLOCK

DOC = """
### Nightly load of `{source}`

The run's partition key is the business date. Each task takes the source's tables in turn, all of them whatever comes
of one, and its log has a line a table (its XCom an entry). `extract` fills `landing`, `validate` runs the Great
Expectations suites, and `publish` appends to `raw`, all tables in one transaction, once **all** of them passed.
The last source to publish a date tells `warehouse`, in `deliver`.

**Triage**
1. A red `extract`: the source is away, or it no longer keeps the contract; the message names each table that failed, and the
   column. A network fault was already retried, with those tables alone that had not landed.
2. A red `validate`: a critical rule failed; the message names each table that failed, with rule and rows. Look at
   `select * from audit.validation order by validation_id desc` and at the batch in `landing`. Last night's numbers stay published.
3. Not ended two hours after it was queued, or red: `select * from audit.late_run order by noted_at desc`.
4. Mend the source or the suite, then clear the run: it reads all tables of the same interval again. A missed night heals itself.
5. Keys that vanished from the source, too many to believe, are held and told by `publish`: they count on until `crw approve`.
6. A skipped `deliver`: other sources are still to publish the date; the message names them. The last of them tells.
"""

# Set where the sources have an end, as the sample ones do, and for a single night by hand; in a deployment on sources of its own never.
SCHEDULE_END = pendulum.parse(os.environ["CRW_SCHEDULE_END"], tz=CLOCK) if "CRW_SCHEDULE_END" in os.environ else None


def night_clock() -> str | pendulum.FixedTimezone:
    """The clock that says when a night begins: the operator's, but by its winter time where that skips a midnight in the coming year.

    On a day without a midnight (in Beirut, Cairo, Santiago) Airflow takes the run that the day begins with for the day's own: the
    date before would have no night, and that one a night before it has ended.
    """
    midnights = [datetime.combine(date.today() + timedelta(days=days), time(), CLOCK) for days in range(366)]
    if all(midnight.astimezone(UTC).astimezone(CLOCK).hour == 0 for midnight in midnights):
        return CLOCK.key
    return pendulum.FixedTimezone(int(min(midnight.utcoffset() for midnight in midnights).total_seconds()))


NIGHT_CLOCK = night_clock()


def ingest_dag(source: str, tables: list[Table]) -> DAG:
    """The DAG that loads one source's tables for one business date."""
    with DAG(
        dag_id=f"ingest_{source}",
        description=f"Load {source} into raw, validated.",
        schedule=CronPartitionTimetable("0 0 * * *", timezone=NIGHT_CLOCK, run_offset=-1, key_format="%Y-%m-%d"),
        start_date=pendulum.datetime(2010, 1, 1, tz=CLOCK.key),
        end_date=SCHEDULE_END,
        catchup=False,
        max_active_runs=1,
        deadline=lateness.DEADLINE,
        default_args={
            "owner": "data-engineering",
            **openlineage.callbacks(on_failure_callback=alerts.task_failed),
            **retries.RETRIES,
        },
        tags=["ingest", source],
        doc_md=DOC.format(source=source),
    ) as dag:
        load_ids = _extract(tables)
        chain(_validate(tables, load_ids), _publish(source, tables, load_ids), _deliver())
    return dag


def _is_retry(ti) -> bool:
    """Whether this attempt goes on from one that failed. Whoever clears a task wants all of it done anew, and it gets its retries anew."""
    return ti.try_number > ti.max_tries - ti.task.retries + 1


def _extract(tables: list[Table]):
    @task(queue=machines.queue(tables))
    def extract(ti=None, dag_run=None) -> dict[str, int]:
        from datetime import date

        from crw import connections, in_turn, ingest, ledger

        def read(table: Table) -> int:
            # A connection a table: what breaks one does not reach the next.
            with connections.warehouse() as warehouse:
                business_date, is_retry = date.fromisoformat(dag_run.partition_key), _is_retry(ti)
                load_id = ingest.extract(warehouse, table, business_date, dag_run.run_id, is_retry=is_retry)
                print(
                    f"{ledger.find_load(warehouse, table, load_id)}: {ledger.rows_read(warehouse, load_id):,} rows read"
                )
            return load_id

        return in_turn.each(tables, read)

    return extract()


def _validate(tables: list[Table], load_ids):
    @task
    def validate(load_ids: dict[str, int], ti=None) -> dict[str, str]:
        from crw import connections, in_turn, ingest

        def judge(table: Table) -> str:
            with connections.warehouse() as warehouse:
                outcome = ingest.validate(warehouse, table, load_ids[table.name], is_retry=_is_retry(ti))
            print(f"{table.source}.{table.name}: {outcome.message}")
            return outcome.message

        return in_turn.each(tables, judge)

    return validate(load_ids)


def _publish(source: str, tables: list[Table], load_ids):
    @task
    def publish(load_ids: dict[str, int]) -> dict[str, dict[str, int]]:
        from dataclasses import asdict

        from crw import connections, ingest

        with connections.warehouse() as warehouse:
            published = ingest.publish_source(warehouse, source, [load_ids[table.name] for table in tables])
        for table, figures in published.items():
            print(f"{source}.{table}: {figures}")
        return {table: asdict(figures) for table, figures in published.items()}

    return publish(load_ids)


def _deliver():
    @task(
        outlets=[Asset("raw", uri="crw://raw")],
        **openlineage.callbacks(
            on_failure_callback=alerts.task_failed,
            on_success_callback=alerts.task_ended_well,
            on_skipped_callback=alerts.task_ended_well,
        ),
    )
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
