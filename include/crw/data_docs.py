"""Data Docs: a static site that shows what every rule said, for the last nights, without a network.

Great Expectations renders the pages from the results that the ledger keeps; its own site builder is not used:
it renders the whole history anew each night, and its pages load styles and scripts from eight hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from pathlib import Path
from typing import Any

from psycopg import Connection

from crw.settings import CLOCK
from crw.suites import SEVERITIES, import_gx

# What GX's pages ask of other hosts: scripts (charts, filters), styles, images. STYLE stands in for it.
REMOTE = re.compile(
    r"<script\b.*?</script>|<style\b.*?</style>|<link\b[^>]*>|<img\b[^>]*\bsrc=\"https?:[^>]*>|<footer\b.*?</footer>",
    re.DOTALL | re.IGNORECASE,
)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 2rem 3rem; color: #1c2733; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 1.5rem } td, th { border: 1px solid #ccd5de; padding: .3rem .6rem;
text-align: left; vertical-align: top; overflow-wrap: anywhere } th { background: #eef2f6 } a { color: #0b5cad }
.failed, .text-danger { color: #a4161a; font-weight: 600 } .passed, .text-success { color: #1d6b34 }
/* Headings of what is not built, and a summary that calls a suite succeeded beside its failed rules: ours says what became of the rows. */
.modal, .navbar, .col-lg-2, .btn, .fa-question-circle, #section-1, .ge-section:last-child { display: none }
th { overflow-wrap: normal }
.fa-check-circle::before { content: "✓" } .fa-times::before { content: "✗" } .fas { font-style: normal }
ol, ul { padding-left: 1.2rem } .badge { border: 1px solid #ccd5de; border-radius: 3px; padding: 0 .3rem }
"""
KEPT_NIGHTS = 10
"""Business dates that the site shows; `retention` keeps the results of as many, however old they are."""

HEAD = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"><title>Data Docs</title><link rel="stylesheet" href="'
)


@dataclass(frozen=True)
class _Validation:
    """One run of a suite, as the ledger has it, without its result."""

    validation_id: int
    suite: str
    business_date: date
    success: bool
    rules: int
    validated_at: datetime
    failed: dict[str, list[int]] | None
    """By severity, how many rules failed, and how many rows they found; none where no rule did."""

    @property
    def page(self) -> str:
        """Path of its page in the site; the time keeps it apart from the same number in an earlier warehouse."""
        name = f"{self.suite.replace('/', '_')}-{self.validation_id}-{self.validated_at:%Y%m%d%H%M%S}.html"
        return f"{self.business_date}/{name}"


def build(connection: Connection, folder: Path, keep_nights: int = KEPT_NIGHTS) -> Path:
    """Bring the site up to date with `audit.validation` and return its index page.

    A page that exists is kept as it is, so that a night costs that night's suites only.

    Args:
        connection: to the warehouse.
        folder: where the site lives; pages of older nights are removed from it.
        keep_nights: how many business dates the site shows.
    """
    found = connection.execute(
        "select validation_id, suite, business_date, success, rules, validated_at, (select jsonb_object_agg(severity, "
        "jsonb_build_array(rules, rows)) from (select rule ->> 'severity' as severity, count(*) as rules, "
        "coalesce(sum((rule ->> 'unexpected')::bigint), 0) as rows from jsonb_array_elements(result -> 'rules') as rule "
        "where not (rule ->> 'success')::boolean group by 1) as failed) from audit.validation "
        "where business_date in (select distinct business_date from audit.validation order by 1 desc limit %s) "
        "order by business_date desc, suite, validation_id desc",
        [keep_nights],
    )
    validations = [_Validation(*row) for row in found]
    pages = {folder / validation.page: validation for validation in validations}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "style.css").write_text(STYLE, encoding="utf-8")
    for path, validation in pages.items():
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(_render(connection, validation), encoding="utf-8")
    index = folder / "index.html"
    index.write_text(_index(validations), encoding="utf-8")
    _remove_all_but(folder, set(pages))
    return index


