"""The compose file: valid by the compose schema, no default secrets, and the same processes as the local run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml

from crw.local import environment, services
from crw.local.postgres import SETTINGS, Server
from crw.settings import PROJECT

FILE = PROJECT / "docker-compose.yml"
ROLE_PASSWORDS = [f"{role.upper()}_PASSWORD" for role in environment.ROLES]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(FILE.read_text())


def test_keeps_the_compose_schema():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_runs_the_airflow_processes_of_the_local_run(compose):
    for name, arguments in services.AIRFLOW_PROCESSES.items():
        assert compose["services"][name]["command"] == ["airflow", *arguments]


def test_sets_the_variables_of_the_local_run(compose, tmp_path, monkeypatch):
    monkeypatch.setattr(environment.settings, "HOME", tmp_path)
    Server(tmp_path / "postgres").directory.mkdir()
    (tmp_path / "postgres" / "port").write_text("5432")
    (tmp_path / "postgres" / "password").write_text("secret")
    local = set(environment.variables())
    # What only one machine needs: the sample world's end, fewer sleeps, everybody an administrator of their own laptop.
    only_local = {
        "CRW_SCHEDULE_END",
        "AIRFLOW__CORE__PARALLELISM",
        "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS",
        "AIRFLOW__API__BASE_URL",
        "AIRFLOW__LOGGING__LOGGING_LEVEL",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK",
    }
    deployed = set(compose["services"]["airflow-scheduler"]["environment"])
    only_deployed = {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    }
    assert local - deployed == only_local
    assert deployed - local == only_deployed


def test_no_secret_has_a_default():
    for name, default in re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", FILE.read_text()):
        if re.search("PASSWORD|KEY|SECRET|TOKEN", name):
            assert default == "", name
    for name in (*ROLE_PASSWORDS, "POSTGRES_PASSWORD", "CRW_PSEUDONYM_KEY", "AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET"):
        assert f"${{{name}:?" in FILE.read_text()


def test_postgres_has_the_version_the_databases_and_the_settings_of_the_embedded_one(compose):
    postgres = compose["services"]["postgres"]
    made = {
        postgres["environment"]["POSTGRES_DB"],
        *re.findall(r"create database (\w+)", compose["configs"]["databases"]["content"]),
    }
    assert made == set(environment.DATABASES)
    assert postgres["image"] == "postgres:18"
    for setting in postgres["command"][2::2]:
        name, _, value = setting.partition("=")
        assert SETTINGS[name] == value


def test_the_pipeline_works_as_the_roles_of_the_local_run_and_only_the_installer_as_superuser(compose):
    deployed = compose["services"]["airflow-scheduler"]["environment"]
    assert deployed["AIRFLOW_CONN_WAREHOUSE"].startswith("postgresql://crw_loader:")
    assert deployed["CRW_PGUSER"] == "crw_transformer"
    installer = compose["services"]["install"]["environment"]
    assert installer["AIRFLOW_CONN_WAREHOUSE"].startswith("postgresql://postgres:")
    assert set(ROLE_PASSWORDS) <= set(installer)


def test_ports_are_published_on_loopback_only(compose):
    for name, service in compose["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_code_and_state_are_where_the_image_puts_them(compose):
    variables = compose["services"]["airflow-scheduler"]["environment"]
    assert f"WORKDIR {variables['CRW_PROJECT']}" in (PROJECT / "Dockerfile").read_text()
    assert variables["AIRFLOW__CORE__DAGS_FOLDER"] == f"{variables['CRW_PROJECT']}/dags"
    assert f"state:{variables['CRW_HOME']}" in compose["services"]["airflow-scheduler"]["volumes"]


def test_the_sample_crm_takes_its_arguments(compose):
    _, *arguments = compose["services"]["crm-api"]["command"]
    result = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env={})
    assert result.stderr.endswith("error: --dsn and --token, or CRM_DSN and CRM_TOKEN, are needed\n")


@pytest.mark.parametrize("service, command", [("install", "crw install"), ("sample-sources", "crw sample")])
def test_crw_knows_the_commands_of_the_deployment(compose, tmp_path, service, command):
    assert " ".join(compose["services"][service]["command"]).endswith(command)
    arguments = [sys.executable, "-m", "crw.local.cli", *command.split()[1:]]
    result = subprocess.run(arguments, capture_output=True, text=True, env={"AIRFLOW_HOME": str(tmp_path)})
    assert result.returncode == 1, result.stderr  # for want of a database, where a command it does not know is a 2
