"""A batch from a JSON API: cursor pages, a bearer token, patience with 429 and 503, fields off the allow-list dropped.

A reader is finite: what is no page, a cursor that comes again and more requests or seconds than the contract allows end it with
a message. All pages are fetched before landing opens its transaction, so that no wait holds one open.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from crw.contracts import ContractError, Table
from crw.sources import Batch, Interval, Rejection
from crw.sources.listing import Compare, Spool, moment
from crw.sources.record import UnusableValue, allowed, parse

PAGE_SIZE = 2000
ATTEMPTS = 8
RETRYABLE_STATUS = {429, 500, 502, 503, 504}
LONGEST_WAIT = 60.0
"""Seconds that a server may ask us to wait between two attempts."""


class NoPageError(ContractError):
    """A good status and no page: a sign-in page, an error object, half an answer. It may pass, so it is asked for again."""


def read(
    table: Table, client: httpx.Client, interval: Interval, secret: bytes, compare: Compare | None = None
) -> Batch:
    """Records amended within `interval`, one JSON object each, pseudonymised before anything is stored.

    Args:
        table: contract with an `endpoint`.
        client: has the base URL and the bearer token.
        interval: half-open; sent as `updated_since` and `updated_before`.
        secret: key of the pseudonyms.
        compare: is given a listing of all; then the API is asked for no dates, and what no interval would read is in the batch too.

    Raises:
        ContractError: a record has an unknown field or lacks one, an answer is still no page after several attempts, the pages do
            not come to an end, or the contract's bounds are reached.
        httpx.HTTPError: a page still fails after several attempts.
    """
    dates = {"updated_since": interval.start.isoformat(), "updated_before": interval.end.isoformat()}
    rejected: list[Rejection] = []
    spool = Spool(table)
    for page in _pages(table, client, {} if compare else dates):
        for record, outcome in _records(table, page, secret, rejected):
            spool.add(record, outcome)
    missing = compare(spool.listing()) if compare else None
    batch = Batch("json", spool.wanted(interval, missing, rejected), rejected)
    batch.amended_since = _amended_since(table, client, interval)
    return batch


def _amended_since(table: Table, client: httpx.Client, interval: Interval) -> int:
    """At least how many records a night that is read late has lost to amendments: no more than a page is asked for."""
    if not interval.is_long_over:
        return 0
    page = _get(client, table.endpoint, {"updated_since": interval.end.isoformat(), "limit": PAGE_SIZE})
    found = [moment(record.get(table.watermark)) for record in page["data"] if isinstance(record, dict)]
    return sum(at is not None and interval.end <= at < interval.horizon for at in found)


def _pages(table: Table, client: httpx.Client, dates: dict[str, str]) -> Iterator[tuple[int, list[Any]]]:
    """Number and records of each page."""
    parameters: dict[str, Any] = dates | {"limit": PAGE_SIZE}
    began, asked = time.monotonic(), set()
    for number in range(1, table.bounds.requests + 1):
        page = _get(client, table.endpoint, parameters)
        yield number, page["data"]
        cursor = page.get("next_cursor")
        if not cursor:
            return
        if cursor in asked:
            raise ContractError(
                f"{table.endpoint}, page {number}: the cursor {cursor} came before: its pages never end"
            )
        if time.monotonic() - began > table.bounds.seconds:
            raise ContractError(
                f"{table.endpoint}, page {number}: more than {table.bounds.seconds} s, as its contract bounds it"
            )
        asked.add(cursor)
        parameters["cursor"] = cursor
    raise ContractError(f"{table.endpoint}: more than {table.bounds.requests} pages, as its contract bounds it")


def _records(
    table: Table, page: tuple[int, list[Any]], secret: bytes, rejected: list[Rejection]
) -> Iterator[tuple[dict[str, Any], str | Rejection]]:
    """Each record of a page, and as what it may be stored, or why not. What is no record at all is rejected here."""
    number, records = page
    seen: frozenset[str] | None = None
    for place, record in enumerate(records, 1):
        if not isinstance(record, dict):
            reason = f"{table.endpoint}, page {number}, record {place}: no object but {_named(record)}"
            rejected.append(Rejection(reason, {"page": number, "record": place}))
            continue
        if record.keys() != seen:
            names = {name if name.isprintable() else ascii(name) for name in record}
            table.check_fields(names, f"{table.endpoint}, record {record.get(table.key[0])!r}")
            seen = frozenset(record)
        try:
            yield record, allowed(table, record, secret, {})
        except UnusableValue as error:
            identity = {name: json.dumps(str(record[name]))[1:-1] for name in (*table.key, table.watermark)}
            key = {name: identity[name] for name in table.key}
            yield record, Rejection(f"{table.endpoint}, {key}: {error}", identity, error.column)


def _get(client: httpx.Client, endpoint: str, parameters: dict[str, Any]) -> dict[str, Any]:
    for attempt in Retrying(
        retry=retry_if_exception(_is_retryable), wait=_wait, stop=stop_after_attempt(ATTEMPTS), reraise=True
    ):
        with attempt:
            return _page(endpoint, client.get(endpoint, params=parameters).raise_for_status())
    raise AssertionError("unreachable: Retrying raises the last error")


def _page(endpoint: str, answer: httpx.Response) -> dict[str, Any]:
    """The page that an answer holds. What came instead is told by its kind alone, for it may hold records."""
    try:
        # A byte that is no UTF-8 is its record's fault alone; the page is an object that holds a list of records.
        page = parse(answer.content.decode("utf-8-sig", "surrogateescape"), around=2)
    except ValueError:
        kind = answer.headers.get("Content-Type", "unknown type")
        raise NoPageError(f"{endpoint}: no JSON came but {len(answer.content)} bytes of {kind}") from None
    if not isinstance(page, dict):
        raise NoPageError(f"{endpoint}: no page came but {_named(page)}")
    if not isinstance(page.get("data"), list):
        came = (
            f"data is {_named(page['data'])}"
            if "data" in page
            else f"an object of {', '.join(sorted(page)) or 'nothing'}"
        )
        raise NoPageError(f"{endpoint}: a page has a list `data`, but {came} came")
    if not isinstance(page.get("next_cursor"), str | int | None):
        raise NoPageError(f"{endpoint}: next_cursor is no text but {_named(page['next_cursor'])}")
    return page


def _named(value: Any) -> str:
    return "null" if value is None else {dict: "an object", list: "a list", str: "a text"}.get(type(value), "a number")


def _is_retryable(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in RETRYABLE_STATUS
    return isinstance(error, httpx.TransportError | NoPageError)


def _wait(state: RetryCallState) -> float:
    """Seconds to wait: what the server asked for in Retry-After, in seconds or as a date, else 0.2 s doubling to 20 s, with jitter."""
    error = state.outcome.exception()
    asked = (
        _asked_to_wait(error.response.headers.get("Retry-After", ""))
        if isinstance(error, httpx.HTTPStatusError)
        else None
    )
    if asked is None:
        return wait_exponential_jitter(initial=0.2, max=20)(state)
    return min(max(asked, 0.0), LONGEST_WAIT)


def _asked_to_wait(header: str) -> float | None:
    if header.isdigit():
        return float(header)
    try:
        return (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
