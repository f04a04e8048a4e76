"""Build, start, see a night green, read it, erase a person, stop, start, back up, restore, take a new version and go on with two workers.

python -m tests.deployment
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
import psycopg

from tests.deployment.containers import Deployment, why_not

PASSWORD = "of-the-test-alone"
FIGURES = "select md5(string_agg(f::text, '|' order by f::text)) from marts.feedback_cube as f"


def main() -> int:
    """Returns the exit status: 0 too where no engine can run, with the reason."""
    if reason := why_not():
        print(f"skipped: {reason}")
        return 0
    with tempfile.TemporaryDirectory(prefix="crw-deployment-") as folder:
        deployment = Deployment(Path(folder))
        try:
            _walk(deployment)
        finally:
            deployment.remove()
    return 0


def _walk(deployment: Deployment) -> None:
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}", flush=True)

    for heading in ("Secrets", "With the sample sources"):
        deployment.run(*deployment.blocks(heading))
    owned, built, started = deployment.blocks("Start")[0].rstrip().split("\n")
    deployment.run(owned)
    deployment.run(built)
    say(f"built: {_image_size() / 1e6:.0f} MB")
    deployment.run(started)
    deployment.wait("healthy", deployment.is_healthy, 600)
    say("healthy")
    _make_account(deployment)
    checked, queued, unpaused = deployment.blocks("The first night")
    assert "a night would publish" in deployment.run(checked)
    say("checked")
    deployment.run(queued.replace("2013-04-30", "2013-04-29"))
    deployment.run(unpaused)
    say("all DAGs let go at once")
    _see_night(deployment, "2013-04-29")
    say("the night of 2013-04-29 is green; at most, in MiB:")
    print(*(f"         {name} {peak:.0f}" for name, peak in sorted(deployment.peaks.items())), sep="\n", flush=True)
    _read(deployment)
    figures = _ask(deployment, "crw_dashboard", FIGURES)
    say("a reader has its figures, and the pages are served")
    for where in _erase_somebody(deployment):
        print(f"         {where}")
    assert _ask(deployment, "crw_dashboard", FIGURES) == figures
    say("a person is erased, and every figure stands")

    deployment.run(*deployment.blocks("Stop and start"))
    deployment.wait("healthy", deployment.is_healthy, 600)
    assert _ask(deployment, "crw_dashboard", FIGURES) == figures
    say("stopped, started, healthy")

    deployment.run(*deployment.blocks("Backup"))
    deployment.run("docker compose down --volumes")
    deployment.run(*deployment.blocks("Restore"))
    deployment.wait("healthy", deployment.is_healthy, 600)
    assert _ask(deployment, "crw_dashboard", FIGURES) == figures
    say("restored from the backup alone")
    _take_new_version(deployment)
    assert _ask(deployment, "crw_dashboard", FIGURES) == figures
    say("a new version runs in the old one's place")
    _make_account(deployment)
    (workers,) = deployment.blocks("Workers")
    deployment.run(workers.replace("=workers", "=sample,workers,flower"))
    deployment.wait("healthy", deployment.is_healthy, 600)
    deployment.wait("seen by Flower", lambda: _see_flower(deployment), 60)
    say("two workers are healthy, and Flower sees both")
    deployment.run(queued)
    deployment.run(unpaused)
    _see_night(deployment, "2013-04-30")
    say("the night of 2013-04-30 went on from it, on the workers:")
    print(
        *(f"         {host} {tasks} tasks" for host, tasks in _see_workers(deployment, "2013-04-30").items()),
        sep="\n",
        flush=True,
    )
    _read(deployment)
    assert _ask(deployment, "crw_dashboard", FIGURES) != figures


def _image_size() -> int:
    told = subprocess.run(
        ["docker", "image", "inspect", "crw:deployment-test", "--format", "{{.Size}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(told.stdout)


def _take_new_version(deployment: Deployment) -> None:
    """Another model is another version of the project: the next night makes all anew."""
    installed = "docker compose ps --all install --format '{{.ID}} {{.State}} {{.ExitCode}}'"
    before = deployment.run(installed)
    model = Path("dbt_project", "models", "marts", "liaison", "kpi_liaison.sql")
    with (deployment.folder / model).open("a") as text:
        text.write("-- of the new version\n")
    deployment.run(*deployment.blocks("A new version"))
    deployment.wait("healthy", deployment.is_healthy, 600)
    assert "-- of the new version" in deployment.run(f"docker compose exec -T airflow-scheduler cat /opt/crw/{model}")
    after = deployment.run(installed)
    assert after != before and after.endswith(" exited 0\n"), after


def _make_account(deployment: Deployment) -> None:
    deployment.run(*deployment.blocks("Who may log into Airflow"), given=f"{PASSWORD}\n{PASSWORD}\n")


def _airflow(deployment: Deployment) -> httpx.Client:
    """Airflow's API as the account that was made, and as no other."""
    address = f"http://127.0.0.1:{deployment.ports['AIRFLOW_PORT']}"
    assert httpx.get(f"{address}/api/v2/dags", timeout=30).status_code == 401
    assert httpx.post(f"{address}/auth/token", json={"username": "admin", "password": "?"}, timeout=30).is_error
    account = {"username": "admin", "password": PASSWORD}
    token = httpx.post(f"{address}/auth/token", json=account, timeout=30).raise_for_status().json()["access_token"]
    return httpx.Client(base_url=f"{address}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def _see_night(deployment: Deployment, business_date: str) -> None:
    """Wait until the date's marts are published. Raises RuntimeError where a run of any DAG failed, or after half an hour."""
    with _airflow(deployment) as airflow:

        def is_green() -> bool:
            runs = airflow.get("/dags/~/dagRuns", params={"limit": 100}).raise_for_status().json()["dag_runs"]
            if red := [f"{run['dag_id']} {run['dag_run_id']}" for run in runs if run["state"] == "failed"]:
                raise RuntimeError(f"red: {red}\n{deployment.run('docker compose logs --tail 100 airflow-scheduler')}")
            of_the_date = {(run["dag_id"], run["state"]) for run in runs if run["partition_key"] == business_date}
            return ("warehouse", "success") in of_the_date and {state for _, state in of_the_date} == {"success"}

        deployment.wait(f"green for {business_date}", is_green, 1800)


def _see_workers(deployment: Deployment, business_date: str) -> dict[str, int]:
    """How many tasks of the date's night each worker ran: both did, only one read drop folders, and what they logged can be read."""
    with _airflow(deployment) as airflow:
        runs = airflow.get("/dags/~/dagRuns", params={"limit": 100}).raise_for_status().json()["dag_runs"]
        of_the_date = {run["dag_run_id"] for run in runs if run["partition_key"] == business_date}
        found = airflow.get("/dags/~/dagRuns/~/taskInstances", params={"limit": 500}).raise_for_status().json()
        ran = [task for task in found["task_instances"] if task["hostname"] and task["dag_run_id"] in of_the_date]
        assert {task["hostname"] for task in ran if task["queue"] == "drop_folders"} == {"airflow-worker-1"}
        counts = Counter(task["hostname"] for task in ran)
        assert set(counts) == {"airflow-worker-1", "airflow-worker-2"}
        for task in {task["hostname"]: task for task in ran if task["task_id"] == "validate"}.values():
            source = task["dag_id"].removeprefix("ingest_")
            run = (
                f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/validate/logs/{task['try_number']}"
            )
            assert f"{source}." in airflow.get(run, headers={"Accept": "application/json"}).raise_for_status().text
    return dict(counts)


def _see_flower(deployment: Deployment) -> bool:
    """Whether Flower has both workers online; it tells nobody without its password, and gives tasks for nobody."""
    address = f"http://127.0.0.1:{deployment.ports['FLOWER_PORT']}"
    assert httpx.get(f"{address}/workers?json=1", timeout=30).status_code == 401
    account = ("flower", deployment.secret("flower_password"))
    assert httpx.post(f"{address}/api/task/send-task/any", auth=account, json={}, timeout=30).status_code == 403
    found = httpx.get(f"{address}/workers?json=1", auth=account, timeout=30).raise_for_status().json()["data"]
    online = {worker["hostname"] for worker in found if worker["status"]}
    return online == {"celery@airflow-worker-1", "celery@airflow-worker-2"}


def _erase_somebody(deployment: Deployment) -> list[str]:
    """Erase the first complainant with an e-mail address. Returns where the person was, all in the deployment's own warehouse."""

    def told(database: str, query: str) -> str:
        return deployment.run(f'docker compose exec -T postgres psql -U postgres {database} -Atc "{query}"')

    known = "complainant_email is not null and not is_anonymous and updated_at < '2013-04-01'"
    address = told(
        "case_management", f"select complainant_email from case_management.cases where {known} order by case_id limit 1"
    )
    erased = deployment.run(deployment.blocks("Persons")[0], given=address).splitlines()
    assert erased[-1] == "erased; the proof is in audit.erasure"
    assert told("warehouse", "select count(*) from audit.erasure") == "1\n"
    return [line for line in erased if line.startswith(("raw.", "core."))]


def _ask(deployment: Deployment, role: str, query: str):
    port = deployment.ports["WAREHOUSE_PORT"]
    password = deployment.secret(f"{role}_password")
    with psycopg.connect(host="127.0.0.1", port=port, dbname="warehouse", user=role, password=password) as reader:
        return reader.execute(query).fetchone()


def _read(deployment: Deployment) -> None:
    known = "select count(*) from marts.kpi_scorecard where is_latest and value is not null"
    assert _ask(deployment, "crw_dashboard", known) > (0,)
    try:
        _ask(deployment, "crw_dashboard", "select count(*) from core.fct_feedback_case")
        raise AssertionError("a dashboard's role reads core")
    except psycopg.errors.InsufficientPrivilege:
        pass
    pages = f"http://127.0.0.1:{deployment.ports['PAGES_PORT']}"
    assert "This morning" in httpx.get(f"{pages}/morning.html").raise_for_status().text
    for other in ("airflow/airflow.cfg", "logs/", "../airflow/airflow.cfg", "%2e%2e/airflow/airflow.cfg"):
        assert httpx.get(f"{pages}/{other}").status_code in (400, 403, 404), other


if __name__ == "__main__":
    sys.exit(main())
