"""What is unusual waits for a person: each is a question in Airflow's own pages, and the answer a row in audit.approval."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
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
`audit.approval`, as `crw approve` and `crw reject` write it. An approved load's run is cleared, and publishes the batch that
waits in `landing`; an approved mart is built and published by `warehouse`. What is rejected is dropped, and the next night
reads it again. Unanswered, a question is asked again by the next run.

**Triage**
1. A red `decide`: no reason was given, or what was asked about is decided already, or a newer batch took its place; the message says
   which. What still waits is asked about by the next run.
2. A red `run_again`: the run that loaded it is gone from Airflow. Trigger `ingest_<source>` for the date.
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
                    "dag_id": f"ingest_{found.source}",
                    "run_id": found.run_id,
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

        # Gates of their own: a branch skips nothing in a group that is mapped.
        @task
        def is_load_approved(found: dict, chosen: str) -> None:
            from airflow.sdk.exceptions import AirflowSkipException

            if chosen != APPROVE or not found["run_id"]:
                raise AirflowSkipException("no load was approved")

        run_again = TriggerDagRunOperator(
            task_id="run_again",
            trigger_dag_id=f"{{{{ {QUESTION}['dag_id'] }}}}",
            trigger_run_id=f"{{{{ {QUESTION}['run_id'] }}}}",
            reset_dag_run=True,  # the run of that date itself: it has the date as its partition
        )

        @task(outlets=[RAW])
        def build_again(found: dict, chosen: str, outlet_events=None) -> None:
            from airflow.sdk.exceptions import AirflowSkipException

            if chosen != APPROVE or found["run_id"]:
                raise AirflowSkipException("no mart was approved")
            outlet_events[RAW].add_partitions(found["business_date"])

        chosen = decide(found, ask.output)
        is_load_approved(found, chosen) >> run_again
        build_again(found, chosen)

    question.expand(found=list_held())
