"""What is done by hand or by the month: see to the rows in quarantine, make the coming months' partitions."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, task

from crw import contracts, retries
from crw.settings import CLOCK

START = pendulum.datetime(2010, 1, 1, tz=CLOCK.key)
RAW = Asset("raw", uri="crw://raw")
DATE = "Business date that they were refused on; for expire the first that is kept."
TABLES = sorted(f"{table.source}.{table.name}" for table in contracts.tables().values())

with DAG(
    dag_id="quarantine",
    description="List, mend, accept, replay or give up rows in quarantine.",
    schedule=None,
    is_paused_upon_creation=False,  # it runs only when triggered
    start_date=START,
    max_active_runs=1,
    default_args={"owner": "data-engineering"},
    params={
        "action": Param("list", enum=["list", "mend", "accept", "replay", "expire"]),
        "table": Param(TABLES[0], enum=TABLES, description="Table whose rows to list, replay or expire."),
        "business_date": Param(None, type=["null", "string"], format="date", description=DATE),
        "records": Param(
            [], type="array", items={"type": "integer"}, description="Records to accept, or the one to mend."
        ),
        "values": Param({}, type="object", description="For mend: the new value by column, null for none."),
        "reason": Param("", type="string", description="Why; needed but for list; no personal data."),
    },
    tags=["maintenance", "quarantine"],
    doc_md="""
### Quarantine

`list` names the rows that wait, by the numbers of their records; `mend` puts other values into one; `accept` lets records pass the rules
that refused them, as they stand, where those rules say that such a row may be right; `replay` sends the rows of a table and date through
the gate again, and `warehouse` runs for the date after it; `expire` gives up the rows of the table's dates before one.
Rows still bad are quarantined again by the new load; a row that could not be read at all needs a corrected file instead. Who triggered
the run, when and why is in `audit.quarantine_action`, with what was done. `crw quarantine` does the same.

**Triage** - a red run changed nothing; the message names table, rule and rows.
""",
):

    @task(outlets=[RAW])
    def act(params: dict, dag_run=None, outlet_events=None) -> None:
        from datetime import date

        from airflow.sdk.exceptions import AirflowSkipException

        from crw import connections, ledger, refused

        table = contracts.table(*params["table"].split("."))
        day = params["business_date"] and date.fromisoformat(params["business_date"])
        why = (params["reason"], dag_run.triggering_user_name or "")
        with connections.warehouse() as warehouse:
            match params["action"]:
                case "list":
                    print(*refused.waiting(warehouse, table, day), sep="\n")
                case "mend":
                    (record,) = params["records"]
                    refused.mend(warehouse, record, params["values"], *why)
                case "accept":
                    refused.accept(warehouse, params["records"], *why)
                case "expire":
                    print(f"{refused.expire(warehouse, table, day, *why)} rows wait no more")
                case "replay":
                    print(refused.replay(warehouse, table, day, dag_run.run_id, *why))
                    if not ledger.outstanding(warehouse, day):
                        outlet_events[RAW].add_partitions(day.isoformat())
                        return
        raise AirflowSkipException("nothing for the marts")  # a task that succeeds tells its asset

    act()

with DAG(
    dag_id="partitions",
    description="Make next month's raw partitions ahead of the night that needs them.",
    schedule=CronTriggerTimetable("0 12 20 * *", timezone=CLOCK.key),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-engineering", **retries.RETRIES},
    tags=["maintenance", "partitions"],
    doc_md="""
### Partitions

Makes next month's partition of every raw table on the 20th. A load makes a missing one itself; nobody who reads the table is
waited for.

**Triage** - the log says what was wrong; then clear the run. No night waits for it.
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
