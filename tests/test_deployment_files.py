"""The compose file and the CI workflow: valid by their schemas, secrets for who needs them, and the same processes as the local run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from crw import contracts, machines
from crw.local import databases, environment, services
from crw.local.postgres import SETTINGS, Server
from crw.settings import PROJECT

FILE = PROJECT / "docker-compose.yml"
WORKFLOW = PROJECT / ".github" / "workflows" / "ci.yml"
ROLE_PASSWORDS = [f"{role.upper()}_PASSWORD" for role in (*environment.ROLES, *databases.ROLES)]
DEPLOYED = ("airflow-scheduler", "airflow-api-server")
WORKERS = ("airflow-worker-1", "airflow-worker-2")
RUN_TASKS = {"airflow-scheduler", *WORKERS}
SECRET_OF = {
    "postgres_password": {"postgres", "install", "privacy"},
    "crw_pseudonym_key": RUN_TASKS | {"privacy"},
    "crw_loader_password": RUN_TASKS | {"install", "airflow-dag-processor"},
    "crw_transformer_password": RUN_TASKS | {"install", "privacy"},
    "case_management_connection": RUN_TASKS | {"privacy"},
    "crm_api_connection": RUN_TASKS | {"privacy"},
    "airflow_secret_key": {"airflow-scheduler", "airflow-api-server"},
    "airflow_jwt_secret": {"airflow-scheduler", "airflow-api-server", "airflow-triggerer"},
    "redis_password": RUN_TASKS | {"redis", "flower", "privacy"},
    "flower_password": {"flower"},
    "crm_token": {"crm-api"},
}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(FILE.read_text())


def named_in(service):
    """The secrets that a service's variables name."""
    variables = {name: value for name, value in service.get("environment", {}).items() if value}
    found = set(re.findall(r"\$\$\{(\w+)\}", " ".join(variables.values())))
    return found | {value.removeprefix("/run/secrets/") for name, value in variables.items() if name.endswith("_FILE")}


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        (FILE, "vendor.compose-spec"),
        (WORKFLOW, "vendor.github-workflows"),
        (WORKFLOW, "custom.github-workflows-require-timeout"),
    ],
)
def test_keeps_its_schema(path, schema):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
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
    # What only one machine needs: fewer sleeps, everybody an administrator of their own laptop.
    only_local = {
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS",
        "AIRFLOW__LOGGING__LOGGING_LEVEL",
        "AIRFLOW__LOGGING__NAMESPACE_LEVELS",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL",
    }
    deployed = {name for service in DEPLOYED for name in compose["services"][service]["environment"]}
    only_deployed = {
        "AIRFLOW_CONN_ALERTS",  # the local run has these two of its user, if any
        "AIRFLOW_CONN_OPENLINEAGE",
        "AIRFLOW__CORE__AUTH_MANAGER",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT",
        "AIRFLOW__CELERY__BROKER_URL",
        "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG",
        "AIRFLOW__CELERY__TASK_PUBLISH_MAX_RETRIES",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY",
        "CRW_PAGES",  # one machine reads them where they are made
    }
    assert local - deployed == only_local
    assert deployed - local == only_deployed


def test_secrets_are_files_and_each_service_has_those_that_its_variables_name_and_no_other(compose):
    holders = {}
    for name, service in compose["services"].items():
        in_a_file = {"redis_password"} if name == "redis" else set()  # which its command reads
        assert named_in(service) | in_a_file == set(service.get("secrets", [])), name
        for secret in service.get("secrets", []):
            holders.setdefault(secret, set()).add(name)
    assert set(holders) == set(compose["secrets"])
    assert compose["secrets"] == {secret: {"file": f"./secrets/{secret}"} for secret in holders}
    assert {secret: holders[secret] for secret in SECRET_OF} == SECRET_OF
    for name in re.findall(r"(?<!\$)\$\{([A-Z_]+)", FILE.read_text()):
        assert not re.search("PASSWORD|KEY|SECRET|TOKEN|CONN|DSN", name), f"{name} comes from the environment"


