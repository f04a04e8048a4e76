"""What is unusual waits for a person: each is a question in Airflow's own pages, and the answer a row in audit.approval."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, task, task_group

RAW = Asset("raw", uri="crw://raw")
APPROVE, REJECT, WAIT = "Approve", "Reject", "Wait"
QUESTION = "ti.xcom_pull(task_ids='list_held')[ti.map_index]"

with DAG(
    dag_id="held",
    description="Ask a person about the loads and marts that are held.",
    schedule=CronTriggerTimetable("0 */4 * * *", timezone="Asia/Hong_Kong"),
    start_date=pendulum.datetime(2010, 1, 1, tz="Asia/Hong_Kong"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args={"owner": "data-engineering"},
    tags=["maintenance", "held"],
    doc_md="""
### Held

Every four hours, and when triggered: one question for each rule that holds a load, a mart or vanished keys
(`select * from audit.held`), under *Required Actions*. The answer needs a reason, and goes with its giver's name into
`audit.approval`, as `crw approve` and `crw reject` write it. An approved load is published with its source, from the batch
that waits in `landing`, and `warehouse` then runs for the date; an approved mart is built and published by it.
What is rejected is dropped, and the next night reads it again. Unanswered, a question is asked again by the next run.

**Triage**
1. A red `decide`: no reason was given, or what was asked about is decided already, or a newer batch took its place; the message says
   which. What still waits is asked about by the next run.
2. A red `publish`: another rule holds the batch, or another table of the source; the message names it. Once that is decided too, it is
   published.
""",
):

    @task
    def list_held() -> list[dict[str, str | None]]:
        from crw import connections, held

        with connections.warehouse() as warehouse:
            return [
                {
                    "subject": f"{found.name} of {found.business_date}: {found.rule}",
                    "body": found.message,
                    "name": found.name,
                    "business_date": found.business_date.isoformat(),
                    "rule": found.rule,
                }
                for found in held.waiting(warehouse)
            ]

    @task_group
    def question(found):
        ask = HITLOperator(
            task_id="ask",
            subject=f"{{{{ {QUESTION}['subject'] }}}}",
            body=f"{{{{ {QUESTION}['body'] }}}}",
            options=[APPROVE, REJECT, WAIT],
            defaults=WAIT,
            params={"reason": Param("", type="string", description="Why; needed; no personal data.")},
            response_timeout=timedelta(hours=3, minutes=30),  # less than to the next run, which asks again
        )

        @task
        def decide(found: dict, answer: dict) -> str:
            from datetime import date

            from crw import connections, held

            (chosen,) = answer["chosen_options"]
            if chosen != WAIT:
                decision = held.approve if chosen == APPROVE else held.reject
                by, reason = answer["responded_by_user"]["name"], answer["params_input"]["reason"]
                with connections.warehouse() as warehouse:
                    business_date = date.fromisoformat(found["business_date"])
                    decision(warehouse, found["name"], business_date, found["rule"], reason, by)
            return chosen

        # Here, and not by clearing the run that is held: Airflow 3.3 fails to clear a run that has a deadline.
        @task(outlets=[RAW])
        def publish(found: dict, chosen: str, outlet_events=None, dag_run=None) -> None:
            from datetime import date

            from airflow.sdk.exceptions import AirflowSkipException

            from crw import connections, contracts, ingest, ledger

            if chosen != APPROVE:
                raise AirflowSkipException("nothing was approved")
            business_date = date.fromisoformat(found["business_date"])
            source = found["name"].partition(".")[0]
            with connections.warehouse() as warehouse:
                if tables := contracts.sources().get(source):  # else a mart
                    load_ids = [ingest.extract(warehouse, table, business_date, dag_run.run_id) for table in tables]
                    for table, load_id in zip(tables, load_ids, strict=True):
                        ingest.validate(warehouse, table, load_id)
                    print(ingest.publish_source(warehouse, source, load_ids))
                    if to_come := ledger.outstanding(warehouse, business_date):
                        raise AirflowSkipException(
                            f"{business_date} is still to be published by {', '.join(sorted(to_come))}"
                        )
            outlet_events[RAW].add_partitions(found["business_date"])

        publish(found, decide(found, ask.output))

    question.expand(found=list_held())