def _render(connection: Connection, validation: _Validation) -> str:
    # Here: Great Expectations costs 3 s, and a night without new results needs none of it.
    import_gx()
    from great_expectations.core import expectation_validation_result
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    report, rules = connection.execute(
        "select result -> 'gx', result -> 'rules' from audit.validation where validation_id = %s",
        [validation.validation_id],
    ).fetchone()
    if any(rule["error"] for rule in rules):
        return _broken(validation, rules)
    ran_at = validation.validated_at.astimezone(CLOCK)
    report["success"] = validation.success  # GX counts a failed info rule as a failure of the suite
    for result in report["results"]:
        result["result"] = _escaped(result["result"])
        result["exception_info"] = _escaped(result["exception_info"])
    report["meta"]["run_id"] = {"run_name": str(validation.business_date), "run_time": ran_at.isoformat()}
    result = expectation_validation_result.expectationSuiteValidationResultSchema.load(report)
    content = ValidationResultsPageRenderer(run_info_at_end=True).render(result)
    page = REMOTE.sub("", DefaultJinjaPageView().render(content))
    page = re.sub(r'href="(\.\./)*index\.html"', 'href="../index.html"', page)
    page = re.sub(r'<a [^>]*href="[./]*expectations/[^>]*>(.*?)</a>', r"\1", page, flags=re.DOTALL)  # pages not built
    home = f"{_home(validation)}<p>{_outcome(validation)}: {_found(validation)}</p>"
    page = page.replace("</head>", '<link rel="stylesheet" href="../style.css"></head>', 1)
    return re.sub(r"(<body[^>]*>)", rf"\1{home}", page, count=1)


def _broken(validation: _Validation, rules: list[dict[str, Any]]) -> str:
    """The page of a run with a rule that could not be evaluated, which GX's own page cannot show."""
    rows = "".join(
        f"<tr><td>{escape(rule['rule'])}</td><td>{rule['severity']}</td><td>{escape(rule['error'] or '')}</td></tr>\n"
        for rule in rules
    )
    return (
        f'{HEAD}../style.css"></head><body>{_home(validation)}<p>A rule could not be evaluated.</p>'
        f"<table><tr><th>Rule</th><th>Severity</th><th>Error</th></tr>\n{rows}</table></body></html>\n"
    )


def _escaped(value: Any) -> Any:
    """Values of the data with their markup made harmless: GX writes them into its pages as they are."""
    match value:
        case str():
            return escape(value)
        case dict():
            return {name: _escaped(entry) for name, entry in value.items()}
        case list():
            return [_escaped(entry) for entry in value]
    return value


def _index(validations: Iterable[_Validation]) -> str:
    rows = "".join(
        f"<tr><td>{validation.business_date}</td><td>{escape(validation.suite)}</td>"
        f'<td class="{_outcome(validation)}">{_outcome(validation)}</td><td>{validation.rules}</td>'
        f"<td>{_found(validation)}</td><td>{validation.validated_at.astimezone(CLOCK):%Y-%m-%d %H:%M:%S}</td>"
        f'<td><a href="{escape(validation.page)}">rules</a></td></tr>\n'
        for validation in validations
    )
    return (
        f'{HEAD}style.css"></head><body><h1>What the suites said</h1>'
        "<p>One row per run of a suite. A suite passes when no critical rule fails and few enough rows are bad: the bad ones are "
        "refused, the others published. A row that two rules find counts under each. Times are on the operator's clock.</p>"
        '<table><tr><th scope="col">Business date</th><th scope="col">Suite</th><th scope="col">Outcome</th><th scope="col">Rules</th>'
        '<th scope="col">What they found</th><th scope="col">Run</th><th scope="col">Page</th></tr>'
        f"\n{rows}</table></body></html>\n"
    )


def _outcome(validation: _Validation) -> str:
    return "passed" if validation.success else "failed"


def _home(validation: _Validation) -> str:
    title = f"{escape(validation.suite)}, {validation.business_date}"
    return f'<p><a href="../index.html">All nights</a></p><h1>{title}</h1>'


def _found(validation: _Validation) -> str:
    """What became of the rows that failed rules found: "49 rows refused by 8 rules (warning)"."""
    what = {"critical": "found", "warning": "refused", "info": "reported"}
    if not validation.suite.startswith("landing/"):
        what["warning"] = "reported"  # of a mart nothing is refused but the whole
    failed = validation.failed or {}
    said = [
        f"{rows:,} row{'s' if rows != 1 else ''} {what[severity]} by {rules} rule{'s' if rules != 1 else ''} ({severity})"
        for severity in SEVERITIES
        for rules, rows in [failed.get(severity, (0, 0))]
        if rules
    ]
    return "; ".join(said) or "nothing"


def _remove_all_but(folder: Path, pages: set[Path]) -> None:
    for page in folder.glob("*/*.html"):
        if page not in pages:
            page.unlink()
            if not any(page.parent.iterdir()):
                page.parent.rmdir()
