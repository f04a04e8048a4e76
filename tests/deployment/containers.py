"""A deployment in containers of its own: a copy of the checkout in which the blocks of docs/deployment.md are run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from crw.local.postgres import free_port
from crw.settings import PROJECT

NAME = "crw-deployment-test"
PORTS = ("AIRFLOW_PORT", "PAGES_PORT", "WAREHOUSE_PORT", "FLOWER_PORT")
POLL = 3.0  # seconds

# Root needs no sudo, and not every machine of root's has one.
PRELUDE = "set -euo pipefail; shopt -s expand_aliases; type sudo >/dev/null 2>&1 || alias sudo=command\n"


def why_not() -> str | None:
    """Why no deployment can run here; None where one can."""
    for command, wanted in (
        (["docker", "version"], "a Docker engine that this user may use"),
        (["docker", "compose", "version"], "Docker's compose plugin"),
    ):
        if not shutil.which("docker") or subprocess.run(command, capture_output=True).returncode:
            return f"no deployment can run here: it needs {wanted} (`{' '.join(command)}`)"
    return None


class Deployment:
    """Containers, volumes and image named after the test, removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in PORTS}
        self.peaks: dict[str, float] = {}
        """Of each service the most memory that was seen, in MiB."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=PROJECT, capture_output=True, check=True
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (PROJECT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / name, folder / name)
        settings = {"COMPOSE_PROJECT_NAME": NAME, "CRW_TAG": "deployment-test", **self.ports}
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def blocks(self, heading: str) -> list[str]:
        """The blocks of commands below a heading of docs/deployment.md."""
        text = (self.folder / "docs" / "deployment.md").read_text(encoding="utf-8")
        section = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
        return re.findall(r"^```\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)

    def run(self, block: str, given: str = "") -> str:
        """Run a block as a person would, with what they type. Returns what it printed.

        Raises RuntimeError with the end of that, where it fails.
        """
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("CRW", "AIRFLOW"))}
        done = subprocess.run(
            ["bash", "-c", PRELUDE + block], cwd=self.folder, env=variables, input=given, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{block}\nended with {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout

    def wait(self, what: str, is_there: Callable[[], bool], patience: float) -> None:
        """Wait until something is there, and watch the memory meanwhile. Raises RuntimeError after `patience` seconds."""
        deadline = time.monotonic() + patience
        while not is_there():
            if time.monotonic() > deadline:
                raise RuntimeError(f"not {what} after {patience:.0f} s:\n{self.run('docker compose ps -a')}")
            self._watch_memory()
            time.sleep(POLL)

    def is_healthy(self) -> bool:
        """Whether each container that has a check is healthy, and none has ended that should not have."""
        containers = [json.loads(line) for line in self.run("docker compose ps -a --format json").splitlines()]
        return all(
            found["Health"] in ("", "healthy") and (found["State"] == "running" or found["ExitCode"] == 0)
            for found in containers
        )

    def remove(self) -> None:
        """Containers, volumes and image."""
        self.run(
            "docker compose --profile sample --profile workers --profile flower down --volumes --remove-orphans --rmi local"
        )

    def secret(self, name: str) -> str:
        """What a secret holds."""
        return (self.folder / "secrets" / name).read_text().strip()

    def _watch_memory(self) -> None:
        told = self.run("docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' $(docker compose ps -q)")
        for name, number, unit in re.findall(rf"^{NAME}-(\S+)-1 ([\d.]+)(MiB|GiB) /", told, re.MULTILINE):
            mebibytes = float(number) * (1024 if unit == "GiB" else 1)
            self.peaks[name] = max(self.peaks.get(name, 0), mebibytes)
