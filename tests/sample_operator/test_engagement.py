"""The sample drop folder of the clubs: dirt is as planted and nothing else is refused; one newsletter went out too late."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest

from crw import contracts, ledger, publish
from crw.settings import CLOCK
from crw.sources import Interval, folder
from crw.sources.pseudonym import pseudonym
from sample_operator import clock, engagement
from sample_operator.engagement import newsletter
from sample_operator.people import contact_of_company
from tests.sample_operator.conftest import refused, validate_night

SMALL = 0.3
SECRET = b"test"
TABLES = contracts.sources()["engagement"]


@pytest.fixture(scope="module")
def drop(tmp_path_factory):
    path = tmp_path_factory.mktemp("drop")
    engagement.build(path, scale=SMALL)
    return path


def events(drop, until):
    """What the reader makes of the newsletter's files that arrived before a moment."""
    table = contracts.table("engagement", "email_event")
    interval = Interval(datetime(2010, 1, 1, tzinfo=CLOCK), datetime(*until, tzinfo=CLOCK))
    return [json.loads(record) for record in folder.read(table, drop, interval, SECRET).blocks]


def test_the_suites_refuse_the_planted_rows_and_no_others(database, drop):
    def read(load):
        published = ledger.published_deliveries(database, load.table, load.business_date)
        return folder.read(load.table, drop, load.interval, SECRET, published)

    loads = validate_night(database, TABLES, read)
    assert refused(database) == engagement.planted()
    figures = publish.publish_source(database, loads)
    assert all(f.published > 40 and f.unchanged == 0 for f in figures.values())

    # Sent again in April, an event is unchanged.
    march = (drop / "newsletter" / "2013-03.jsonl").read_text().splitlines()
    again = drop / "newsletter" / "again.jsonl"
    again.write_text("\n".join(line for line in march if '"dropped"' in line))
    clock.arrive(again, datetime(2013, 4, 1, 12))
    (load,) = validate_night(database, [contracts.table("engagement", "email_event")], read, date(2013, 4, 1))
    figures = publish.publish_load(database, load)
    april = drop / "newsletter" / "2013-04-01.jsonl"
    assert figures.published == (len(april.read_text().splitlines()) if april.exists() else 0)
    assert figures.unchanged == len(again.read_text().splitlines()) > 0


def test_events_come_late_twice_and_out_of_order(drop):
    found = [e for e in events(drop, (2013, 4, 1)) if str(e["occurred_epoch"]).isdigit()]
    ids = [event["event_id"] for event in found]
    assert len(ids) - len(set(ids)) == newsletter.REPEATED
    of_a_file = [int(e["occurred_epoch"]) for e in found if e["file_name"] == "newsletter/2011-05.jsonl"]
    assert of_a_file != sorted(of_a_file)
    may = datetime(2011, 5, 1, tzinfo=CLOCK).timestamp()
    assert any(moment < may for moment in of_a_file)
    assert {type(event["category"]) for event in found} >= {str, list}


def test_every_event_is_told_after_it_happened(drop):
    good = [e for e in events(drop, (2013, 5, 1)) if e["event_id"] and "2012-11" not in e["file_name"]]
    assert all(e["occurred_epoch"] < datetime.fromisoformat(e["delivered_at"]).timestamp() for e in good)


def test_recipients_are_the_crm_contacts(drop):
    known = {pseudonym(contact_of_company(n, 1, chinese=True).email, SECRET) for n in range(1, 2001)}
    recipients = {event["person_key"] for event in events(drop, (2013, 4, 1))} - {None}
    assert len(recipients & known) == round(760 * SMALL)
    # Strangers, two colleagues of the trial, and the one of the dirt.
    assert len(recipients - known) == round(40 * SMALL) + 3


def test_nobody_leaves_the_files_in_clear(drop):
    for table in TABLES:
        interval = Interval(datetime(2010, 1, 1, tzinfo=CLOCK), datetime(2013, 5, 1, tzinfo=CLOCK))
        text = "\n".join(folder.read(table, drop, interval, SECRET).blocks)
        assert text
        assert not any(trace in text for trace in ("@example", "+852", "Sample 0", "示例", "192.0.2", "颱風"))


def test_a_file_a_month_and_then_a_file_a_day(drop):
    names = sorted(path.name for path in (drop / "hotline").iterdir())
    assert names[:2] == ["2010-04.csv", "2010-05.csv"]
    assert names[-1] == "2013-04-30.csv"
    assert len(list(drop.rglob("*.*"))) < 250
