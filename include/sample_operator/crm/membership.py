"""The membership part of the sample CRM: companies, memberships of two clubs, contact persons with consents, account managers.

Calibrated by `club_life`, dirtied by `crm.dirt`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from psycopg import Connection

from sample_operator.clock import END, OPENING, hong_kong, recordable
from sample_operator.crm import dirt
from sample_operator.crm.club_life import Company, Spell, companies, entered
from sample_operator.crm.record import CrmRecord, Version, between, choice, crm_table
from sample_operator.people import company_id, contact_of_company

MANAGERS = 40
MANAGED = 2_500
"""Companies in the charge of an account manager, at scale 1: the biggest."""
SECOND_CONTACT = 0.1
INDUSTRIES = {"trade": 30, "retail": 18, "finance": 9, "manufacturing": 9, "logistics": 8, "publishing": 5,
              "education": 5, "professional": 12, "charity": 4}  # fmt: skip
SMALL = {"1-9": 72, "10-49": 24, "50-99": 3, "Blank": 0.3, "１０-４９": 0.3}
BIG = {"50-99": 40, "100+": 60}
DISTRICTS = {"CW": 14, "WC": 12, "E": 9, "S": 4, "YTM": 16, "SSP": 8, "KC": 4, "WTS": 3, "KT": 12, "KTS": 7, "TW": 5,
             "TM": 2, "YL": 2, "N": 1, "TP": 1, "ST": 4, "SK": 1, "IS": 1, "NA": 0.2, "kt ": 0.2}  # fmt: skip
ROLES = {"owner": 35, "mail_room": 25, "purchasing": 20, "marketing": 12, "accounts": 8}


TABLES = tuple(map(crm_table, ("company", "membership", "contact", "account_manager")))


def fill(connection: Connection, seed: int, scale: float) -> int:
    """Store every version of the records of `TABLES`. Returns how many. Args as of `crm.build`."""
    rng = Random(f"membership {seed}")
    known = companies(scale, rng)
    managed = {company.number for company in rng.sample(known, round(MANAGED * scale))}
    records = (
        [version for company in known for version in _company(company, company.number in managed, rng)],
        list(_memberships(known, rng)),
        list(_contacts(known, rng)),
        list(_account_managers(rng)),
    )
    names = [company_id(company.number) for company in known]
    return dirt.store(connection, TABLES, records, names, rng)


def _company(company: Company, is_managed: bool, rng: Random) -> Iterator[Version]:
    """The company as registered and as amended since."""
    number = company.number
    person = contact_of_company(number, 1, chinese=False)
    record = CrmRecord(
        "company_id",
        {
            "company_id": company_id(number),
            "company_name": f"示例公司 {number} Sample Company {number} Limited",
            "industry_code": choice(INDUSTRIES, rng),
            "size_band": choice(BIG if is_managed else SMALL, rng),
            "district_code": choice(DISTRICTS, rng),
            "account_manager_id": None,
            "registered_on": company.registered_on.isoformat(),
            "address": person.address,
            "phone": person.phone,
        },
    )
    yield from record.version(company.entered_at)
    changes: list[tuple[datetime, dict]] = []
    if is_managed:
        known_by = max(company.entered_at, datetime(2008, 1, 2))
        first = between(known_by, known_by + timedelta(days=200), rng)
        changes.append((first, {"account_manager_id": _manager_id(rng)}))
        if rng.random() < 0.4:
            changes.append((between(first, END, rng), {"account_manager_id": _manager_id(rng)}))
    if rng.random() < 0.12:
        changes.append((between(company.entered_at, END, rng), {"district_code": choice(DISTRICTS, rng)}))
    if rng.random() < 0.06:
        changes.append(
            (between(company.entered_at, END, rng), {"size_band": choice(BIG if is_managed else SMALL, rng)})
        )
    for moment, change in sorted(changes, key=lambda entry: entry[0]):
        yield from record.version(moment, **change)


def _memberships(known: list[Company], rng: Random) -> Iterator[Version]:
    """Every spell, numbered in the order of joining, as entered when it began and when it ended."""
    spells = [(spell.joined_on, company.number, company, spell) for company in known for spell in company.spells]
    for number, (joined_on, _, company, spell) in enumerate(sorted(spells, key=lambda entry: entry[:2]), 1):
        record = CrmRecord(
            "membership_id",
            {
                "membership_id": f"M{number:06d}",
                "company_id": company_id(company.number),
                "club_code": spell.club,
                "joined_on": joined_on.isoformat() + (" " if rng.random() < 0.002 else ""),
                "left_on": None,
                "leave_reason": None,
            },
        )
        begun = max(entered(joined_on, rng), company.entered_at)
        yield from record.version(begun)
        if spell.left_on:
            yield from _end(record, spell, begun, rng)


def _end(record: CrmRecord, spell: Spell, begun: datetime, rng: Random) -> Iterator[Version]:
    lot = rng.random()
    # One in ten gives notice weeks ahead; one in twenty is entered weeks afterwards.
    days = -int(rng.random() * 40) if lot < 0.1 else int(rng.random() * 40) if lot < 0.15 else 0
    moment = max(entered(spell.left_on + timedelta(days=days), rng), begun + timedelta(minutes=30))
    yield from record.version(recordable(moment), left_on=spell.left_on.isoformat(), leave_reason=spell.reason)


def _contacts(known: list[Company], rng: Random) -> Iterator[Version]:
    """Contact persons; many are asked for their consent before it is needed, from February 2013 on."""
    number = 0
    for company in known:
        for place in range(1, 2 + (rng.random() < SECOND_CONTACT)):
            number += 1
            person = contact_of_company(company.number, place, chinese=rng.random() < 0.6)
            known_by = max(entered(company.registered_on, rng), company.entered_at)
            consents = rng.random() < 0.55
            record = CrmRecord(
                "contact_id",
                {
                    "contact_id": f"P{number:06d}",
                    "company_id": company_id(company.number),
                    "full_name": person.name,
                    "email": person.email,
                    "phone": person.phone,
                    "hkid": f"X{number % 1_000_000:06d}(0)",
                    "role": choice(ROLES, rng),
                    "marketing_consent": consents,
                    "consent_changed_at": hong_kong(known_by).isoformat() if consents else None,
                },
            )
            yield from record.version(known_by)
            if rng.random() < 0.16:
                asked = between(max(known_by, datetime(2013, 2, 1)), END, rng)
                yield from record.version(
                    asked, marketing_consent=rng.random() < 0.6, consent_changed_at=hong_kong(asked).isoformat()
                )


def _account_managers(rng: Random) -> Iterator[Version]:
    for number in range(1, MANAGERS + 1):
        start = date(2003, 4, 1) + timedelta(days=int(rng.random() * 2600))
        record = CrmRecord(
            "account_manager_id",
            {
                "account_manager_id": f"AM{number:03d}",
                "full_name": f"Account Manager Sample {number:03d}",
                "email": f"am{number:03d}@example.com",
                "team": f"team_{'abcd'[number % 4]}",
                "active_from": start.isoformat(),
                "active_to": None,
            },
        )
        yield from record.version(entered(start, rng))
        if number % 9 == 0:
            moment = datetime(2013, 4, 12, 10) if number == 9 else between(datetime(2010, 4, 1), OPENING, rng)
            yield from record.version(moment, active_to=(moment.date() + timedelta(days=30)).isoformat())


def _manager_id(rng: Random) -> str:
    return f"AM{1 + int(rng.random() * MANAGERS):03d}"
