"""dbt, once a night, in this process: build core and candidate from raw."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import Connection

from crw import as_of, catalogue, contracts, readers, seeds
from crw.settings import CLOCK, DBT_PROJECT

STANDING = (
    *("--exclude-resource-type", "seed"),
    *("--exclude", "path:models/staging/*/*.sql"),
    # Else the tests of what is left out would be left out with it.
    *("--indirect-selection", "empty"),
)
"""What a build need not make again that goes on from one of the same project version: the lists, and the views of the sources."""

UNTOLD = ("--no-write-json",)
"""Where this machine has dbt's manifest of the same project version: it is written twice a build, and would say the same."""

TYPED_DATE = Path(__file__).with_name("typed_date.sql")
"""How a typed date is read: no model's text changes with it, but what models make does."""


class BuildError(RuntimeError):
    """dbt did not build everything. The message names each failed node and why."""


@dataclass(frozen=True)
class BuiltModel:
    """One model that dbt built: `core.fct_feedback_case` and the like, its rows where the database tells, seconds spent."""

    relation: str
    rows: int | None
    seconds: float


def why_not_needed(connection: Connection, business_date: date) -> str | None:
    """Why the marts need not be built for this date; None if they do.

    Either nothing reached raw since they were last published for this or a later date, by this very dbt project, or a
    later date is already wholly in raw, so that its own run builds the same marts with more in them (a backfill builds a
    few times, not 30), or is on its way there where no period is complete as of this one: its suites would hold such marts.
    """
    (published,) = connection.execute("select max(business_date) from audit.publication").fetchone()
    if is_up_to_date(connection, business_date):
        return f"nothing reached raw since the marts were published for {published}"
    sources = contracts.taking_part()
    (later,) = connection.execute(
        "select max(business_date) from (select business_date from audit.load where state = 'published' "
        "and business_date > %s and source = any (%s) group by 1 having count(distinct (source, table_name)) = %s) as d",
        [business_date, list(sources), sum(map(len, sources.values()))],
    ).fetchone()
    if later and not (published and published >= later):
        return f"{later} is wholly in raw too; its run builds the marts"
    (coming,) = connection.execute(
        "select max(business_date) from audit.load where state in ('started', 'landed', 'validated', 'published') "
        "and business_date > %(date)s and exists (select from audit.overtaken where business_date = %(date)s)",
        {"date": business_date},
    ).fetchone()
    if coming and published and published < business_date:
        return f"the sources had moved on when they were read for it, and {coming} is being loaded; its run builds the marts"
    return None


def is_up_to_date(connection: Connection, business_date: date) -> bool:
    """Whether the published marts hold all that raw has for this and earlier dates, made by this very dbt project."""
    (published,) = connection.execute("select max(business_date) from audit.publication").fetchone()
    return (
        published is not None
        and published >= business_date
        and _built_version(connection) == project_version()
        and _is_all_published(connection, published)
    )


def build(connection: Connection, business_date: date) -> list[BuiltModel]:
    """Run `dbt build` (models, seeds and data tests) as of the business date, or of a later one already published.

    It costs what changed since the last build that finished; another version of the dbt project builds everything anew,
    the functions of schema as_of too.

    Raises:
        CompileError: a model does not compile.
        BuildError: a model or a test failed.
        SeedError: a file of the operator's lists is not as its seed must be.
    """
    from dbt.cli.main import dbtRunner

    (published,) = connection.execute("select max(business_date) from audit.publication").fetchone()
    known_on = max(business_date, published or business_date)
    version = project_version()
    os.environ.update(
        CRW_BUSINESS_DATE=known_on.isoformat(),
        CRW_PROJECT_VERSION=version,
        CRW_SEED_PATH=str(seeds.prepare()),
        PGTZ=CLOCK.key,
    )
    is_another = _built_version(connection) != version
    # First, so that a build that is killed here is one that another will take up.
    if is_another:
        as_of.install()
    is_told = not is_another and _is_built_here()
    _version_built_here().unlink(missing_ok=True)
    command = ["--no-use-colors", *(UNTOLD if is_told else ()), "build", "--exclude-resource-type", "unit_test"]
    command += () if is_another else STANDING
    with readers.made_to_give_way(connection):
        result = dbtRunner().invoke(command)
    if result.exception:
        raise BuildError(f"dbt: {result.exception}") from result.exception
    failed = [node for node in result.result if node.status in ("error", "fail", "skipped")]
    if failed:
        raise BuildError("; ".join(f"{node.node.unique_id}: {node.status}: {node.message}" for node in failed))
    _version_built_here().write_text(version, encoding="utf-8")
    return [_built(node) for node in result.result if node.node.resource_type == "model"]


def built_date(connection: Connection) -> date:
    """The business date as of which core and candidate stand: a re-run of an older date builds them as of the newest."""
    return connection.execute("select business_date from core.as_of").fetchone()[0]


def _is_built_here() -> bool:
    """Whether what dbt's target folder holds was made on this machine by this very dbt project."""
    return _version_built_here().exists() and _version_built_here().read_text(encoding="utf-8") == project_version()


def manifest() -> dict[str, Any]:
    """dbt's manifest as the last build left it; where that ran on another machine, of the project as it is parsed here."""
    if _is_built_here():
        return json.loads((Path(os.environ["DBT_TARGET_PATH"]) / "manifest.json").read_text(encoding="utf-8"))
    return catalogue.manifest()


def project_version() -> str:
    """Fingerprint of what the tables of core and candidate are made by: models, macros and settings of dbt, the seeds, how a typed
    date is read, and the clock that a day begins on.

    Raises SeedError.
    """
    files = [DBT_PROJECT / "dbt_project.yml", *sorted((DBT_PROJECT / seeds.prepare()).glob("*.csv")), TYPED_DATE]
    for folder in ("models", "macros"):
        files += sorted(path for path in (DBT_PROJECT / folder).rglob("*") if path.is_file())
    digest = hashlib.sha256(CLOCK.key.encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _version_built_here() -> Path:
    return Path(os.environ["DBT_TARGET_PATH"]) / "project_version"


def _built_version(connection: Connection) -> str | None:
    if connection.execute("select to_regclass('core.build')").fetchone() == (None,):
        return None
    row = connection.execute("select project_version from core.build where is_finished").fetchone()
    return row and row[0]


def _is_all_published(connection: Connection, known_on: date) -> bool:
    """Whether what the last build made was published, and raw has not changed for dates up to `known_on` since it was read.

    Not by the loads' times: one may be published while dbt is building, and rows may be deleted by hand.
    """
    (is_all_published,) = connection.execute(
        "select exists (select from audit.publication where published_at > build.built_at) "
        "and not exists (select from audit.raw_change as change where change.business_date <= %s "
        "and not pg_visible_in_snapshot(change.changed_by, build.known_until::pg_snapshot)) from core.build",
        [known_on],
    ).fetchone()
    return is_all_published


def _built(node) -> BuiltModel:
    rows = node.adapter_response.get("rows_affected")
    return BuiltModel(f"{node.node.schema}.{node.node.name}", rows if rows != -1 else None, node.execution_time)
