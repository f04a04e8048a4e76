"""The process family of one night: nobody of it outlives the night, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil

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
