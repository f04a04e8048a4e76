"""The sample CRM's HTTP API, as its own process: bearer token, cursor pages, 429 when hurried, now and then a 503.

    python -m sample_operator.crm.api --port 8085        (CRM_DSN and CRM_TOKEN in the environment)

A page is the JSON text that PostgreSQL hands out, joined: nothing is parsed or written anew.
"""

from __future__ import annotations

import argparse
import base64
import json
import math
import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from psycopg import sql

ENDPOINTS = {
    "companies": ("company", "company_id"),
    "memberships": ("membership", "membership_id"),
    "contacts": ("contact", "contact_id"),
    "account-managers": ("account_manager", "account_manager_id"),
    "campaigns": ("campaign", "campaign_id"),
    "campaign-contacts": ("campaign_contact", "campaign_contact_id"),
    "campaign-responses": ("campaign_response", "campaign_response_id"),
    "relationship-executives": ("relationship_executive", "relationship_executive_id"),
    "account-assignments": ("account_assignment", "account_assignment_id"),
    "interactions": ("interaction", "interaction_id"),
}
DEFAULT_LIMIT = 500
MAX_LIMIT = 2000
BURST = 40
"""Pages that may be asked for at once; a full extract of all tables takes some 115 of the largest."""
REFILL = 25.0
"""Pages a second after that."""
UNAVAILABLE_EVERY = 37
"""One answer in so many is a 503, as when the CRM's own database is restarted."""
EARLIEST, LATEST = "-infinity", "infinity"


@dataclass
class Patience:
    """A token bucket, and the count of requests that decides about the 503s. Safe for threads."""

    tokens: float = BURST
    at: float = field(default_factory=time.monotonic)
    served: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Take a token. Raises HTTPException 429 with Retry-After, or every 37th time 503."""
        with self.lock:
            now = time.monotonic()
            self.tokens = min(BURST, self.tokens + (now - self.at) * REFILL)
            self.at = now
            if self.tokens < 1:
                wait = math.ceil((1 - self.tokens) / REFILL)
                raise HTTPException(429, "slow down", {"Retry-After": str(wait)})
            self.tokens -= 1
            self.served += 1
            if self.served % UNAVAILABLE_EVERY == 0:
                raise HTTPException(503, "temporarily unavailable")


@dataclass
class Database:
    """One connection to the CRM's database, opened anew after it was lost. psycopg lets threads share it."""

    dsn: str
    connection: psycopg.Connection | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def rows(self, query: sql.Composed) -> list[tuple]:
        """The rows of a query. Raises psycopg.OperationalError when the database does not answer."""
        with self.lock:
            if self.connection is None or self.connection.closed:
                self.connection = psycopg.connect(self.dsn, autocommit=True)
            return self.connection.execute(query).fetchall()


@dataclass(frozen=True)
class Page:
    """What was asked for: `[since, before)`, after the record that the cursor names."""

    since: str
    before: str
    limit: int
    after: tuple[str, str] | None

    @classmethod
    def of(cls, request: Request) -> Page:
        """The page a request asks for. Raises HTTPException 400 for a parameter that is none."""
        query = request.query_params
        limit = query.get("limit", str(DEFAULT_LIMIT))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MAX_LIMIT):
            raise HTTPException(400, f"limit must be a number from 1 to {MAX_LIMIT}")
        return cls(
            _moment("updated_since", query.get("updated_since"), EARLIEST),
            _moment("updated_before", query.get("updated_before"), LATEST),
            int(limit),
            _position(query["cursor"]) if query.get("cursor") else None,
        )


def app(dsn: str, token: str) -> FastAPI:
    """The API on the CRM database `dsn`, for bearers of `token`."""
    api = FastAPI(title="Sample CRM", openapi_url=None)
    database, patience = Database(dsn), Patience()

    @api.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @api.get("/v1/{endpoint}")
    def records(endpoint: str, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "bearer token missing or wrong", {"WWW-Authenticate": "Bearer"})
        if endpoint not in ENDPOINTS:
            raise HTTPException(404, f"no such endpoint: {endpoint}")
        page = Page.of(request)
        patience.check()
        try:
            rows = database.rows(_query(*ENDPOINTS[endpoint], page))
        except psycopg.OperationalError as error:
            raise HTTPException(503, "the CRM's database does not answer") from error
        return Response(_body(rows, page.limit), media_type="application/json")

    return api


def _query(table: str, key: str, page: Page) -> sql.Composed:
    """One record more than the page holds: it tells whether there is a next page."""
    after = sql.SQL("")
    if page.after:
        after = sql.SQL("and (updated_at, {}) > ({}, {})").format(sql.Identifier(key), *map(sql.Literal, page.after))
    return sql.SQL(
        "select {key}, updated_at::text as moment, payload::text from {table} "
        "where updated_at >= {since} and updated_at < {before} {after} order by updated_at, {key} limit {limit}"
    ).format(
        key=sql.Identifier(key),
        table=sql.Identifier("crm", table),
        since=sql.Literal(page.since),
        before=sql.Literal(page.before),
        after=after,
        limit=sql.Literal(page.limit + 1),
    )


def _body(rows: list[tuple[str, str, str]], limit: int) -> bytes:
    cursor = None
    if len(rows) > limit:
        rows = rows[:limit]
        key, updated_at, _ = rows[-1]
        cursor = base64.urlsafe_b64encode(json.dumps([updated_at, key]).encode()).decode()
    return f'{{"data":[{",".join(row[2] for row in rows)}],"next_cursor":{json.dumps(cursor)}}}'.encode()


def _moment(name: str, text: str | None, default: str) -> str:
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise HTTPException(400, f"{name} must be an ISO timestamp with a time zone, not {text!r}")
    return moment.isoformat()


def _position(cursor: str) -> tuple[str, str]:
    try:
        updated_at, key = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not (isinstance(key, str) and datetime.fromisoformat(updated_at).tzinfo):
            raise ValueError(cursor)
    except (ValueError, TypeError) as error:
        raise HTTPException(400, "cursor is none of ours") from error
    return updated_at, key


def main() -> None:
    """Serve until the process is ended, on loopback unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dsn", default=os.environ.get("CRM_DSN"), help="the CRM's database (default: CRM_DSN)")
    parser.add_argument("--token", default=os.environ.get("CRM_TOKEN"), help="bearer token (default: CRM_TOKEN)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    if not given.dsn or not given.token:
        parser.error("--dsn and --token, or CRM_DSN and CRM_TOKEN, are needed")
    uvicorn.run(app(given.dsn, given.token), host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
