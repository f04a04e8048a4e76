"""Another operator: other kinds, three clubs and one apart, five districts, English names only, and no survey, liaison group,
campaign, newsletter, mail volume or printed figure. Every figure can be counted on fingers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from crw import contracts
from tests.dbt import world

HEADERS = {
    "code_list": "list,code,sort_order,name_en,name_zh,counts_as",
    "district": "district_code,name_en,name_zh,region",
    "mail_volume": "fiscal_year,items",
    "published_figure": "fiscal_year,kpi,published,comparator,tolerance,period_basis,period",
}
ROWS = {
    "code_list": [
        *("kind,grievance,1,Grievance,,complaint", "kind,Price dispute,2,Price dispute,,complaint"),
        *("kind,praise,3,Praise,,commendation", "kind,question,4,Question,,", "kind,idea,5,Idea,,"),
        *("case_status,pending,1,Pending,,", "case_status,settled,2,Settled,,closed"),
        *("case_status,taken back,3,Taken back,,withdrawn", "case_status,doubled,4,Doubled,,merged"),
        *("case_event,confirmed,1,Confirmed,,acknowledged", "case_event,settled,2,Settled,,closed"),
        *("outcome,justified,1,Justified,,substantiated", "outcome,unjustified,2,Unjustified,,unsubstantiated"),
        *("channel,app,1,App,,", "channel,chat,2,Chat,,", "service,parcels,1,Parcels,,", "service,letters,2,Letters,,"),
        *("issue,late,1,Late,,", "issue,rude,2,Rude,,", "language,fi,1,Finnish,,", "activity_kind,workshop,1,Workshop,,"),
        *("club,Gold,1,Gold,,any", "club,Silver,2,Silver,,any", "club,Bronze,3,Bronze,,any", "club,Partner,4,Partner,,"),
        *("size_band,few,1,Up to 9,,", "size_band,some,2,10 to 249,,", "size_band,many,3,250 or more,,"),
    ],
    "district": [f"{code},{name},," for code, name in zip("NESWC", ("North", "East", "South", "West", "Centre"), strict=True)],
    "mail_volume": [],
    "published_figure": [],
}  # fmt: skip
"""The operator's seeds, by name."""

CATEGORIES = [
    {"category_code": "L", "kind": "Grievance", "issue_code": "late"},
    {"category_code": "D", "kind": "PRICE DISPUTE", "issue_code": "late"},
    {"category_code": "P", "kind": "praise", "issue_code": "rude"},
    {"category_code": "Q", "kind": "question", "issue_code": None},
]


def case(number: str, category: str, received_on: str, **others) -> dict:
    """A case of parcels, settled, by the app, from the north, unless told otherwise."""
    told = {"service_code": "Parcels", "channel_code": "app", "status": "Settled ", "district_code": "n", **others}
    return world.case(number, category, f"{received_on} 09:00+08", **told)


# Of an unknown channel is 2, of an unknown district 5.
CASES = [
    case("1", "L", "2012-05-02", company_id="FEW1", outcome="JUSTIFIED", closed_at="2012-05-08 09:00+08"),
    case("2", "L", "2012-05-03", company_id="FEW1", outcome="unjustified", channel_code="pigeon", language="N/A"),
    case("3", "D", "2012-06-01", service_code="letters", status="taken back"),
    case("4", "D", "2012-06-01", status="Doubled"),
    case("5", "P", "2012-06-02", company_id="FEW1", district_code="X"),
    case("6", "Q", "2013-03-30", status="pending"),
]
EVENTS = [
    world.event(1, "1", "Confirmed", "2012-05-04 04:30+08"),  # the day before on the operator's clock
    world.event(2, "1", "settled", "2012-05-08 09:00+08"),
]

# By size of the company: the members of any and of each club, by their numbers. Of few, 30 memberships of 24 companies tell that
# 3 to 6 companies are in several clubs.
MEMBERS = {
    "few": {"GOLD ": (1, 10), "silver": (8, 17), "Bronze": (15, 24)},
    "some": {"gold": (1, 10), "silver": (11, 20), "bronze": (21, 30), "partner": (31, 36)},
    "many": {"gold": (1, 20), "silver": (6, 25), "bronze": (1, 20)},
}
MEMBERSHIPS = [
    world.membership(f"{size.upper()}{number} {club}", f"{size.upper()}{number}", club, "2012-04-01")
    for size, clubs in MEMBERS.items()
    for club, (first, last) in clubs.items()
    for number in range(first, last + 1)
]


