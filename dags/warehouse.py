"""Once every source that takes part has published a business date: dbt build >> validate marts >> publish marts >> report, the pages."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Asset, AssetAlias, Metadata, PartitionedAssetTimetable, task

from crw import alerts, lateness, openlineage, retries
from crw.settings import CLOCK

DOC = """
### The night's marts

Starts for a business date once every source that takes part (`CRW_SOURCES`) has published it; the last one tells (`deliver`).
dbt builds `core` and `candidate` in one process; each mart
is then validated by its suite; only if all pass are they published to `marts`, in one transaction. `report` then makes what people
read: Data Docs, and the site of pages (`$CRW_HOME/site`, or the store `$CRW_PAGES`), which it puts in place when it is whole.

**Triage**
1. A red `build`: the message names the dbt node. Readers still see last night's marts.
2. A red `validate_marts`: the message names mart and rule. The candidate stays in schema `candidate` to look at.
3. Not ended two hours after it was queued, or red: `select * from audit.late_run order by noted_at desc`.
4. A red `report`: the marts are published, and the site is that of the publication before. Clear the task once mended.
5. A skipped `build`: nothing reached `raw` since the last publication, or a later date's run builds the marts.
"""

MODELS = AssetAlias("dbt-models")

with DAG(
    dag_id="warehouse",
    description="Build, validate and publish the KPI marts.",
    schedule=PartitionedAssetTimetable(assets=Asset("raw", uri="crw://raw")),
    start_date=pendulum.datetime(2010, 1, 1, tz=CLOCK.key),
    catchup=False,
    max_active_runs=1,
    deadline=lateness.DEADLINE,
    default_args={
        "owner": "data-engineering",
        **openlineage.callbacks(on_failure_callback=alerts.task_failed),
        **retries.RETRIES,
    },
    tags=["warehouse", "dbt", "marts"],
    doc_md=DOC,
) as dag:

    @task(outlets=[MODELS])
    def build(dag_run=None):
        from datetime import date

        from airflow.sdk.exceptions import AirflowSkipException

        from crw import connections, readers, transform

        business_date = date.fromisoformat(dag_run.partition_key)
        with connections.warehouse() as warehouse:
            readers.hold_limits(warehouse)
            if reason := transform.why_not_needed(warehouse, business_date):
                raise AirflowSkipException(reason)
            models = transform.build(warehouse, business_date)
        for model in models:
            asset = Asset(model.relation.replace(".", "/"), uri=f"crw://{model.relation.replace('.', '/')}")
            yield Metadata(asset, extra={"rows": model.rows, "seconds": model.seconds}, alias=MODELS)

    @task(retries=0)  # what is unusual is believed when it is judged a second time: a person looks between
    def validate_marts() -> None:
        from crw import connections, quality, transform

        with connections.warehouse() as warehouse:
            outcomes = quality.validate_marts(warehouse, transform.built_date(warehouse))
        print(*(outcome.message for outcome in outcomes), sep="\n")

    @task(outlets=[Asset("marts", uri="crw://marts")])
    def publish_marts(dag_run=None) -> None:
        from crw import connections, publish, transform

        with connections.warehouse() as warehouse:
            print(publish.publish_marts(warehouse, transform.built_date(warehouse), dag_run.run_id))

    @task(**openlineage.callbacks(on_failure_callback=alerts.task_failed, on_success_callback=alerts.task_ended_well))
    def report() -> None:
        from crw import connections, data_docs, store, transform
        from crw.report import site

        with store.home() as home:
            with connections.warehouse() as warehouse:
                data_docs.build(warehouse, home / "data_docs")
            with connections.marts() as marts:
                print(site.build(marts, home, transform.manifest()))

    build() >> validate_marts() >> publish_marts() >> report()
