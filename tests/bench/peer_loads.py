"""The peers' loads of `case_management.cases`, each as its own documentation would have it; runs in the peers' environment."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

COLUMNS = {
    "service_code": ["counter", "delivery", "hotline", "mail_processing", "online", "philately", "agency", "other"],
    "channel_code": ["phone", "form", "referral", "email", "letter", "in_person", "web"],
    "status": [
        "received",
        "acknowledged",
        "assigned",
        "interim_reply",
        "replied",
        "closed",
        "reopened",
        "withdrawn",
        "merged",
    ],
    "outcome": ["substantiated", "partly", "unsubstantiated", "withdrawn", "pending"],
    "language": ["en", "tc", "sc"],
}
"""Columns of codes: five rules. The other five: the key is there and unique; three columns are never empty."""

REQUIRED = ["received_at", "is_anonymous", "updated_at"]


def main() -> None:
    """Load by the peer that is named, and print the seconds it took."""
    peer, dsn, folder = sys.argv[1], os.environ["DSN"], Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    print(json.dumps({"dlt": dlt_load, "dlt_dbt": dlt_and_dbt, "tutorial": tutorial}[peer](dsn, folder)))


def dlt_load(dsn: str, folder: Path) -> float:
    """dlt from PostgreSQL to PostgreSQL, through Arrow; it checks nothing."""
    import dlt
    from dlt.sources.sql_database import sql_table

    began = time.perf_counter()
    pipeline = dlt.pipeline(
        "bench", pipelines_dir=str(folder), destination=dlt.destinations.postgres(dsn), dataset_name="dlt_raw"
    )
    table = sql_table(
        dsn, table="cases", schema="case_management", backend="connectorx", reflection_level="full_with_precision"
    )
    pipeline.run(table, write_disposition="replace")
    return time.perf_counter() - began


def dlt_and_dbt(dsn: str, folder: Path) -> float:
    """The same, then ten of dbt's generic tests on what was loaded."""
    from dbt.cli.main import dbtRunner

    _dbt_project(dsn, folder / "project")
    taken = dlt_load(dsn, folder / "dlt")
    began = time.perf_counter()
    options = ["--quiet", "--project-dir", str(folder / "project"), "--profiles-dir", str(folder / "project")]
    if not dbtRunner().invoke(["test", *options]).success:
        raise RuntimeError("dbt test failed")
    return taken + time.perf_counter() - began


def _dbt_project(dsn: str, folder: Path) -> None:
    """JSON is YAML."""
    (folder / "models").mkdir(parents=True)
    place = urlsplit(dsn)
    target = {
        "type": "postgres", "host": place.hostname, "port": place.port, "user": place.username, "password": place.password,
        "dbname": place.path[1:], "schema": "dlt_raw", "threads": 4,
    }  # fmt: skip
    tests = {"case_no": ["unique", "not_null"]}
    tests |= {column: ["not_null"] for column in REQUIRED}
    tests |= {column: [{"accepted_values": {"arguments": {"values": codes}}}] for column, codes in COLUMNS.items()}
    columns = [{"name": name, "data_tests": found} for name, found in tests.items()]
    source = {"name": "dlt_raw", "schema": "dlt_raw", "tables": [{"name": "cases", "columns": columns}]}
    for name, content in {
        "dbt_project.yml": {
            "name": "peer",
            "version": "1.0",
            "profile": "peer",
            "flags": {"send_anonymous_usage_stats": False},
        },
        "profiles.yml": {"peer": {"target": "peer", "outputs": {"peer": target}}},
        "models/sources.yml": {"sources": [source]},
    }.items():
        (folder / name).write_text(json.dumps(content))


def tutorial(dsn: str, folder: Path) -> float:
    """pandas reads all, ten rules look at the frame, and to_sql writes it."""
    import pandas
    from sqlalchemy import create_engine

    began = time.perf_counter()
    engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg2://"))
    frame = pandas.read_sql_table("cases", engine, schema="case_management")
    is_bad = frame["case_no"].isna() | frame["case_no"].duplicated(keep=False)
    for column in REQUIRED:
        is_bad |= frame[column].isna()
    for column, codes in COLUMNS.items():
        is_bad |= ~frame[column].isin(codes) & frame[column].notna()
    frame[~is_bad].to_sql("tutorial_cases", engine, if_exists="replace", index=False)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