def industry(size: str, number: int) -> str:
    """Of post, 14 companies less the 10 of gold tell 4; rail, all of gold, beside it tells them still, and with road none."""
    if size == "some":
        return "rail" if number <= 10 else "road"
    return "post" if size == "many" and (number <= 10 or 21 <= number <= 24) else "sea"


COMPANIES = [
    {
        "company_id": f"{size.upper()}{number}",
        "size_band": size.upper(),
        "industry_code": industry(size, number),
        "district_code": "c",
    }
    for size, clubs in MEMBERS.items()
    for number in range(1, max(last for _, last in clubs.values()) + 1)
]


def write_seeds(folder: Path, **changed: list[str]) -> None:
    """Write the operator's seeds; `changed` are rows that take the place of a seed's."""
    for name, rows in (ROWS | changed).items():
        (folder / f"{name}.csv").write_text("\n".join([HEADERS[name], *rows]) + "\n", encoding="utf-8")


CLUBS = ("Gold", "Silver", "Bronze")
"""Those that count as any."""

Cells = dict[str, dict[str, int | None]]
"""Published members by value of a dimension and club; hidden ones are None."""


def told_groups(cells: Cells, total: dict[str, int]) -> Iterator[tuple]:
    """Every group of 1 to 4 companies that a reader can compute: of a club, outside it, or in several.

    Args:
        cells: the cells of one dimension.
        total: the members by club of all its values.
    """
    for some in (some for n in range(1, len(cells)) for some in combinations(cells, n)):
        known = dict(_computable(cells, total, some))
        groups = {("in", club): members for club, members in known.items()}
        if "any" in known:
            groups |= {("outside", club): known["any"] - known[club] for club in CLUBS if club in known}
            if all(club in known for club in CLUBS):
                # A company of all three is told twice, so that 8 may be 4 companies.
                several = sum(known[club] for club in CLUBS) - known["any"]
                most = max(1, sum(known[club] > 0 for club in CLUBS) - 1)
                groups["in", "several"] = -(-several // most)
        yield from ((some, *what, n) for what, n in groups.items() if 1 <= n <= 4)


def _computable(cells: Cells, total: dict[str, int], values: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The members of each club in these values together, where a sum tells them, or the total less the other values."""
    for club in ("any", *CLUBS):
        inside = [cells[value].get(club, 0) for value in values]
        outside = [cells[value].get(club, 0) for value in cells if value not in values]
        if None not in inside:
            yield club, sum(inside)
        elif None not in outside:
            yield club, total[club] - sum(outside)


class Crm(ThreadingHTTPServer):
    """The operator's CRM: an HTTP API with the endpoints of the contract, a bearer token, pages of ten records by a cursor."""

    TOKEN = "of-the-other-operator"

    def __init__(self, records: dict[str, list[dict]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.records = {
            table.endpoint: [dict.fromkeys(_fields(table)) | row for row in records.get(table.name, [])]
            for table in contracts.sources()["membership"]
        }
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def connection(self) -> str:
        """The CRM as an Airflow connection."""
        host, port = self.server_address
        address = {"conn_type": "http", "schema": "http", "host": host, "port": port}
        return json.dumps({**address, "password": self.TOKEN})


class _Answer(BaseHTTPRequestHandler):
    PAGE = 10

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if self.headers["Authorization"] != f"Bearer {Crm.TOKEN}":
            self._send(401, {"detail": "who are you?"})
        elif address.path not in self.server.records:
            self._send(404, {"detail": "no such endpoint"})
        else:
            # Without dates it is asked for all there is.
            since, before = (
                query.get("updated_since", "0001-01-01T00+00:00"),
                query.get("updated_before", "9999-12-31T00+00:00"),
            )
            found = [
                record for record in self.server.records[address.path]
                if datetime.fromisoformat(since) <= datetime.fromisoformat(record["updated_at"]) < datetime.fromisoformat(before)
            ]  # fmt: skip
            first = int(query.get("cursor", 0))
            after = first + self.PAGE
            self._send(200, {"data": found[first:after], "next_cursor": str(after) if after < len(found) else None})

    def _send(self, status: int, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        """Nothing: the test's own output is read when it fails."""


def _fields(table: contracts.Table) -> list[str]:
    return [column.field for column in table.columns]
