"""The campaigns of the sample CRM: their audiences, contacts with the consent as it stood, and late responses.

Contacts of the membership part are drawn on; they are read from the database that `membership` has filled.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from psycopg import Connection

from sample_operator.clock import END, FIRST_DAY, OPENING, hong_kong, office_time, recordable
from sample_operator.crm import dirt
from sample_operator.crm.record import CrmRecord, Version, between, choice, crm_table

TABLES = tuple(map(crm_table, ("campaign", "campaign_contact", "campaign_response")))

CAMPAIGNS = 50
"""Spread evenly over the history; the last two run in April 2013."""
# Companies selected at scale 1, and the share of those contacted that respond.
KINDS = {"campaign": (900, 0.15), "targeted_promotion": (320, 0.32)}
CHANNELS = {"direct_mail": 50, "email": 35, "phone": 15}
RESPONSES = {"order": 45, "enquiry": 30, "declined": 20}
OPTS_OUT = 0.012
"""Of those contacted who never consented; the consent of the others would have to change in the CRM."""
NOT_REACHED = 0.07
RESPONSE_DAYS = (18.0, 1.0)
"""Median and spread of the log-normal time to a response: one in ten takes over two months."""
HEEDED = 0.97
"""Of the requests to stop."""
FORWARDED = 0.012
"""Responses from companies that the campaign did not select."""
LAPSES = {"CP0049": 2, "CP0050": 1}
"""Contacts without consent after 31 March 2013, by campaign: what suite and mart must name."""


@dataclass(slots=True)
class Person:
    """The first contact person of a company, with each consent said and when."""

    company_id: str
    full_name: str
    email: str
    said_at: list[datetime]
    said: list[bool]

    def consents(self, moment: datetime) -> bool:
        """Whether the consent stood at the moment."""
        return self.said[bisect(self.said_at, moment) - 1]


@dataclass(slots=True)
class _Campaign:
    campaign_id: str
    kind: str
    starts_on: date
    ends_on: date

    def some_moment(self, rng: Random) -> datetime:
        """An hour at the office while the campaign runs."""
        day = self.starts_on + timedelta(days=int(rng.random() * (self.ends_on - self.starts_on).days))
        return recordable(office_time(datetime.combine(day, time()), rng))


def fill(connection: Connection, seed: int, scale: float) -> int:
    """Store every version of the records of `TABLES`. Returns how many. Args as of `crm.build`."""
    rng = Random(f"campaign {seed}")
    desk = _Desk(_people(connection), rng)
    campaigns = list(_campaigns(rng))
    for campaign in campaigns:
        desk.run(campaign, scale)
    records = ([v for campaign in campaigns for v in _record(campaign, rng)], desk.contacts, desk.responses)
    names = [person.company_id for person in desk.people]
    return dirt.store(connection, TABLES, records, names, rng)


def _people(connection: Connection) -> list[Person]:
    """Of each company that the CRM knows the contact person it had first, in the order of becoming known."""
    rows = connection.execute(
        "select distinct on (company_id) company_id, full_name, email, said_at, said from ("
        "select payload ->> 'company_id' as company_id, payload ->> 'full_name' as full_name, "
        "payload ->> 'email' as email, contact_id, array_agg(updated_at at time zone 'Asia/Hong_Kong' order by updated_at) as said_at, "
        "array_agg((payload ->> 'marketing_consent')::boolean order by updated_at) as said "
        "from simulation.contact where contact_id < 'P9' group by 1, 2, 3, 4) as person order by company_id, contact_id"
    )
    return sorted((Person(*row) for row in rows), key=lambda person: (person.said_at[0], person.company_id))


def _campaigns(rng: Random) -> Iterator[_Campaign]:
    """Two in five are for many, the others targeted; each runs for two to seven weeks."""
    spacing = (OPENING.date() - FIRST_DAY) / (CAMPAIGNS - 2)
    for number in range(1, CAMPAIGNS + 1):
        starts_on = FIRST_DAY + spacing * (number - 1) + timedelta(days=int(rng.random() * 5))
        if number > CAMPAIGNS - 2:
            starts_on = OPENING.date() + timedelta(days=1 + 12 * (number - CAMPAIGNS + 1))
        kind = "campaign" if number % 5 in (1, 3) else "targeted_promotion"
        yield _Campaign(f"CP{number:04d}", kind, starts_on, starts_on + timedelta(days=13 + int(rng.random() * 36)))


def _record(campaign: _Campaign, rng: Random) -> Iterator[Version]:
    """The campaign as entered weeks ahead; some are prolonged."""
    number = int(campaign.campaign_id[2:])
    record = CrmRecord(
        "campaign_id",
        {
            "campaign_id": campaign.campaign_id,
            "campaign_name": f"示例推廣 {number} Sample Campaign {number}",
            "kind_code": campaign.kind + (" " if rng.random() < 0.05 else ""),
            "channel_code": choice(CHANNELS, rng),
            "starts_on": campaign.starts_on.isoformat(),
            "ends_on": campaign.ends_on.isoformat(),
            "owner_name": f"Marketing Officer Sample {number % 7}",
        },
    )
    start = datetime.combine(campaign.starts_on, time())
    yield from record.version(between(start - timedelta(days=40), start - timedelta(days=15), rng))
    if rng.random() < 0.2:
        end = datetime.combine(campaign.ends_on, time(17))
        yield from record.version(recordable(end), ends_on=(campaign.ends_on + timedelta(days=14)).isoformat())


@dataclass
class _Desk:
    """Those who run the campaigns, and what they have entered so far."""

    people: list[Person]
    rng: Random
    contacts: list[Version] = field(default_factory=list)
    responses: list[Version] = field(default_factory=list)
    stopped: dict[str, datetime] = field(default_factory=dict)
    """When a company asked that nothing more be sent."""

    def run(self, campaign: _Campaign, scale: float) -> None:
        """Select the audience, contact it over the weeks, and take the responses."""
        selected = datetime.combine(campaign.starts_on - timedelta(days=8), time(10))
        known = self.people[: bisect(self.people, selected, key=lambda person: person.said_at[0])]
        size, respond = KINDS[campaign.kind]
        size = min(round(size * scale * (0.8 + 0.4 * self.rng.random())), len(known))
        lapses = LAPSES.get(campaign.campaign_id, 0)
        for person in self.rng.sample(known, size):
            moment = campaign.some_moment(self.rng)
            lapsed = lapses > 0 and OPENING <= moment < END and not person.consents(moment)
            if self._contact(campaign, person, selected, moment, lapsed):
                self._hear(campaign, person, moment, respond)
            lapses -= lapsed
        for _ in range(round(size * respond * FORWARDED + self.rng.random())):
            stranger = self.rng.choice(known).company_id
            moment = between(selected + timedelta(days=12), selected + timedelta(days=90), self.rng)
            self._take(campaign, stranger, "enquiry", moment)

    def _contact(self, campaign: _Campaign, person: Person, selected: datetime, moment: datetime, lapsed: bool) -> bool:
        """Enter the company as selected, and as contacted if it is; returns whether it is."""
        record = CrmRecord(
            "campaign_contact_id",
            {
                "campaign_contact_id": f"CC{len(self.contacts) + 1:06d}",
                "campaign_id": campaign.campaign_id,
                "company_id": person.company_id,
                "full_name": person.full_name,
                "email": person.email,
                "has_consent": person.consents(selected),
                "contacted_on": None,
            },
        )
        self.contacts += record.version(recordable(selected + timedelta(seconds=int(self.rng.random() * 20000))))
        if not lapsed and (not self._may(person, moment) or self.rng.random() < NOT_REACHED):
            return False
        self.contacts += record.version(
            moment, has_consent=person.consents(moment), contacted_on=moment.date().isoformat()
        )
        return True

    def _may(self, person: Person, moment: datetime) -> bool:
        """Whether the rules let the company be contacted; a request to stop is sometimes overlooked."""
        if person.consents(moment):
            return True
        asked = self.stopped.get(person.company_id, END) < moment
        return moment < OPENING and not (asked and self.rng.random() < HEEDED)

    def _hear(self, campaign: _Campaign, person: Person, contacted: datetime, respond: float) -> None:
        """What comes of a contact: nothing, a response (one in seventeen entered twice, as many amended), or a request to stop."""
        if self.rng.random() < respond:
            median, spread = RESPONSE_DAYS
            moment = contacted + timedelta(days=median * self.rng.lognormvariate(0, spread))
            kind = choice(RESPONSES, self.rng)
            record = self._take(campaign, person.company_id, kind, moment)
            lot = self.rng.random()
            if lot < 0.06:
                self._take(campaign, person.company_id, kind, moment, typed_after=timedelta(days=2))
            elif lot < 0.12:
                later = recordable(moment + timedelta(days=1 + 9 * self.rng.random())).replace(microsecond=0)
                self.responses += record.version(later, response_kind="order")
        elif not person.consents(contacted) and self.rng.random() < OPTS_OUT:
            moment = contacted + timedelta(days=1 + 20 * self.rng.random())
            self.stopped.setdefault(person.company_id, moment)
            self._take(campaign, person.company_id, "opt_out", moment)

    def _take(
        self, campaign: _Campaign, company: str, kind: str, moment: datetime, typed_after: timedelta = timedelta()
    ) -> CrmRecord:
        """Enter a response."""
        moment = moment.replace(microsecond=0)
        record = CrmRecord(
            "campaign_response_id",
            {
                "campaign_response_id": f"CR{len(self.responses) + 1:06d}",
                "campaign_id": campaign.campaign_id,
                "company_id": company,
                "response_kind": kind,
                "responded_at": hong_kong(moment).isoformat(),
                "remarks": "sample remark",
            },
        )
        self.responses += record.version(recordable(moment + typed_after))
        return record
