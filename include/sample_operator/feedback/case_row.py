"""The rows of one sample case: each state of it in the case database, and its events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random

from sample_operator.feedback import categories, post_offices
from sample_operator.feedback.case_dirt import Row, spoil
from sample_operator.feedback.case_life import Step, steps
from sample_operator.feedback.case_plan import CasePlan
from sample_operator.people import Person, company_id, contact_of_company, member_of_public

PUBLIC = 9000
"""Members of the public who write in at scale 1."""
OUTCOMES = {"substantiated": 28, "partly": 22, "unsubstantiated": 50}
LANGUAGES = {"tc": 62, "en": 33, "sc": 5}
OFFICERS = ("示例主任 Officer Sample A", "示例主任 Officer Sample B", "示例主任 Officer Sample C")
UNITS = {"counter": "Retail Business", "delivery": "Delivery", "mail_processing": "Mail Distribution",
         "hotline": "Customer Service", "online": "IT Services", "philately": "Philately",
         "agency": "Retail Business"}  # fmt: skip
CUSTOMER_RELATIONS = "Customer Relations"
CHINESE_DIGITS = str.maketrans("0123456789", "○一二三四五六七八九")
FULL_WIDTH = str.maketrans("0123456789/", "０１２３４５６７８９／")


def _chinese_number(number: int) -> str:
    tens, ones = divmod(number, 10)
    text = ("" if tens == 0 else "十" if tens == 1 else f"{tens}十") + (str(ones) if ones else "")
    return text.translate(CHINESE_DIGITS)


DATE_STYLES: list[tuple[int, Callable[[date], str | None]]] = [
    (400, lambda d: f"{d:%d/%m/%Y}"),
    (110, lambda d: f"{d.day}/{d.month}/{d.year}"),
    (90, lambda d: f"{d.day}-{d.month}-{d:%y}"),
    (90, lambda d: f"{d:%Y-%m-%d}"),
    (70, lambda d: f"{d.year}年{d.month}月{d.day}日"),
    (40, lambda d: f"{str(d.year).translate(CHINESE_DIGITS)}年{_chinese_number(d.month)}月{_chinese_number(d.day)}日"),
    (30, lambda d: f"{d:%d/%m/%Y}".translate(FULL_WIDTH)),
    (25, lambda d: f"{d:%m/%d/%Y}"),
    (25, lambda d: f"{d:%d/%m/%y}"),
    (20, lambda d: f"{d:%d/%m/%Y}  "),
    (3, lambda d: f"30/02/{d.year}"),
    (50, lambda _: None),
    (25, lambda _: ""),
    (10, lambda _: "NA"),
    (6, lambda _: "n/a"),
    (4, lambda _: "BLANK"),
    (4, lambda _: "Blank"),
    (4, lambda _: "0"),
]
_STYLES = [style for _, style in DATE_STYLES]
_STYLE_WEIGHTS = list(accumulate(weight for weight, _ in DATE_STYLES))


@dataclass
class CaseWriter:
    """Makes the rows of cases, in the order of `Row`'s keys."""

    companies: int
    rng: Random
    public: int = PUBLIC
    codes: dict[str, dict[str, int]] = field(default_factory=categories.by_kind)
    services: dict[str, dict[str, int]] = field(default_factory=categories.services_by_category)
    offices: list[tuple] = field(default_factory=post_offices.rows)

    def rows(self, plan: CasePlan, case_id: int, case_no: str) -> tuple[list[tuple], list[tuple]]:
        """Every version of the case's row, with the moment it becomes visible, and its events without numbers."""
        row = self._first_row(plan, case_id, case_no)
        if plan.dirt:
            spoil(row, plan.dirt, self.rng)
            return [(*row.values(), plan.entered_at)], []
        life = steps(plan.kind, plan.channel, plan.received_at, plan.entered_at, self.rng)
        cut = plan.merged_at or (plan.amended_at if plan.kind_after is None else None)
        if cut:
            life = [step for step in life if step.recorded_at < cut] + [Step("merged", cut, cut)]
        versions = self._versions(plan, row, life)
        return versions, [self._event(plan, case_no, row["service_code"], step) for step in life]

    def entered_again(self, versions: list[tuple], case_id: int, again_at: datetime) -> list[tuple]:
        """The versions when the case is entered again under a second `case_id`, which carries the case on.

        The first row keeps the state it had, and differs in its attributes.
        """
        before = [version for version in versions if version[-1] <= again_at]
        first = []
        for number, case_no, category, _, channel, received, *others in before:
            other_channel = "form" if channel == "referral" else "referral"
            first.append((number, case_no, category, "other", other_channel, received - timedelta(hours=2), *others))
        start = (case_id, *before[-1][1:-2], again_at, again_at)
        return [*first, start, *((case_id, *version[1:]) for version in versions if version[-1] > again_at)]

    def _first_row(self, plan: CasePlan, case_id: int, case_no: str) -> Row:
        rng = self.rng
        category = self._category(plan.kind)
        service = plan.service or _choice(self.services[category], rng)
        language = _choice(LANGUAGES, rng)
        company = 1 + int(self.companies * 0.75 * rng.random() ** 2) if rng.random() < 0.1 else None
        anonymous = not plan.dirt and company is None and rng.random() < 0.089
        person = self._person(company, language != "en")
        office = rng.choice(self.offices) if rng.random() < (0.9 if service == "counter" else 0.2) else None
        return {
            "case_id": case_id,
            "case_no": case_no,
            "category_code": self._category(plan.kind_before) if plan.kind_before else category,
            "service_code": service,
            "channel_code": self._typed(plan.channel),
            "received_at": plan.received_before or plan.received_at,
            "closed_at": None,
            "status": "received",
            "outcome": "pending" if (plan.kind_before or plan.kind) == "complaint" else None,
            "incident_date_text": self._incident_date(plan.received_at),
            "post_office_code": office[0] if office else None,
            "district_code": self._district(office),
            "company_id": company_id(company) if company else None,
            "complainant_name": None if anonymous else person.name,
            "complainant_phone": None if anonymous else person.phone,
            "complainant_email": None if anonymous else person.email,
            "complainant_address": None if anonymous else person.address,
            "description": f"示例內容 Sample text of case {case_no}, please call {person.phone}",
            "language": language,
            "is_anonymous": anonymous,
            "updated_at": plan.entered_at,
        }

    def _versions(self, plan: CasePlan, row: Row, life: list[Step]) -> list[tuple]:
        """One version a step, and one an amendment, in order of time and never two at one moment."""
        final = {"kind": plan.kind_before or plan.kind, "finding": "pending", "result": _choice(OUTCOMES, self.rng)}
        changes = [(step.recorded_at, lambda step=step: _take(row, step, final)) for step in life[1:]]
        if plan.reclassified_at:
            changes.append((plan.reclassified_at, lambda: self._file_as(row, plan.kind, final)))
        if plan.corrected_at:
            changes.append((plan.corrected_at, lambda: row.update(received_at=plan.received_at)))
        if plan.amended_at and plan.kind_after:
            changes.append((plan.amended_at, lambda: self._file_as(row, plan.kind_after, final)))
        versions = [(*row.values(), plan.visible_at or plan.entered_at)]
        for moment, change in sorted(changes, key=lambda entry: entry[0]):
            change()
            row["outcome"] = final["finding"] if final["kind"] == "complaint" else None
            row["updated_at"] = max(moment, row["updated_at"] + timedelta(seconds=1))
            versions.append((*row.values(), row["updated_at"]))
        return versions

    def _file_as(self, row: Row, kind: str, final: dict[str, str]) -> None:
        row["category_code"], final["kind"] = self._category(kind), kind

    def _event(self, plan: CasePlan, case_no: str, service: str, step: Step) -> tuple:
        by_unit = step.event_type in ("assigned", "replied")
        unit = UNITS.get(service, CUSTOMER_RELATIONS) if by_unit else CUSTOMER_RELATIONS
        visible = plan.visible_at if plan.visible_at and step.event_type == "received" else step.recorded_at
        officer, note = self.rng.choice(OFFICERS), "示例 sample note"
        return (case_no, step.event_type, step.occurred_at, step.recorded_at, unit, officer, note, visible)

    def _category(self, kind: str) -> str:
        return _choice(self.codes[kind], self.rng)

    def _person(self, company: int | None, chinese: bool) -> Person:
        if company:
            return contact_of_company(company, 1, chinese)
        return member_of_public(1 + int(self.public * self.rng.random() ** 1.5), chinese)

    def _typed(self, code: str) -> str:
        """The code as a clerk may type it: sometimes in capitals or with a space after it."""
        lot = self.rng.random()
        return code.capitalize() if lot < 0.002 else f"{code} " if lot < 0.004 else code

    def _district(self, office: tuple | None) -> str | None:
        lot = self.rng.random()
        if lot < 0.01:
            return self.rng.choice(["NA", "n/a", "", "BLANK"])
        if lot < 0.2:
            return None
        return office[3] if office else self.rng.choice(self.offices)[3]

    def _incident_date(self, received: datetime) -> str | None:
        style = self.rng.choices(_STYLES, cum_weights=_STYLE_WEIGHTS)[0]
        return style(received.date() - timedelta(days=int(self.rng.random() ** 2 * 12)))


def _take(row: Row, step: Step, final: dict[str, str]) -> None:
    """Let a step change the row: a reinstated case is with its unit again."""
    row["status"] = "assigned" if step.event_type == "reinstated" else step.event_type
    if step.event_type == "closed":
        row["closed_at"] = step.occurred_at
    elif step.event_type in ("reopened", "withdrawn", "merged"):
        row["closed_at"] = None
    finding = {"replied": final["result"], "withdrawn": "withdrawn", "reinstated": "pending"}
    final["finding"] = finding.get(step.event_type, final["finding"])


def _choice(weights: dict[str, int], rng: Random) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]
