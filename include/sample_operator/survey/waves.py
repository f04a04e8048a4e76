"""What each wave of the sample survey is: period, file format, headers, codes and the shares it was printed with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

DISTRICTS = (
    "CW",
    "WC",
    "E",
    "S",
    "YTM",
    "SSP",
    "KC",
    "WTS",
    "KT",
    "KTS",
    "TW",
    "TM",
    "YL",
    "N",
    "TP",
    "ST",
    "SK",
    "IS",
)
SEGMENTS = {"1": "individual", "2": "business"}
LANGUAGES = {"1": "en", "2": "tc", "3": "sc"}

TEXTS = {
    "overall": "Overall, how satisfied are you with the services of the post office?",
    "counter": "How satisfied are you with counter services?",
    "delivery": "How satisfied are you with delivery services?",
    "hotline": "How satisfied are you with the general enquiry hotline?",
    "staff_attitude": "How satisfied are you with the attitude of the staff?",
    "online": "How satisfied are you with the website and online services?",
    "recommend": "How likely are you to recommend our courier service to others (0-10)?",
    "used_most": "Which service did you use most in the past twelve months?",
}
USED_MOST = ("1", "2", "3", "4")  # letters, parcels and courier, stamps, agency services

RARELY_APPLICABLE = {"hotline": 0.45, "online": 0.60, "delivery": 0.97, "counter": 0.95, "staff_attitude": 0.92}
"""Share of the respondents to whom a question applies, where it is not everybody."""


@dataclass(frozen=True)
class Wave:
    """One wave as its contractor delivers it."""

    code: str
    file_name: str
    format: str
    period_basis: str
    period: tuple[date, date]
    fieldwork: tuple[date, date]
    respondents: int
    eligible_sample: int
    scale: tuple[str, ...]
    """Codes of a satisfaction rating, most dissatisfied first."""
    not_applicable: str
    blanks: tuple[str, ...]
    """What stands for no answer; an empty cell always may."""
    columns: dict[str, str]
    """Header of each fact and question."""
    printed: dict[str, float]
    """Top-two-box share in per cent, to one decimal; 2009 was not printed in this form and is our own."""
    date_format: str
    encoding: str | None = None
    sheet: str | None = None
    contractor: str = ""
    questions: tuple[str, ...] = field(default=tuple(code for code in TEXTS if code != "recommend"))

    @property
    def is_weighted(self) -> bool:
        """Whether the wave comes with weights."""
        return "weight" in self.columns

    def scaled(self, scale: float) -> Wave:
        """The same wave with a multiple of its sample."""
        return replace(
            self, respondents=round(self.respondents * scale), eligible_sample=round(self.eligible_sample * scale)
        )

    def scale_of(self, question: str) -> str:
        """The kind of scale a question has, in the contract's terms."""
        return {"recommend": "nps", "used_most": "category"}.get(question, "rating")

    def valid_codes(self, question: str) -> tuple[str, ...]:
        """The codes that are an answer, lowest first."""
        kinds = {"nps": tuple(map(str, range(11))), "category": USED_MOST, "rating": self.scale}
        return kinds[self.scale_of(question)]

    def not_applicable_of(self, question: str) -> str | None:
        """The code for not applicable; NPS and category questions have none."""
        return self.not_applicable if self.scale_of(question) == "rating" else None

    def blanks_of(self, question: str) -> tuple[str, ...]:
        """The codes for no answer, without those that mean something on the question's own scale."""
        return tuple(blank for blank in self.blanks if blank and blank not in self.valid_codes(question))


def _headers(names: str) -> dict[str, str]:
    """The header of each fact and question, in the order of the file."""
    return dict(pair.split("=") for pair in names.split("; "))


WAVES = {
    wave.code: wave
    for wave in (
        Wave(
            "2009", "PO_CSS_2009.xlsx", "xlsx", "calendar_year",
            (date(2009, 1, 1), date(2009, 12, 31)), (date(2009, 9, 14), date(2009, 12, 4)),
            respondents=2264, eligible_sample=4118,
            scale=("1", "2", "3", "4", "5"), not_applicable="6", blanks=("",),
            columns=_headers(
                "id=Resp No; date=Interview Date; status=Status; segment=Cust Type; language=Lang; district=District; "
                "overall=Q1 Overall; counter=Q2 Counter; delivery=Q3 Delivery; hotline=Q4 Hotline; "
                "staff_attitude=Q5 Staff; online=Q6 Website; used_most=Q7 Used most; comment=Q8 Comments"
            ),
            printed={"overall": 98.1, "counter": 97.2, "delivery": 98.3, "hotline": 95.1},
            date_format="%Y-%m-%d", sheet="Data", contractor="Kowloon Opinion Research",
        ),
        Wave(
            "2010", "PO_CSS_2010.csv", "csv", "calendar_year",
            (date(2010, 1, 1), date(2010, 12, 31)), (date(2010, 9, 6), date(2010, 12, 10)),
            respondents=2268, eligible_sample=4052,
            scale=("1", "2", "3", "4", "5"), not_applicable="9", blanks=("", "0"),
            columns=_headers(
                "id=RESPNUM; date=INTDATE; status=COMPLETE; segment=TYPE; language=LANG; district=DIST; weight=WT; "
                "overall=Q1; counter=Q2A; delivery=Q2B; hotline=Q2C; staff_attitude=Q2D; online=Q2E; used_most=Q3; "
                "comment=Q4_意見"
            ),
            printed={"overall": 98.6, "counter": 97.9, "delivery": 98.7, "hotline": 95.5},
            date_format="%d/%m/%Y", encoding="big5hkscs", contractor="Kowloon Opinion Research",
        ),
        Wave(
            "2011", "PO_CSS_2011.csv", "csv", "calendar_year",
            (date(2011, 1, 1), date(2011, 12, 31)), (date(2011, 9, 5), date(2011, 12, 9)),
            respondents=2273, eligible_sample=3979,
            scale=("1", "2", "3", "4", "5", "6"), not_applicable="99", blanks=("", "BLANK", "Blank"),
            columns=_headers(
                "id=CaseID; date=IntDate; status=Outcome; segment=Segment; language=IntLang; district=DC18; "
                "comment=Verbatim; used_most=A1; overall=B1; counter=B2; delivery=B3; hotline=B4; staff_attitude=B5; "
                "online=B6; weight=RimWeight"
            ),
            printed={"overall": 99.2, "counter": 97.6, "delivery": 98.7, "hotline": 97.4},
            date_format="%Y/%m/%d", encoding="utf-8", contractor="Island Survey Partners",
        ),
        Wave(
            "2012-13", "PO_CSS_FY2012_13.sav", "sav", "fiscal_year",
            (date(2012, 4, 1), date(2013, 3, 31)), (date(2012, 5, 7), date(2013, 2, 22)),
            respondents=2270, eligible_sample=3914,
            # Reversed: 1 is very satisfied.
            scale=("5", "4", "3", "2", "1"), not_applicable="99", blanks=("", "0"),
            columns=_headers(
                "id=respid; date=intdate; status=status; segment=seg; language=lang; district=dist; overall=q1; "
                "counter=q2_1; delivery=q2_2; hotline=q2_3; staff_attitude=q2_4; online=q2_5; recommend=q3; "
                "used_most=q4; weight=wgt; comment=q5_text"
            ),
            printed={"overall": 98.5, "counter": 96.9, "delivery": 98.5, "hotline": 96.2},
            date_format="%d-%m-%Y", contractor="Island Survey Partners", questions=tuple(TEXTS),
        ),
    )
}  # fmt: skip
