"""What a task of the night is tried again for: a fault that may pass, and its own being killed."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

WAIT = timedelta(seconds=30)

# A fault of the network may pass; bad data and a broken contract will not get better by asking again. Airflow's own API that
# does not answer is AirflowRuntimeError in the task, and of a task that was killed no rule knows: it has the two retries.
RETRIES = {
    "retries": 2,
    "retry_delay": WAIT,
    "retry_policy": ExceptionRetryPolicy(
        rules=[
            RetryRule(
                [
                    "psycopg.OperationalError",
                    "httpx.HTTPError",
                    "crw.machines.ElsewhereError",
                    "crw.in_turn.AwayError",
                    "airflow.sdk.exceptions.AirflowRuntimeError",
                ],
                RetryAction.RETRY,
                WAIT,
            ),
            RetryRule("crw.privacy.rooms.NightAtWork", RetryAction.RETRY, timedelta(minutes=10)),
            RetryRule("builtins.Exception", RetryAction.FAIL),
        ]
    ),
}
"""Arguments of each task of the nightly DAGs, of `partitions` and of `retention`."""
