"""What a nightly task tries again by itself, and what it leaves to a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

DELAY = timedelta(seconds=30)

# A fault of the network may pass; bad data, a broken contract and a model that does not build will not get better by asking
# again. Of a task that was killed no rule knows: it has the DAG's own retries.
POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(["psycopg.OperationalError", "httpx.HTTPError", "crw.in_turn.AwayError"], RetryAction.RETRY, DELAY),
        RetryRule("builtins.Exception", RetryAction.FAIL),
    ]
)

ARGUMENTS: dict[str, Any] = {"retries": 2, "retry_delay": DELAY, "retry_policy": POLICY}
"""Of each task of a nightly DAG."""
