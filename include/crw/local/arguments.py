"""What the commands of `crw` take."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

DEFAULT_DATE = date(2013, 3, 31)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date as 2013-03-31") from None


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(prog="crw", description="The commands behind the Makefile and the compose file.")
    commands = parser.add_subparsers(dest="command", required=True)
    _of_nights(commands)
    _of_decisions(commands)
    _of_persons(commands)
    _of_the_home(commands)
    _of_readers(commands)
    return parser


def _of_nights(commands: argparse._SubParsersAction) -> None:
    nightly = commands.add_parser("nightly", help="run one business date end to end")
    nightly.add_argument("--date", type=_date, default=DEFAULT_DATE)
    backfill = commands.add_parser("backfill", help="run a range of business dates end to end")
    backfill.add_argument("first", type=_date)
    backfill.add_argument("last", type=_date)
    check = commands.add_parser(
        "check", help="say what a night would find in the sources, and write nothing; the exit status is the night's"
    )
    check.add_argument("source", nargs="?", help="one source; without it all that take part in the nights")
    check.add_argument("file", nargs="?", type=Path, help="for survey: one data file, its code book beside it")
    check.add_argument("--date", type=_date, help="business date; without it tonight's")


def _of_decisions(commands: argparse._SubParsersAction) -> None:
    commands.add_parser("held", help="list what is unusual and waits for a person")
    for decision, does in (("approve", "let pass"), ("reject", "refuse, and have read again,")):
        decide = commands.add_parser(decision, help=f"{does} what a rule holds, as a person who looked")
        decide.add_argument("table", help="<source>.<table>, or marts.<mart>")
        decide.add_argument("date", type=_date, help="business date that it was held on")
        decide.add_argument("rule", help="the rule that holds it, as `crw held` names it")
        _of_who_and_why(decide)
    quarantine = commands.add_parser("quarantine", help="list, mend, accept, replay or give up rows that were refused")
    actions = quarantine.add_subparsers(dest="action", required=True)
    shown = actions.add_parser("list", help="how many rows wait; of one table each, by its record's number")
    shown.add_argument("table", nargs="?", help="<source>.<table>")
    shown.add_argument("date", nargs="?", type=_date, help="business date that they were refused on")
    mend = actions.add_parser("mend", help="put other values into one record, for a replay")
    mend.add_argument("record", type=int)
    mend.add_argument("values", nargs="+", type=_pair, metavar="column=value", help="`column=` takes the value away")
    accept = actions.add_parser("accept", help="let records pass what refused them, as they stand, in a replay")
    accept.add_argument("records", nargs="+", type=int, metavar="record")
    replay = actions.add_parser("replay", help="send a table's rows of a date through the gate again")
    expire = actions.add_parser("expire", help="give up a table's rows of all dates before one")
    for action, dated in ((replay, "date"), (expire, "before")):
        action.add_argument("table", help="<source>.<table>")
        action.add_argument(dated, type=_date, help="business date")
    for action in (mend, accept, replay, expire):
        _of_who_and_why(action)


def _pair(text: str) -> tuple[str, str | None]:
    column, sign, value = text.partition("=")
    if not sign:  # the word is not repeated: it may be the second one of a person's name
        raise argparse.ArgumentTypeError("a value is given as column=value, and taken away by `column=`")
    return column, value or None


def _of_who_and_why(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", required=True, help="why; no personal data")
    command.add_argument("--by", required=True, help="who says so")


def _of_persons(commands: argparse._SubParsersAction) -> None:
    subject = commands.add_parser(
        "subject", help="write what is held on a person, whose identifiers are asked for, to FILE.json and FILE.html"
    )
    subject.add_argument("file", type=Path)
    erase = commands.add_parser(
        "erase", help="erase a person, whose identifiers are asked for, everywhere and for good"
    )
    readmit = commands.add_parser(
        "readmit", help="let deliveries bring an erased person again, whose identifiers are asked for"
    )
    for command in (erase, readmit):
        command.add_argument("--reason", required=True, help="why, or the request's number; no identifier")
        command.add_argument("--by", required=True, help="who does it")
    rotate = commands.add_parser("rotate-key", help="make all pseudonyms anew under a new key")
    rotate.add_argument("--by", required=True, help="who does it")


def _of_the_home(commands: argparse._SubParsersAction) -> None:
    for name, what in {
        "backup": "write the warehouse to a file",
        "restore": "make a new home's warehouse from it",
    }.items():
        commands.add_parser(name, help=what).add_argument("file", type=Path)
    commands.add_parser(
        "upgrade", help="bring the home of an older version up to this one, as every start of a night does"
    )
    commands.add_parser("up", help="start everything and keep it running")
    commands.add_parser(
        "install",
        help="create or update the tables and roles of the warehouse that AIRFLOW_CONN_WAREHOUSE names, as its superuser",
    )
    commands.add_parser(
        "sample", help="build the sample source systems in CASE_MANAGEMENT_DSN, CRM_DSN and the drop folders"
    )
    commands.add_parser("down", help="stop what this checkout started")


def _of_readers(commands: argparse._SubParsersAction) -> None:
    commands.add_parser("dbt-docs", help="write dbt's docs as one HTML file")
    commands.add_parser("site", help="build the pages of what is published, as the night does")
    commands.add_parser("export", help="write the published marts as Parquet files").add_argument("folder", type=Path)
    query = commands.add_parser("sql", help="run a query as the analyst and print CSV")
    query.add_argument("query")
    query.add_argument(
        "--role",
        choices=("analyst", "loader"),
        default="analyst",
        help="loader: as the nights load, to look at audit, quarantine, landing and raw too, and to write nothing",
    )
    query.add_argument(
        "--spreadsheet",
        action="store_true",
        help="let no spreadsheet take a text for a formula: put an apostrophe before it",
    )
    metricflow = commands.add_parser(
        "mf", help="ask for metrics as the analyst: mf list metrics, mf query --metrics ..."
    )
    metricflow.add_argument("arguments", nargs=argparse.REMAINDER)