def test_no_secret_goes_into_the_image():
    lines = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    taken = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert lines[0] == "*"  # all that is not named stays out
    assert taken == {
        "dags",
        "dbt_project",
        "docs/queries",
        "expectations",
        "include",
        "requirements",
        "LICENSE",
        "pyproject.toml",
    }
    assert {".env", "secrets/"} <= set((PROJECT / ".gitignore").read_text().splitlines())


def test_the_image_is_built_once_and_every_service_of_ours_runs_it(compose):
    services_of_ours = {
        name for name, service in compose["services"].items() if service["image"] == "crw:${CRW_TAG:-latest}"
    }
    assert [name for name in compose["services"] if "build" in compose["services"][name]] == ["install"]
    assert set(compose["services"]) - services_of_ours == {"postgres", "pages", "redis"}


def test_the_image_has_the_versions_of_the_lock_and_no_tool_of_development():
    locks = {name: (PROJECT / "requirements" / name).read_text() for name in ("lock.txt", "runtime.txt")}
    pins = {name: dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE)) for name, text in locks.items()}
    image, developed = pins["runtime.txt"], pins["lock.txt"]
    assert {name: developed[name] for name in image if name in developed} == {
        name: version for name, version in image.items() if name in developed
    }
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert "--require-hashes --compile-bytecode -r requirements/runtime.txt" in (PROJECT / "Dockerfile").read_text()
    assert not {"pytest", "ruff", "sqlfluff", "hypothesis"} & set(image)
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["deployment"]]
    assert {re.split("[=<>\\[]", name)[0] for name in asked} <= set(image)


def test_every_container_has_bounds_and_what_serves_others_is_looked_after(compose):
    for name, service in compose["services"].items():
        assert service["mem_limit"], name
        assert service["logging"] == {"driver": "local", "options": {"max-size": "10m", "max-file": "5"}}, name
        assert service["init"] is (name != "postgres"), name
    assert {"postgres", "redis", "flower", *WORKERS, *services.AIRFLOW_PROCESSES} <= {
        name for name, service in compose["services"].items() if "healthcheck" in service
    }


