"""What the night's tasks read and write, told to a receiver of OpenLineage events (openlineage.io), where one is set.

The connection `openlineage`, of type `http`, says where: `AIRFLOW_CONN_OPENLINEAGE`, its password the API key. Unset, the tasks have no
callback of this module, and nothing is imported or sent. An event names tables, columns, tasks, times and the business date: no value of
a row, no query, and of an error nothing but that there was one.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from crw.settings import CLOCK

if TYPE_CHECKING:
    from openlineage.client.event_v2 import Dataset, RunEvent, RunState

    from crw.contracts import Table

log = logging.getLogger(__name__)  # what a task prints is left out of the logs of one machine

CONNECTION = "openlineage"
NAMESPACE = "crw"
"""Of the jobs, which are `<dag>.<task>`."""
PATIENCE = 3
"""Seconds that a task waits for a receiver, once, at its end."""

Callback = Callable[[dict[str, Any]], None]
Columns = Mapping[str, list[str]]
"""By column of a table the columns that its values come from, as `<schema>.<relation>.<column>`."""
Data = tuple[list["Dataset"], list["Dataset"]]
"""What is read and what is written."""


def callbacks(**own: Callback) -> dict[str, Callback | list[Callback]]:
    """The callbacks of a nightly task: its own, and where a receiver is set, behind them those that tell of its start and end.

    Args:
        own: by Airflow's name of the callback. An operator that has one needs all of its DAG's: it replaces them.
    """
    if not os.environ.get(f"AIRFLOW_CONN_{CONNECTION.upper()}"):
        return own
    telling = {
        "on_execute_callback": started,
        "on_success_callback": completed,
        "on_skipped_callback": skipped,
        "on_retry_callback": failed,
        "on_failure_callback": failed,
    }
    return {kind: [own[kind], tell] if kind in own else [tell] for kind, tell in telling.items()}


def started(context: dict[str, Any]) -> None:
    """Tell that a task begins; nobody waits for the answer."""
    _tell(context, "START", lambda _: ([], []), waits=False)


def completed(context: dict[str, Any]) -> None:
    """Tell that a task ended well, and what it read and wrote."""
    _tell(context, "COMPLETE", _data)


def skipped(context: dict[str, Any]) -> None:
    """Tell that a task had nothing to do."""
    _tell(context, "COMPLETE", lambda _: ([], []))


def failed(context: dict[str, Any]) -> None:
    """Tell that an attempt of a task failed, and what it was to read and write: each attempt is a run."""
    _tell(context, "FAIL", _data)


def _tell(context: dict[str, Any], state: str, data: Callable[[Any], Data], *, waits: bool = True) -> None:
    """Send one event; whatever keeps it from arriving is a line of the task's log."""
    try:
        from airflow.sdk import Connection
        from openlineage.client.event_v2 import RunState
        from openlineage.client.transport.http import HttpConfig, HttpTransport

        receiver = Connection.get(CONNECTION)
        address = {"url": receiver.host, "timeout": PATIENCE, "retry": {"total": 0}}
        key = {"auth": {"type": "api_key", "apiKey": receiver.password}} if receiver.password else {}
        transport = HttpTransport(HttpConfig.from_dict(address | key))
        event = _event(context, RunState[state], data(context["ti"]))
    except Exception as error:  # the night is not about this
        log.warning("%s is not told: %s: %s", state, type(error).__name__, error)
        return

    def send() -> None:
        try:
            transport.emit(event)
        except Exception as error:
            log.warning("%s is not told: %s: %s", state, type(error).__name__, error)

    # The transport's time-out is of each step: a name that is looked up, or an answer that comes byte by byte, takes longer.
    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    if waits:
        sending.join(PATIENCE)
        if sending.is_alive():
            log.warning("%s is not told: no answer within %s s", state, PATIENCE)


