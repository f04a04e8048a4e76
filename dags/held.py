"""What is unusual waits for a person: each is a question in Airflow's own pages, the answer a row in audit.approval, acted on."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, task, task_group

from crw import machines
from crw.settings import CLOCK

START = pendulum.datetime(2010, 1, 1, tz=CLOCK.key)
RAW = Asset("raw", uri="crw://raw")
APPROVE, REJECT, WAIT = "Approve", "Reject", "Wait"
QUESTION = "ti.xcom_pull(task_ids='list_held')[ti.map_index]"

with DAG(
    dag_id="held",
    description="Ask a person about the loads and marts that are held.",
    schedule=CronTriggerTimetable("0 */4 * * *", timezone=CLOCK.key),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=4),
    default_args={"owner": "data-engineering"},
    tags=["maintenance", "held"],
    doc_md="""
### Held

Every four hours, and when triggered: one question for each rule that holds a load, a mart or vanished keys
(`select * from audit.held`), under *Required Actions*. The answer needs a reason, and goes with its giver's name into
`audit.approval`, as `crw approve` and `crw reject` write it. What is approved the DAG `approved` publishes.
What is rejected is dropped, and the next night reads it again. Unanswered, a question is asked again by the next run.

**Triage** - a red `decide`: no reason was given, or what was asked about is decided already, or a newer batch took its place; the message
says which. What still waits is asked about by the next run.
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
        def decide(found: dict, answer: dict) -> None:
            from datetime import date

            from crw import connections, held

            (chosen,) = answer["chosen_options"]
            if chosen != WAIT:
                decision = held.approve if chosen == APPROVE else held.reject
                by, reason = answer["responded_by_user"]["name"], answer["params_input"]["reason"]
                with connections.warehouse() as warehouse:
                    business_date = date.fromisoformat(found["business_date"])
                    decision(warehouse, found["name"], business_date, found["rule"], reason, by)

        decide(found, ask.output)

    question.expand(found=list_held())

with DAG(
    dag_id="approved",
    description="Publish what a person let pass.",
    schedule=CronTriggerTimetable("*/10 * * * *", timezone=CLOCK.key),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-engineering"},
    tags=["maintenance", "held"],
    doc_md="""
### Approved

Every ten minutes: whatever was approved, in Airflow or by `crw approve`, and is not published (`select * from audit.approved`). A load is
published with its source, from the batch that waits in `landing`, and `warehouse` then runs for the date; a mart is built and published
by that. Vanished keys are read anew. Not yet, where more of the source waits for a person, where its DAG is at work, or where
something failed.

**Triage** - a red `publish`: another rule holds the batch, and is asked about too; or the source could not be read. It is not tried again
where the load failed: mend it, and run the source's DAG for the date.
""",
):

    @task
    def list_approved() -> list[list[str]]:
        from crw import connections, held

        with connections.warehouse() as warehouse:
            return [[source, day.isoformat()] for source, day in held.to_publish(warehouse)]

    @task(outlets=[RAW], queue=machines.WITH_DROP_FOLDERS)  # a batch that is in landing no more is read anew
    def publish(approved: list, ti=None, dag_run=None, outlet_events=None) -> None:
        from datetime import date

        from airflow.sdk.exceptions import AirflowSkipException

        from crw import alerts, connections, held, ingest, ledger

        source, day = approved[0], date.fromisoformat(approved[1])
        dag_id = "warehouse" if source == held.MARTS else f"ingest_{source}"
        if ti.get_dr_count(dag_id, states=["queued", "running"]):
            raise AirflowSkipException(f"{dag_id} is at work: the next run looks again")
        if source != held.MARTS:
            with connections.warehouse() as warehouse:
                print(ingest.publish_approved(warehouse, source, day, dag_run.run_id))
                alerts.dag_ended_well(warehouse, dag_id)
                if to_come := ledger.outstanding(warehouse, day):
                    raise AirflowSkipException(f"{day} is still to be published by {', '.join(sorted(to_come))}")
        outlet_events[RAW].add_partitions(approved[1])

    publish.expand(approved=list_approved())
