"""Airflow as a person uses it: by the API that its pages ask, of a home that is up."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from tests.homes import Home

PATIENCE = 300  # seconds, for one run


class Airflow:
    """The API server of a home in which `crw up` was run."""

    def __init__(self, home: Home) -> None:
        port = json.loads((home.folder / "state.json").read_text())["airflow_port"]
        address = f"http://127.0.0.1:{port}"
        token = httpx.get(f"{address}/auth/token", timeout=60).raise_for_status().json()["access_token"]
        self.client = httpx.Client(
            base_url=f"{address}/api/v2/", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )

    def ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """What the API answers."""
        return self.client.request(method, path, json=body or None).raise_for_status().json()

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Queue a run of a DAG and unpause it. Returns the first that begins since: the clock may ask for one, too."""
        queued = self.ask("POST", f"dags/{dag_id}/dagRuns", logical_date=None, conf=conf)["queued_at"]
        self.ask("PATCH", f"dags/{dag_id}", is_paused=False)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            runs = self.ask("GET", f"dags/{dag_id}/dagRuns?order_by=start_date")["dag_runs"]
            if begun := [run["dag_run_id"] for run in runs if (run["start_date"] or "") > queued]:
                return begun[0]
            time.sleep(0.2)
        raise AssertionError(f"no run of {dag_id} begins")

    def run_of(self, dag_id: str, partition_key: str) -> str:
        """The run of a DAG for a partition, once there is one."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for run in self.ask("GET", f"dags/{dag_id}/dagRuns?order_by=-id")["dag_runs"]:
                if run["partition_key"] == partition_key:
                    return run["dag_run_id"]
            time.sleep(0.2)
        raise AssertionError(f"no run of {dag_id} for {partition_key}")

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        return self.ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]

    def waiting(self, dag_id: str, run_id: str, count: int) -> list[dict[str, Any]]:
        """The task instances of a run that wait for a person, once there are so many."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = [task for task in self.tasks(dag_id, run_id) if task["state"] == "awaiting_input"]
            if len(found) == count:
                return found
            time.sleep(0.2)
        raise AssertionError(self.tasks(dag_id, run_id))

    def end(self, dag_id: str, run_id: str) -> dict[str, list[str]]:
        """Wait for the end of a run. Returns the states of its tasks, in the order of their mapping."""
        deadline = time.monotonic() + PATIENCE
        while self.ask("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"] not in ("success", "failed"):
            assert time.monotonic() < deadline, self.tasks(dag_id, run_id)
            time.sleep(0.2)
        states: dict[str, list[str]] = {}
        for task in sorted(self.tasks(dag_id, run_id), key=lambda task: task["map_index"]):
            states.setdefault(task["task_id"], []).append(task["state"])
        return states
