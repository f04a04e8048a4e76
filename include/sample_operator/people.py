"""People of the sample who do not exist: names, addresses at example.com, telephone numbers that start with 0."""

from __future__ import annotations

from dataclasses import dataclass

SURNAMES = [("Chan", "陳"), ("Wong", "黃"), ("Lee", "李"), ("Cheung", "張"), ("Lam", "林"), ("Ng", "吳"),
            ("Ho", "何"), ("Leung", "梁"), ("Tsang", "曾"), ("Yip", "葉"), ("Hui", "許"), ("Kwok", "郭"),
            ("Fung", "馮"), ("Lau", "劉")]  # fmt: skip


@dataclass(frozen=True)
class Person:
    """An invented person: the name says so."""

    name: str
    phone: str
    email: str
    address: str


def company_id(number: int) -> str:
    """The CRM's number of the sample's company `number`, counted from 1: C000001."""
    return f"C{number:06d}"


def member_of_public(number: int, chinese: bool) -> Person:
    """The person `number`, named in Chinese or English."""
    english, surname = SURNAMES[number % len(SURNAMES)]
    flat, floor = number % 8, 1 + number % 39
    in_english = f"Flat {'ABCDEFGH'[flat]}, {floor}/F, Sample House, Example Estate"
    return Person(
        f"{surname}示例{number:05d}" if chinese else f"{english} Sample {number:05d}",
        f"+852 0{number // 1000 % 1000:03d} {number % 10000:04d}",
        f"person{number:05d}@example.com",
        f"示例邨樣本樓{floor}樓{flat + 1}室" if chinese else in_english,
    )


def contact_of_company(number: int, place: int, chinese: bool) -> Person:
    """Contact person `place` (1, 2, ...) of company `number`, with the same e-mail address in both systems."""
    person = member_of_public(number * 3 + place, chinese)
    email = f"{company_id(number).lower()}.contact{place}@example.com"
    return Person(person.name, person.phone, email, person.address)
