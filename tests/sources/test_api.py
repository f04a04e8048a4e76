"""Reading the CRM's API over real HTTP: pages, refusals that pass, fields that may not be kept, contracts that are broken."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from crw import contracts
from crw.settings import CLOCK
from crw.sources import Interval, api
from crw.sources.pseudonym import pseudonym

CONTACTS = contracts.table("membership", "contact")
INTERVAL = Interval(datetime(2013, 3, 30, 23, tzinfo=CLOCK), datetime(2013, 4, 1, tzinfo=CLOCK))
SECRET = b"secret"
NOON = "2013-03-31T12:00:00+08:00"


def contact(number, **changes):
    record = {"contact_id": f"P{number}", "company_id": "C1", "role": "owner", "marketing_consent": True}
    record |= {"consent_changed_at": None, "updated_at": NOON}
    record |= {
        "full_name": "CHAN Tai Man",
        "email": f"p{number}@example.com",
        "phone": "5555 0000",
        "hkid": "A000000(0)",
    }
    return record | changes


class Crm:
    """A CRM that answers from a script: a list of statuses to give first, then pages of two records."""

    def __init__(self, records):
        self.records, self.refusals, self.requests = records, [], []
        self.instead: list[bytes] = []
        self.cursors: list = []
        crm = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                crm.requests.append((urlsplit(self.path), self.headers["Authorization"]))
                status, headers = crm.refusals.pop(0) if crm.refusals else (200, {})
                start = int(parse_qs(urlsplit(self.path).query).get("cursor", ["0"])[0])
                following = str(start + 2) if start + 2 < len(crm.records) else None
                body = {"data": crm.records[start : start + 2], "next_cursor": following} if status == 200 else {}
                answer = json.dumps(crm.cursors.pop(0)(body) if crm.cursors else body).encode()
                answer = crm.instead.pop(0) if crm.instead else answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def read(self):
        return self.read_with_refusals()[0]

    def read_with_refusals(self, table=CONTACTS, compare=None):
        batch = self.batch(table, compare)
        return [json.loads(record) for record in batch.blocks], batch.rejected

    def batch(self, table=CONTACTS, compare=None):
        address = f"http://127.0.0.1:{self.server.server_port}"
        with httpx.Client(base_url=address, headers={"Authorization": "Bearer token"}) as client:
            return api.read(table, client, INTERVAL, SECRET, compare)


@pytest.fixture
def make_crm():
    made = []

    def make(records):
        made.append(Crm(records))
        return made[-1]

    yield make
    for crm in made:
        crm.server.shutdown()


def test_every_page_is_read_once_and_in_order(make_crm):
    crm = make_crm([contact(number) for number in range(5)])
    assert [record["contact_id"] for record in crm.read()] == ["P0", "P1", "P2", "P3", "P4"]
    assert len(crm.requests) == 4  # the last one: whether any was amended since
    query = parse_qs(crm.requests[0][0].query)
    assert query["updated_since"] == ["2013-03-30T23:00:00+08:00"]
    assert query["updated_before"] == ["2013-04-01T00:00:00+08:00"]
    assert crm.requests[0][1] == "Bearer token"


def test_only_the_allow_list_and_a_pseudonym_are_kept(make_crm):
    (record,) = make_crm([contact(1, email=" P1@Example.com ")]).read()
    assert set(record) == set(CONTACTS.column_names)
    assert record["person_key"] == pseudonym("p1@example.com", SECRET)


def test_a_hurried_or_unavailable_server_is_asked_again(make_crm):
    crm = make_crm([contact(1), contact(2), contact(3)])
    crm.refusals = [(429, {"Retry-After": "0"}), (200, {}), (503, {}), (429, {"Retry-After": "0"})]
    assert [record["contact_id"] for record in crm.read()] == ["P1", "P2", "P3"]
    assert len(crm.requests) == 6


def test_a_wrong_token_fails_at_once(make_crm):
    crm = make_crm([contact(1)])
    crm.refusals = [(401, {})]
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        crm.read()
    assert len(crm.requests) == 1


def test_a_field_nobody_declared_is_refused_by_name_with_the_record(make_crm):
    with pytest.raises(contracts.ContractError, match=r"/v1/contacts, record 'P2': unknown column salary"):
        make_crm([contact(1), contact(2, salary=1)]).read()


def test_a_missing_field_is_refused_by_name(make_crm):
    record = contact(1)
    del record["email"]
    with pytest.raises(contracts.ContractError, match="missing column email"):
        make_crm([record]).read()


def test_a_record_without_any_field_lacks_every_column(make_crm):
    with pytest.raises(
        contracts.ContractError, match="record None: missing column company_id, missing column consent_"
    ):
        make_crm([{}, contact(1)]).read()


def test_a_record_of_after_the_interval_is_left_for_the_next_night(make_crm):
    records = [contact(1), contact(2, updated_at="2013-04-01T00:00:00+08:00"), contact(3, updated_at="soon")]
    assert [record["contact_id"] for record in make_crm(records).read()] == ["P1", "P3"]


def test_a_value_that_cannot_be_stored_is_refused_by_record_and_column_and_not_repeated(make_crm):
    odd = [contact(2, role="own\0er"), contact(3, role="\ud800"), contact(4, email=5), contact(5, role=[float("nan")])]
    records, rejected = make_crm([contact(1), *odd]).read_with_refusals()
    assert [record["contact_id"] for record in records] == ["P1"]
    assert [(row.record, row.column) for row in rejected] == [
        ({"contact_id": "P2", "updated_at": NOON}, "role"),
        ({"contact_id": "P3", "updated_at": NOON}, "role"),
        ({"contact_id": "P4", "updated_at": NOON}, "person_key"),
        ({"contact_id": "P5", "updated_at": NOON}, "role"),
    ]
    assert [row.reason.rpartition(": ")[2] for row in rejected] == [
        "role holds a NUL character",
        "role holds bytes that are no UTF-8, or half a surrogate pair",
        "email is not a text but int",
        "role holds a number that is not finite, or too long",
    ]


def page_of(*records):
    return f'{{"data": [{", ".join(records)}], "next_cursor": null}}'


ODD = {
    '{"a": ' * 20_000 + "1" + "}" * 20_000: "role is nested more than 100 levels deep",
    "[" * 101 + "]" * 101: "role is nested more than 100 levels deep",
    "9" * 5000: "role holds a number that is not finite, or too long",
    "1e400": "role holds a number that is not finite, or too long",
    "NaN": "role holds a number that is not finite, or too long",
    r'"\u0000"': "role holds a NUL character",
    r'{"\u0000": 1}': "role holds a NUL character",
    r'"\ud83d"': "role holds bytes that are no UTF-8, or half a surrogate pair",
    '"CHAN \udce9"': "role holds bytes that are no UTF-8, or half a surrogate pair",
    '"a", "role": "b"': "the record has a field twice",
    '[{"a": 1, "a": 2}]': "role holds an object that has a name twice",
}


@pytest.mark.parametrize(("odd", "reason"), ODD.items(), ids=lambda text: text[:20].encode("ascii", "replace").decode())
def test_a_record_that_makes_its_page_hard_to_read_costs_itself_alone(make_crm, odd, reason):
    crm = make_crm([])
    records = [json.dumps(contact(number)) for number in (1, 2, 3)]
    records[1] = records[1].replace('"owner"', odd)
    crm.instead = [page_of(*records).encode("utf-8", "surrogateescape")]
    read, rejected = crm.read_with_refusals()
    assert [record["contact_id"] for record in read] == ["P1", "P3"]
    assert [row.reason for row in rejected] == [f"/v1/contacts, {{'contact_id': 'P2'}}: {reason}"]


def test_what_a_value_may_hold_is_kept_as_it_is(make_crm):
    roles = [9007199254740993, "[" * 20_000, ["[", {"a": "]"}], "Café 🏤"]
    crm = make_crm([contact(number, role=role) for number, role in enumerate(roles)])
    assert [record["role"] for record in crm.read()] == roles


def test_an_unknown_field_whose_name_cannot_be_written_is_named_all_the_same(make_crm):
    with pytest.raises(contracts.ContractError, match=r"unknown column '\\ud800\\x00'"):
        make_crm([contact(1) | {"\ud800\0": 1}]).read()


def test_asked_for_all_it_gives_the_night_and_what_no_interval_would_read(make_crm):
    moments = {
        "in time": NOON, "old": "2013-03-01T00:00:00+08:00", "late": "2013-03-02T00:00:00+08:00",
        "tomorrow's": "2013-04-01T00:00:00+08:00", "ahead": "2099-01-01T00:00:00+08:00", "no moment": "soon",
    }  # fmt: skip
    listed = []

    def compare(listing):
        listed.extend(listing.rows)
        return frozenset({"late", "ahead", "tomorrow's"})

    records = [contact(0, contact_id=name, updated_at=at) for name, at in moments.items()]
    records += [
        contact(0, contact_id=f"odd {name}", updated_at=moments[name], role="\0") for name in ("in time", "old")
    ]
    crm = make_crm([*records, contact(0, contact_id="half \ud800"), contact(0, contact_id=7)])
    read, rejected = crm.read_with_refusals(compare=compare)
    assert [record["contact_id"] for record in read] == ["in time", "late", "ahead", "no moment", 7]
    assert [row.record["contact_id"] for row in rejected] == ["odd in time", "half \\ud800"]
    assert "updated_since" not in parse_qs(crm.requests[0][0].query)
    assert [key for key, _ in listed] == [*moments, "odd in time", "odd old", None, "7"]
    assert [at for _, at in listed] == [*list(moments.values())[:-1], None, NOON, moments["old"], NOON, NOON]


def test_records_amended_since_a_night_that_is_read_late_are_counted(make_crm):
    records = [contact(number, updated_at=f"2013-0{4 + number}-01T00:00:00+08:00") for number in range(2)]
    assert make_crm([*records, contact(3)]).batch().amended_since == 2
    assert make_crm([contact(3)]).batch().amended_since == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html><body>Please sign in</body></html>", r"/v1/contacts: no JSON came but 40 bytes of unknown type"),
        (b'{"data": [{"contact_id": "P1"', r"/v1/contacts: no JSON came but 29 bytes"),
        (b'{"errors": ["quota"]}', r"/v1/contacts: a page has a list `data`, but an object of errors came"),
        (b'{"data": null, "next_cursor": null}', r"/v1/contacts: a page has a list `data`, but data is null came"),
        (b"[]", r"/v1/contacts: no page came but a list"),
        (b'{"data": [], "next_cursor": {"id": 4}}', r"/v1/contacts: next_cursor is no text but an object"),
    ],
)
def test_what_is_no_page_is_asked_for_again_and_then_told_by_its_kind(make_crm, monkeypatch, answer, said):
    monkeypatch.setattr(api, "wait_exponential_jitter", lambda **_: lambda _: 0.0)
    crm = make_crm([contact(1)])
    crm.instead = [answer] * 3
    assert len(crm.read()) == 1
    crm.instead = [answer] * api.ATTEMPTS
    with pytest.raises(contracts.ContractError, match=said):
        crm.read()


def test_a_record_that_is_none_is_refused_and_the_others_are_read(make_crm):
    records, rejected = make_crm([contact(1), None, "CHAN Tai Man", contact(2)]).read_with_refusals()
    assert [record["contact_id"] for record in records] == ["P1", "P2"]
    assert [row.reason for row in rejected] == [
        "/v1/contacts, page 1, record 2: no object but null",
        "/v1/contacts, page 2, record 1: no object but a text",
    ]


def test_a_cursor_that_comes_again_ends_with_a_message(make_crm):
    crm = make_crm([contact(number) for number in range(9)])
    crm.cursors = [lambda body: body, lambda body: body, lambda body: {**body, "next_cursor": "2"}]
    with pytest.raises(contracts.ContractError, match=r"/v1/contacts, page 3: the cursor 2 came before"):
        crm.read()
    assert len(crm.requests) == 3


@pytest.mark.parametrize(
    ("bounds", "said"), [({"requests": 2}, "more than 2 pages"), ({"seconds": -1}, "page 1: more than -1 s")]
)
def test_a_reader_is_finite(make_crm, bounds, said):
    with pytest.raises(contracts.ContractError, match=f"/v1/contacts.*{said}, as its contract bounds it"):
        make_crm([contact(number) for number in range(9)]).read_with_refusals(
            replace(CONTACTS, bounds=contracts.Bounds(**bounds))
        )


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("3", 3, 3), ("86400", 60, 60), ("soon", None, None), ("Wed, 21 Oct 2015 07:28:00 GMT", -1e12, 0)],
)
def test_retry_after_is_a_number_or_a_date_and_capped(header, least, most):
    asked = api._asked_to_wait(header)
    if least is None:
        assert asked is None
    else:
        assert least <= min(asked, api.LONGEST_WAIT) <= most