def _event(context: dict[str, Any], state: RunState, data: Data) -> RunEvent:
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent
    from openlineage.client.facet_v2 import nominal_time_run, parent_run
    from openlineage.client.uuid import generate_static_uuid

    ti, dag_run = context["ti"], context["dag_run"]
    night = generate_static_uuid(dag_run.run_after, f"{dag_run.dag_id} {dag_run.run_id}".encode())
    day = datetime.combine(datetime.fromisoformat(dag_run.partition_key), time(), CLOCK)
    of_run = {
        "parent": parent_run.ParentRunFacet(parent_run.Run(str(night)), parent_run.Job(NAMESPACE, dag_run.dag_id)),
        "nominalTime": nominal_time_run.NominalTimeRunFacet(day.isoformat(), (day + timedelta(days=1)).isoformat()),
    }
    inputs, outputs = data
    return RunEvent(
        eventType=state,
        eventTime=datetime.now(UTC).isoformat(),
        run=Run(str(ti.id), of_run),
        job=Job(NAMESPACE, f"{ti.dag_id}.{ti.task_id}"),
        inputs=[InputDataset(d.namespace, d.name, facets=d.facets) for d in inputs],
        outputs=[OutputDataset(d.namespace, d.name, facets=d.facets) for d in outputs],
        producer="crw://openlineage",
    )


def _data(ti: Any) -> Data:
    """What a nightly task reads and writes."""
    from crw import connections, contracts

    tables = Tables(*connections.address(connections.WAREHOUSE))
    if ti.dag_id == "warehouse":
        return _data_of_the_marts(ti.task_id, tables)
    of_source = contracts.sources()[ti.dag_id.removeprefix("ingest_")]
    landing, raw = ([tables.one(f"{schema}.{t.identifier}") for t in of_source] for schema in ("landing", "raw"))
    match ti.task_id:
        case "extract":
            files_once = {source.name: source for source in map(_source, of_source)}  # a workbook has several tables
            return [*files_once.values()], landing
        case "validate":
            return landing, [tables.one("quarantine.record")]
        case "publish":
            return landing, raw
    return [], []


def _data_of_the_marts(task_id: str, tables: Tables) -> Data:
    from crw import lineage, publish

    try:
        manifest = json.loads((Path(os.environ["DBT_TARGET_PATH"]) / "manifest.json").read_text(encoding="utf-8"))
    except (
        FileNotFoundError
    ):  # dbt ended before it wrote its first, or was always another worker's: parsing would take too long
        return [], []
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
    marts = {node["name"]: list(node["columns"]) for node in nodes if node["schema"] == "candidate"}
    made_of: dict[str, Columns] = {}
    for column, found in json.loads(lineage.KEPT.read_text(encoding="utf-8")).items():
        mart, _, name = column.partition(".")
        made_of.setdefault(mart, {})[name] = found["raw"] + found["seeds"]
    candidate = [tables.one(f"candidate.{mart}", made_of.get(mart, {})) for mart in marts]
    published = [
        tables.one(
            f"{publish.SCHEMA.get(mart, 'marts')}.{mart}", {name: [f"candidate.{mart}.{name}"] for name in columns}
        )
        for mart, columns in marts.items()
    ]
    match task_id:
        case "build":
            read = [f"{source['schema']}.{source['identifier']}" for source in manifest["sources"].values()]
            read += [f"core.{node['name']}" for node in nodes if node["resource_type"] == "seed"]
            core = [n["name"] for n in nodes if n["schema"] == "core" and n["resource_type"] == "model"]
            return [*map(tables.one, read)], [*(tables.one(f"core.{name}") for name in core), *candidate]
        case "validate_marts":
            return candidate, []
        case "publish_marts":
            return candidate, published
    return published, []


@dataclass(frozen=True)
class Tables:
    """How the tables of the warehouse are named."""

    namespace: str
    database: str

    def one(self, name: str, made_of: Columns = MappingProxyType({})) -> Dataset:
        """A table, `<schema>.<relation>`, with the columns that its columns' values come from."""
        from openlineage.client.event_v2 import Dataset
        from openlineage.client.facet_v2 import column_lineage_dataset as facet

        def field(column: str) -> facet.InputField:
            relation, _, name = column.rpartition(".")
            return facet.InputField(self.namespace, f"{self.database}.{relation}", name)

        fields = {column: facet.Fields([*map(field, found)]) for column, found in made_of.items()}
        facets = {"columnLineage": facet.ColumnLineageDatasetFacet(fields)} if fields else {}
        return Dataset(self.namespace, f"{self.database}.{name}", facets=facets)


def _source(table: Table) -> Dataset:
    """A table of a source system: a relation, an endpoint, or files of a folder."""
    from openlineage.client.event_v2 import Dataset

    from crw import connections

    namespace, place = connections.address(table.connection)
    match table.reader:
        case "database":
            return Dataset(namespace, f"{place}.{table.relation}")
        case "api":
            return Dataset(namespace, table.endpoint.strip("/"))
    return Dataset(namespace, f"{place}/{table.layout.files if table.layout else '*'}")