def test_no_container_has_a_capability_or_can_get_one(compose):
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_the_entry_point_puts_secrets_into_the_variables_that_name_them(tmp_path):
    (tmp_path / "loader").write_text("p$4${x}\n")
    run = (
        "import pathlib, sys; from crw.local import entry; entry.SECRETS = pathlib.Path(sys.argv.pop(1)); entry.main()"
    )
    command = [sys.executable, "-c", run, str(tmp_path), "sh", "-c", 'printf \'%s \' "$DSN" "$OTHER"; umask']
    variables = {**os.environ, "DSN": "postgresql://me:${loader}@db", "OTHER": "$5"}
    result = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert result.stdout == "postgresql://me:p$4${x}@db $5 0077\n"
    result = subprocess.run(command, env={**variables, "DSN": "${superuser}"}, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (1, f"DSN names a secret that is not in {tmp_path}: 'superuser'\n")


def test_the_entry_point_leaves_variables_as_they_are_where_no_secret_is_a_file(tmp_path):
    (tmp_path / "kubernetes.io" / "serviceaccount").mkdir(parents=True)  # all that a pod has there
    run = (
        "import pathlib, sys; from crw.local import entry; entry.SECRETS = pathlib.Path(sys.argv.pop(1)); entry.main()"
    )
    command = [sys.executable, "-c", run, str(tmp_path), "sh", "-c", 'printf "%s" "$DSN"']
    dsn = "postgresql://me:a${b}$${c@db"
    result = subprocess.run(command, env={**os.environ, "DSN": dsn}, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == (dsn, "")


def test_postgres_has_the_version_and_the_settings_of_the_embedded_one(compose):
    postgres = compose["services"]["postgres"]
    assert postgres["environment"]["POSTGRES_DB"] == "warehouse"  # `crw install` makes the others
    assert postgres["image"] == "postgres:18"
    given = dict(option.removeprefix("-c").split("=") for option in postgres["command"][1:])
    of_a_server = {"shared_buffers", "effective_cache_size"}  # which has the memory of its container
    as_wished = {"timezone": "${CRW_CLOCK:-Asia/Hong_Kong}"}
    assert {name: (SETTINGS | as_wished)[name] for name in given.keys() - of_a_server} == {
        name: value for name, value in given.items() if name not in of_a_server
    }


def test_commands_on_a_person_reach_all_that_tasks_do_as_superuser(compose):
    """Told of no warehouse, or of no key, they would find nobody."""
    scheduler, privacy = (compose["services"][name] for name in ("airflow-scheduler", "privacy"))
    assert privacy["profiles"] == ["privacy"]  # it runs when it is asked to
    assert privacy["volumes"] == scheduler["volumes"]
    of_tasks = compose["services"]["airflow-worker-1"]["environment"]
    other = {name for name in of_tasks if privacy["environment"][name] != of_tasks[name]}
    assert other == {"AIRFLOW_CONN_WAREHOUSE"}
    assert privacy["environment"]["AIRFLOW_CONN_WAREHOUSE"].startswith("postgresql://postgres:")


def test_the_pipeline_works_as_the_roles_of_the_local_run_and_as_superuser_only_what_installs_and_erases(compose):
    deployed = compose["services"]["airflow-scheduler"]["environment"]
    assert deployed["AIRFLOW_CONN_WAREHOUSE"].startswith("postgresql://crw_loader:")
    assert deployed["CRW_PGUSER"] == "crw_transformer"
    services = {name: service.get("environment", {}) for name, service in compose["services"].items()}
    as_superuser = {name for name, told in services.items() if "//postgres:" in told.get("AIRFLOW_CONN_WAREHOUSE", "")}
    assert as_superuser == {"install", "privacy"}
    assert set(ROLE_PASSWORDS) <= set(services["install"])


def test_ports_are_published_on_loopback_only(compose):
    for name, service in compose["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_code_and_state_are_where_the_image_puts_them(compose):
    variables = compose["services"]["airflow-scheduler"]["environment"]
    assert f"WORKDIR {variables['CRW_PROJECT']}" in (PROJECT / "Dockerfile").read_text()
    assert variables["AIRFLOW__CORE__DAGS_FOLDER"] == f"{variables['CRW_PROJECT']}/dags"
    assert f"state:{variables['CRW_HOME']}" in compose["services"]["airflow-scheduler"]["volumes"]


def test_a_worker_runs_what_the_scheduler_would_and_makes_no_token(compose):
    scheduler = compose["services"]["airflow-scheduler"]["environment"]
    for name in WORKERS:
        worker = compose["services"][name]
        assert worker["profiles"] == ["workers"]
        assert worker["environment"].items() <= scheduler.items()
        assert scheduler.keys() - worker["environment"] == {
            "AIRFLOW__API_AUTH__JWT_SECRET",
            "AIRFLOW__API__SECRET_KEY",
        }
        assert worker["hostname"] == name


def test_workers_share_logs_and_pages_alone_and_the_drop_folders_have_their_queue(compose):
    mounted = {name: dict(map(split_mount, compose["services"][name]["volumes"])) for name in WORKERS}
    first, second = (set(mounts.items()) for mounts in mounted.values())
    assert first & second == {("/var/lib/crw/logs", "logs"), ("/var/lib/crw/pages", "pages")}
    taken = {name: set(compose["services"][name]["command"][-1].split(",")) for name in WORKERS}
    for name in WORKERS:
        assert ("/var/lib/crw/sources" in mounted[name]) is (machines.WITH_DROP_FOLDERS in taken[name])
    asked = {machines.queue(tables) for tables in contracts.sources().values()}
    assert asked == {"default", machines.WITH_DROP_FOLDERS} == set().union(*taken.values())


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((PROJECT / "kubernetes" / "values.yaml").read_text())


def test_workers_on_kubernetes_are_told_what_those_of_the_compose_file_are(compose, values):
    worker = values["workers"]["celery"]
    told = {setting["name"]: setting.get("value") for setting in (*values["env"], *worker["env"])}
    by_the_chart = {
        "AIRFLOW_HOME",
        "AIRFLOW__CORE__EXECUTOR",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY",
    }
    as_wished = {"CRW_SCHEDULE_END", "CRW_SEEDS", "CRW_SCRATCH", "CRW_BACKUPS", "CRW_SOURCES", "CRW_PAGES"}
    wanted = compose["services"]["airflow-worker-1"]["environment"]
    assert wanted.keys() - by_the_chart - as_wished <= told.keys()
    plain = {name: value for name, value in wanted.items() if name not in by_the_chart | as_wished and "$" not in value}
    assert {name: told[name] for name in plain} == plain
    assert worker["queue"] == compose["services"]["airflow-worker-1"]["command"][-1]
    installed = {setting["name"] for setting in values["migrateDatabaseJob"]["env"]}
    assert {"AIRFLOW_CONN_WAREHOUSE", *ROLE_PASSWORDS} <= installed


def test_pods_have_the_secrets_and_the_memory_of_their_like_in_the_compose_file(compose, values):
    like = {
        "airflow-api-server": values["apiServer"],
        "airflow-scheduler": values["scheduler"],
        "airflow-dag-processor": values["dagProcessor"],
        "airflow-triggerer": values["triggerer"],
        "airflow-worker-1": values["workers"]["celery"],
        "install": values["migrateDatabaseJob"],
        "redis": values["redis"],
    }
    renamed = {
        ("crw-airflow", "api-secret-key"): "airflow_secret_key",
        ("crw-redis", "connection"): "redis_password",
    }
    # These the chart would give to all. Its others: the metadata's connection, Fernet's key, and what makes tokens to whom it is for.
    assert values["enableBuiltInSecretEnvVars"] == dict.fromkeys(
        ["AIRFLOW_CONN_AIRFLOW_DB", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CELERY__BROKER_URL"], False
    )
    for name, component in like.items():
        service = compose["services"][name]
        given = [setting["valueFrom"]["secretKeyRef"] for setting in component.get("env", []) if "valueFrom" in setting]
        held = {renamed.get((secret["name"], secret["key"]), secret["key"]) for secret in given}
        assert held <= set(service["secrets"]), name
        limit = component["resources"]["limits"]["memory"]
        assert limit.removesuffix("i").lower() == service["mem_limit"] or name == "airflow-scheduler", name


def test_the_dag_processor_can_tell_of_a_task_whose_worker_died_for_good(compose, values):
    needed = {"AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_CONN_ALERTS"}
    assert needed <= compose["services"]["airflow-dag-processor"]["environment"].keys()
    assert needed <= {setting["name"] for setting in values["dagProcessor"]["env"]}


def test_no_pod_runs_as_root_or_may_start_another(values):
    for pod in (values["securityContexts"]["pod"], values["redis"]["securityContexts"]["pod"]):
        assert pod["runAsNonRoot"] and pod["runAsUser"] and pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert values["rbac"] == {"create": False}


def test_pods_ask_for_as_much_as_the_documentation_says_is_to_be_free(values):
    worker = values["workers"]["celery"]
    pods = [values[name] for name in ("apiServer", "scheduler", "dagProcessor", "triggerer", "redis")]
    pods += [values["migrateDatabaseJob"], *[worker] * worker["replicas"]]
    asked = [pod["resources"]["requests"] for pod in pods]
    cpus = sum(float(each["cpu"].removesuffix("m")) for each in asked) / 1000
    gibibytes = sum(int(each["memory"][:-2]) * {"Mi": 1, "Gi": 1024}[each["memory"][-2:]] for each in asked) / 1024
    said = f"room for\nwhat the pods ask for, {cpus:.2f} CPUs and {gibibytes:.1f} GiB"
    assert said in (PROJECT / "docs" / "deployment.md").read_text()


def test_no_pod_has_a_volume_that_the_standard_restricted_refuses(values):
    text = (PROJECT / "docs" / "deployment.md").read_text()
    yours, volume = map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    workers = [values["workers"]["celery"], yours["workers"]["celery"], *yours["workers"]["celery"]["sets"]]
    kinds = {kind for worker in workers for volume in worker["extraVolumes"] for kind in volume} - {"name"}
    assert kinds == {"persistentVolumeClaim"}
    claims = yaml.safe_load_all((PROJECT / "kubernetes" / "claims.yaml").read_text())
    (claim,) = (claim["spec"] for claim in claims if claim["metadata"]["name"] == volume["metadata"]["name"])
    assert claim["accessModes"] == volume["spec"]["accessModes"]
    assert claim["resources"]["requests"]["storage"] == volume["spec"]["capacity"]["storage"]


def test_the_image_collects_processes_that_ended_as_kubernetes_does_not():
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert (
        'ENTRYPOINT ["tini", "-s", "--", "/entrypoint"]' in dockerfile and "--no-install-recommends tini" in dockerfile
    )


def test_claims_and_secrets_of_the_pods_are_made_by_the_steps_of_the_documentation(compose, values):
    text = (PROJECT / "docs" / "deployment.md").read_text()
    made = {
        claim["metadata"]["name"] for claim in yaml.safe_load_all((PROJECT / "kubernetes" / "claims.yaml").read_text())
    }
    volumes = values["workers"]["celery"]["extraVolumes"]
    asked = {volume["persistentVolumeClaim"]["claimName"] for volume in volumes}
    assert asked | {values["logs"]["persistence"]["existingClaim"]} == made
    secrets = re.findall(r"\{name: ([\w-]+), key: ([\w-]+)\}", (PROJECT / "kubernetes" / "values.yaml").read_text())
    for name, key in {
        *secrets,
        ("crw-airflow", "fernet-key"),
        ("crw-airflow", "jwt-secret"),
        ("crw-redis", "password"),
    }:
        (command,) = re.findall(rf"kubectl create secret generic {name} (.*?)`", text)
        assert key in compose["secrets"] if name == "crw" else re.search(rf"--from-(file|literal)={key}=", command), key


def split_mount(mount):
    """Where a mount is in the container, and what is mounted there."""
    source, _, place = mount.rpartition(":")
    return place, source


def test_the_broker_takes_nobody_without_the_password_and_has_no_port(compose):
    redis = compose["services"]["redis"]
    assert "ports" not in redis
    assert 'requirepass %s\\n\' "$$(cat /run/secrets/redis_password)"' in redis["command"][2]


def test_the_sample_crm_takes_its_arguments(compose):
    _, *arguments = compose["services"]["crm-api"]["command"]
    result = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env={})
    assert result.stderr.endswith("error: --dsn and --token, or CRM_DSN and CRM_TOKEN, are needed\n")


@pytest.mark.parametrize("service, command", [("install", "crw install"), ("sample-sources", "crw sample")])
def test_crw_knows_the_commands_of_the_deployment(compose, tmp_path, service, command):
    assert command in " ".join(compose["services"][service]["command"])
    arguments = [sys.executable, "-m", "crw.local.cli", *command.split()[1:]]
    result = subprocess.run(arguments, capture_output=True, text=True, env={"AIRFLOW_HOME": str(tmp_path)})
    assert result.returncode == 1, result.stderr  # for want of a database, where a command it does not know is a 2


def test_ci_runs_the_tests_on_every_python_the_project_takes_and_may_only_read():
    workflow = yaml.safe_load(WORKFLOW.read_text())
    (job,) = workflow["jobs"].values()
    taken = SpecifierSet(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"])
    assert job["strategy"]["matrix"]["python"] == list(taken.filter(f"3.{minor}" for minor in range(30)))
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert workflow["permissions"] == {"contents": "read"}
