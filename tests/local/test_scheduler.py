"""The process family of one night: nobody of it outlives the night, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from crw import settings
from crw.local import scheduler
from crw.local.postgres import free_port

# What Airflow does with a task: forked by a worker that the scheduler forked, in a process group of its own.
FAMILY = """
import os, time
from crw.local import scheduler

def schedule():
    if os.fork() == 0:
        if os.fork() == 0:
            os.setpgid(0, 0)
            print(os.getpid(), flush=True)
    time.sleep(600)

scheduler._start("family", schedule).join()
"""


def test_a_task_ends_with_a_night_that_was_killed(tmp_path):
    night = subprocess.Popen([sys.executable, "-c", FAMILY], env=os.environ | {"CRW_HOME": str(tmp_path)})
    log = tmp_path / "logs" / "family.log"
    until = time.monotonic() + 60
    while not (log.exists() and log.read_text().endswith("\n")):
        assert time.monotonic() < until and night.poll() is None, log.read_text()
        time.sleep(0.05)
    task = psutil.Process(int(log.read_text()))
    night.send_signal(signal.SIGKILL)
    night.wait()
    try:
        task.wait(timeout=30)  # far less than it would sleep
    finally:
        if task.is_running():
            task.kill()


def test_a_night_whose_api_server_does_not_start_ends_at_once_with_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", f"http://127.0.0.1:{free_port()}/execution/")
    api = scheduler._start("execution-api", lambda: os.write(1, b"the port is taken"))
    asking = scheduler._start("first-answer", scheduler._ask_for_first_answer)
    try:
        with pytest.raises(scheduler.EndedError, match=r"execution API did not start(?s:.*)the port is taken"):
            scheduler._wait_until_healthy(api, asking)
        assert asking.is_alive()  # it would ask for a minute
    finally:
        asking.kill()
        asking.join()
