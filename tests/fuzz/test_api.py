"""Dirty pages of an API, by real HTTP: each record sent is published as it was sent, or refused with its reason, or of another night."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crw import contracts, landing, ledger, publish
from crw.settings import CLOCK
from crw.sources import Interval, api
from crw.sources.pseudonym import pseudonym

CONTACTS = contracts.table("membership", "contact")
NIGHT = date(2013, 3, 31)
END = datetime(2013, 4, 1, tzinfo=CLOCK)
INTERVAL = Interval(END - timedelta(days=1, hours=1), END)
SECRET = b"secret"
WITHHELD = "of nobody's business"

TIMES = [
    "2013-03-31T12:00:00+08:00",
    "2013-03-31 23:59:59.999999+08",
    "2013-03-30T16:00:00Z",
    "1969-12-31T23:59:59+00:00",
]
LATER = ["2013-04-01T00:00:00+08:00", "2099-01-01 00:00:00+00:00"]
END_OF_DAY = "2013-03-31T24:00:00+08:00"  # ISO 8601 has it, Python has not
ODD_TIMES = [
    "", "  ", "soon", "infinity", "-infinity", "now", "today", "allballs", "2013-03-31", "31/03/2013 12:00", "2013-02-30T12:00:00+08:00",
    "0044-03-15 12:00:00+00 BC", "10000-01-01T00:00:00Z", "2013-03-31T12:00:00", END_OF_DAY, "1364702400", "\ufeff2013-03-31",
]  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.lists(st.integers() | st.floats() | st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
    | st.sampled_from(["\0", "a\0b", "\ud800", "'", "\\", "\\N", "\\.", "\r\n", "\t", 10**400, "NaN", "null"])
)  # fmt: skip
CLEAN = {
    "company_id": TEXTS,
    "role": st.none() | TEXTS,
    "marketing_consent": st.none() | st.booleans(),
    "consent_changed_at": st.none() | st.sampled_from(TIMES),
    "updated_at": st.sampled_from([*TIMES, *LATER]),
    "email": st.none() | TEXTS,
}
DIRTY = {name: ANYTHING for name in CLEAN} | {
    "consent_changed_at": st.sampled_from(ODD_TIMES) | ANYTHING,
    "updated_at": st.sampled_from([*ODD_TIMES, *LATER]) | ANYTHING,
}


@st.composite
def records(draw):
    """A record, and whether every value in it is as the contract has it; its number comes with its place."""
    soiled = draw(st.sets(st.sampled_from(sorted(CLEAN)), max_size=2))
    values = {name: draw(DIRTY[name] if name in soiled else CLEAN[name]) for name in CLEAN}
    return {**values, "full_name": WITHHELD, "phone": WITHHELD, "hkid": WITHHELD}, not soiled


PAGES = st.lists(st.lists(records() | st.tuples(ANYTHING, st.just(False)), max_size=4), min_size=1, max_size=3)
REFUSALS = st.lists(st.sampled_from([429, 500, 502, 503, 504]), max_size=2)


class Server(ThreadingHTTPServer):
    """Gives `refusals`, then `pages`."""

    daemon_threads = True
    pages: list[list] = []  # noqa: RUF012
    refusals: list[int] = []  # noqa: RUF012

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status = self.server.refusals.pop() if self.server.refusals else 200
            number = int(parse_qs(urlsplit(self.path).query).get("cursor", ["0"])[0])
            following = str(number + 1) if number + 1 < len(self.server.pages) else None
            page = {"data": self.server.pages[number], "next_cursor": following} if status == 200 else {}
            body = json.dumps(page).encode()
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass


@pytest.fixture(scope="module")
def crm():
    server = Server(("127.0.0.1", 0), Server.Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
        yield server, client
    server.shutdown()


def is_later(record):
    try:
        return datetime.fromisoformat(record["updated_at"]) >= END
    except (TypeError, ValueError):
        return False


def as_sent(value, sent):
    """Whether a text of raw is what came: a text as it is, anything else as JSON says it."""
    if sent is None or isinstance(sent, str):
        return value == sent
    return sent in (json.loads(value), json.loads(value, parse_int=float))  # 2e16 is written 20000000000000000


def is_time_as_sent(value, sent):
    if sent is None or not str(sent).strip():
        return value is None
    return value == (END if sent == END_OF_DAY else datetime.fromisoformat(sent.strip()))


@given(PAGES, REFUSALS)
def test_each_record_is_published_as_it_was_sent_or_refused_with_its_reason(database, crm, pages, refusals):
    server, client = crm
    numbered = [
        [({"contact_id": f"P{page}-{n}", **record} if isinstance(record, dict) and "hkid" in record else record, clean)
         for n, (record, clean) in enumerate(content)]
        for page, content in enumerate(pages)
    ]  # fmt: skip
    server.pages, server.refusals = [[record for record, _ in content] for content in numbered], [*refusals]
    sent = [entry for content in numbered for entry in content]
    objects = {
        record["contact_id"]: (record, clean) for record, clean in sent if isinstance(record, dict) and "hkid" in record
    }
    strays = len(sent) - len(objects)
    due = {number: entry for number, entry in objects.items() if not is_later(entry[0])}

    for written in ("raw.membership__contact", "quarantine.record", "audit.load", "audit.raw_change"):
        database.execute(f"delete from {written}")
    if any(isinstance(record, dict) and "hkid" not in record for record, _ in sent):
        with pytest.raises(contracts.ContractError, match="missing column"):
            api.read(CONTACTS, client, INTERVAL, SECRET)
        return
    load = ledger.start_load(database, CONTACTS, NIGHT, "fuzz")
    landing.land(database, load, api.read(CONTACTS, client, INTERVAL, SECRET))
    ledger.record(database, load, "validated")
    figures = publish.publish_load(database, load)

    raw = {row[0]: row[1:] for row in database.execute(
        "select contact_id, company_id, role, marketing_consent, consent_changed_at, updated_at, person_key from raw.membership__contact"
    )}  # fmt: skip
    refused = database.execute(
        "select record ->> 'contact_id', reasons, record::text from quarantine.record"
    ).fetchall()
    held = Counter(number for number, _, _ in refused)
    assert held.pop(None, 0) == strays
    assert raw.keys() | held.keys() == due.keys() and not raw.keys() & held.keys() and set(held.values()) <= {1}
    assert figures == publish.Figures(len(due) + strays, len(raw), 0, len(refused))
    assert all(reason["message"] for _, reasons, _ in refused for reason in reasons)
    assert all(reasons and WITHHELD not in record + json.dumps(reasons) for _, reasons, record in refused)
    assert {number for number, (_, clean) in due.items() if clean} <= raw.keys()
    for number, (company, role, consent, changed, updated, person) in raw.items():
        record, _ = due[number]
        assert as_sent(company, record["company_id"]) and as_sent(role, record["role"])
        assert person == pseudonym(record["email"], SECRET)
        assert is_time_as_sent(changed, record["consent_changed_at"]) and is_time_as_sent(updated, record["updated_at"])
        assert consent is record["marketing_consent"] or not isinstance(record["marketing_consent"], bool | None)
