"""A batch from a JSON API: cursor pages, a bearer token, patience with 429 and 503, fields off the allow-list dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from crw.contracts import Table
from crw.sources import Batch, Interval, Rejection
from crw.sources.record import UnusableValue, allowed

PAGE_SIZE = 2000
ATTEMPTS = 8
RETRYABLE_STATUS = {429, 500, 502, 503, 504}


def read(table: Table, client: httpx.Client, interval: Interval, secret: bytes) -> Batch:
    """Records amended within `interval`, one JSON object each, pseudonymised before anything is stored.

    Args:
        table: contract with an `endpoint`.
        client: has the base URL and the bearer token.
        interval: half-open; sent as `updated_since` and `updated_before`.
        secret: key of the pseudonyms.

    Raises:
        ContractError: while the blocks are read, if a record has an unknown field or lacks one.
        httpx.HTTPError: when a page still fails after several attempts.
    """
    rejected: list[Rejection] = []
    return Batch("json", _records(table, client, interval, secret, rejected), rejected)


def _records(
    table: Table, client: httpx.Client, interval: Interval, secret: bytes, rejected: list[Rejection]
) -> Iterator[str]:
    parameters: dict[str, Any] = {
        "updated_since": interval.start.isoformat(),
        "updated_before": interval.end.isoformat(),
        "limit": PAGE_SIZE,
    }
    seen: frozenset[str] = frozenset()
    while True:
        page = _get(client, table.endpoint, parameters)
        for record in page["data"]:
            if record.keys() != seen:
                table.check_fields(set(record), f"{table.endpoint}, record {record.get(table.key[0])!r}")
                seen = frozenset(record)
            if _is_later(record[table.watermark], interval):
                continue  # an API that ignores updated_before
            try:
                yield allowed(table, record, secret, {})
            except UnusableValue as error:
                identity = {name: json.dumps(str(record[name]))[1:-1] for name in table.key}
                rejected.append(Rejection(f"{table.endpoint}, {identity}: {error}", identity, error.column))
        if not page.get("next_cursor"):
            return
        parameters["cursor"] = page["next_cursor"]


def _is_later(watermark: Any, interval: Interval) -> bool:
    try:
        return datetime.fromisoformat(watermark) >= interval.end
    except (TypeError, ValueError):
        return False  # kept: landing refuses what is no timestamp, with its reason


def _get(client: httpx.Client, endpoint: str, parameters: dict[str, Any]) -> dict[str, Any]:
    for attempt in Retrying(
        retry=retry_if_exception(_is_retryable), wait=_wait, stop=stop_after_attempt(ATTEMPTS), reraise=True
    ):
        with attempt:
            return client.get(endpoint, params=parameters).raise_for_status().json()
    raise AssertionError("unreachable: Retrying raises the last error")


def _is_retryable(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in RETRYABLE_STATUS
    return isinstance(error, httpx.TransportError)


def _wait(state: RetryCallState) -> float:
    """Seconds to wait: what the server asked for in Retry-After, else 0.2 s doubling to 20 s, with jitter."""
    error = state.outcome.exception()
    if isinstance(error, httpx.HTTPStatusError) and error.response.headers.get("Retry-After", "").isdigit():
        return float(error.response.headers["Retry-After"])
    return wait_exponential_jitter(initial=0.2, max=20)(state)
