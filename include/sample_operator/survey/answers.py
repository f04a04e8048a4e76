"""The respondents of a sample wave and what they answered, calibrated to the shares that were printed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from sample_operator.survey.waves import DISTRICTS, RARELY_APPLICABLE, USED_MOST, Wave

COMPLETE, PARTIAL = "1", "2"
PARTIAL_SHARE = 0.011
"""Interviews broken off before the first rating, on top of the complete ones."""

SATISFIED = {"staff_attitude": 0.962, "online": 0.934}
"""Share of satisfied answers to the ratings that were never printed."""

TOLERANCE = 0.02
"""How near, in points, a printed share is met. It must stay below 0.05 to print the same decimal."""

COMMENTS = (
    "", "", "", "", "", "", "",
    "深水埗郵局嘅職員好有禮貌",
    "石硤尾邨派遞員唔見咗封掛號信, 之後搵返",
    "啓德郵局開放時間太短",
    "成功投訴後好快跟進, 多謝",
    "許多包裹都準時送到",
    "蓋章太慢, 排隊排咗半個鐘",
    "體育路街市旁邊嘅郵筒壞咗",
    'Parcel marked "fragile" was left outside',
    "Very good service, keep it up",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One respondent, every fact a code or text of the wave's own."""

    id: str
    day: date
    status: str
    segment: str
    language: str
    district: str
    weight: str
    answers: dict[str, str]
    comment: str = ""


def interview(wave: Wave, seed: int) -> list[Person]:
    """The respondents of `wave` that are fit for use: the complete interviews, then those broken off."""
    chance = random.Random(f"{seed} {wave.code} respondents")
    partial = round(wave.respondents * PARTIAL_SHARE)
    strata = [_stratum(chance) for _ in range(wave.respondents + partial)]
    weights = _weights(strata[: wave.respondents], chance) if wave.is_weighted else [1.0] * wave.respondents
    weights += [1.0] * partial
    answers = _answers(wave, weights[: wave.respondents], chance) + [unanswered(wave) for _ in range(partial)]
    days = sorted(_day(wave, chance) for _ in strata)
    people = [
        Person(
            id=str(10001 + i),
            day=days[i],
            status=COMPLETE if i < wave.respondents else PARTIAL,
            segment=segment,
            language=language,
            district=district,
            weight=f"{weights[i]:.4f}",
            answers=answers[i],
            comment=chance.choice(COMMENTS),
        )
        for i, (segment, language, district) in enumerate(strata)
    ]
    chance.shuffle(people)
    return people


def unanswered(wave: Wave) -> dict[str, str]:
    """Answers that count nowhere: not applicable where there is such a code, else nothing."""
    return {question: wave.not_applicable_of(question) or "" for question in wave.questions}


def _stratum(chance: random.Random) -> tuple[str, str, str]:
    segment = "2" if chance.random() < 0.18 else "1"
    language = chance.choices("123", (12, 80, 8))[0]
    return segment, language, str(chance.randrange(len(DISTRICTS)) + 1)


def _day(wave: Wave, chance: random.Random) -> date:
    start, end = wave.fieldwork
    return start + timedelta(days=chance.randrange((end - start).days + 1))


def _weights(strata: list[tuple[str, str, str]], chance: random.Random) -> list[float]:
    """Rim weights: a factor a margin (segment, language, district), their product scaled to a mean of 1."""
    segment = {"1": 0.94, "2": 1.28}
    language = {"1": 1.22, "2": 0.97, "3": 0.85}
    district = {str(i + 1): chance.uniform(0.72, 1.35) for i in range(len(DISTRICTS))}
    products = [segment[s] * language[la] * district[d] for s, la, d in strata]
    mean = sum(products) / len(products)
    return [round(product / mean, 4) for product in products]


def _answers(wave: Wave, weights: list[float], chance: random.Random) -> list[dict[str, str]]:
    by_question = {question: _answers_to(wave, question, weights, chance) for question in wave.questions}
    return [{question: by_question[question][i] for question in wave.questions} for i in range(len(weights))]


def _answers_to(wave: Wave, question: str, weights: list[float], chance: random.Random) -> list[str]:
    kind = wave.scale_of(question)
    if kind == "category":
        return [_or_blank(wave, question, chance.choices(USED_MOST, (48, 33, 6, 13))[0], chance) for _ in weights]
    if kind == "nps":
        codes = wave.valid_codes(question)
        shares = (1, 0, 1, 1, 2, 5, 6, 18, 25, 24, 17)
        return [_or_blank(wave, question, chance.choices(codes, shares)[0], chance) for _ in weights]
    share = wave.printed[question] / 100 if question in wave.printed else SATISFIED[question]
    applies = [chance.random() < RARELY_APPLICABLE.get(question, 1.0) for _ in weights]
    # None: no valid answer; so the calibration sees whom the share is about.
    satisfied = [
        (chance.random() < share) if applied and chance.random() > 0.004 else None for applied in applies
    ]  # fmt: skip
    if question in wave.printed:
        _calibrate(satisfied, weights, share)
    return [
        _rating(wave, yes, chance) if yes is not None else _no_answer(wave, question, applied, chance)
        for yes, applied in zip(satisfied, applies, strict=True)
    ]


def _or_blank(wave: Wave, question: str, answer: str, chance: random.Random) -> str:
    return answer if chance.random() > 0.01 else _no_answer(wave, question, True, chance)


def _no_answer(wave: Wave, question: str, applied: bool, chance: random.Random) -> str:
    if not applied:
        return wave.not_applicable
    return chance.choice(("", *wave.blanks_of(question)))


def _rating(wave: Wave, is_satisfied: bool, chance: random.Random) -> str:
    low, top = wave.scale[:-2], wave.scale[-2:]
    if is_satisfied:
        return chance.choices(top, (58, 42))[0]
    return chance.choices(low, [4**i for i in range(len(low))])[0]


def _calibrate(satisfied: list[bool | None], weights: list[float], share: float) -> None:
    """Change as few answers as it takes for the weighted share of satisfied ones to be `share`, as near as can be."""
    valid = [i for i, answer in enumerate(satisfied) if answer is not None]
    total = sum(weights[i] for i in valid)
    while True:
        gap = share * total - sum(weights[i] for i in valid if satisfied[i])
        if abs(gap) <= TOLERANCE / 100 * total:
            return
        left, changed = min(_turn(satisfied, weights, valid, gap), _exchange(satisfied, weights, valid, gap))
        if left >= abs(gap):
            return
        for i in changed:
            satisfied[i] = not satisfied[i]


def _turn(satisfied: list[bool | None], weights: list[float], valid: list[int], gap: float) -> tuple[float, list[int]]:
    """The one answer to turn that leaves the smallest gap, and that gap."""
    turned = ((abs(abs(gap) - weights[i]), [i]) for i in valid if satisfied[i] != (gap > 0))
    return min(turned, default=(abs(gap), []))


def _exchange(
    satisfied: list[bool | None], weights: list[float], valid: list[int], gap: float
) -> tuple[float, list[int]]:
    """The two answers to exchange, once no single one closes the gap, and the gap that this leaves."""
    if abs(gap) > max(weights):
        return abs(gap), []
    yes = [i for i in valid if satisfied[i]]
    no = [i for i in valid if not satisfied[i]]
    exchanged = ((abs(gap - (weights[n] - weights[y])), [y, n]) for y in yes for n in no)
    return min(exchanged, default=(abs(gap), []))
