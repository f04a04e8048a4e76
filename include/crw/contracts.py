"""What a source table is: its columns, types, key, watermark and personal data, read from dbt's own source YAML.

`dbt_project/models/staging/<source>/_sources.yml` is the only place that says it. Landing and raw tables, the list of
columns that may leave the source, and the type check all come from there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from crw import contract_reconcile
from crw.contract_reconcile import Reconcile
from crw.settings import DBT_PROJECT

ORPHANS = ("warning", "info")
"""What a row whose reference nothing has can be: refused, or told."""

READERS = ("api", "database", "files", "folder")


class ContractError(ValueError):
    """A contract is malformed, or a source does not keep it. The message names file or table, column and reason."""


@dataclass(frozen=True)
class Column:
    """One column of a source table."""

    name: str
    type: str
    required: bool = False
    pseudonym_of: str | None = None
    """Field of the source whose HMAC this column holds; the field itself never leaves."""
    is_name: bool = False
    """Whether that field is a person's name typed by hand: its spelling is evened out before it becomes a pseudonym."""
    header: str | None = None
    """For a drop folder: what the file calls the column, where that is not its name here."""
    provenance: bool = False
    """Whether the column tells of the delivery and not of the record: filled by the reader, and no change if it differs."""
    expected: bool = False
    """Whether its absence, though allowed, is told."""
    codes: str | None = None
    """The list (seed `list`) that its values come from."""
    references: tuple[tuple[str, str, str], ...] = ()
    """Columns (source, table, column) of which one has its value."""
    orphan: str = "info"
    """Severity of a row whose reference none of them has."""
    holds: str | None = None
    """`date` for a text that is a date as somebody typed it (raw.typed_date reads it)."""
    earliest: date | None = None
    """Day before which nothing can be."""
    days_ahead: int | None = None
    """How many days after the business date it may lie; None for no limit."""
    longest: int | None = None
    """Most characters of a text."""
    lowest: int | None = None
    """Least that a number can be."""
    description: str = ""

    @property
    def field(self) -> str:
        """What the source calls it."""
        return self.pseudonym_of or self.header or self.name


@dataclass(frozen=True)
class Layout:
    """How the files of a table are found in a drop folder, and how they are written."""

    files: str
    """Pattern of the files' paths within the folder."""
    encoding: str | None = None
    """CSV: any of Python's codecs; UTF-8 where it is left out, with or without a BOM."""
    delimiter: str = ","
    sheet: str | None = None
    """XLSX: the sheet that holds the table; the first where it is left out."""
    header_row: int = 1
    first_row: int | None = None
    """Row in which the records begin; the one after the header where it is left out."""
    fill_down: tuple[str, ...] = ()
    """XLSX: columns, as the file names them, whose merged cells stand for all rows they span."""


@dataclass(frozen=True)
class Bounds:
    """What a reader may take of one batch before it ends with a message: a source that never ends must not hold a night for ever."""

    requests: int = 100_000
    """For an API: pages."""
    seconds: int = 3600
    """For an API and a database: of one reading."""
    cells: int = 10_000_000
    """For a sheet: rows by columns, as far as either is used. The library that reads it keeps a place for each in memory."""
    unpacked: int = 1 << 30
    """Bytes that a workbook may unpack to."""
    files: int = 10_000
    """For a drop folder: deliveries of one night; the oldest are read, the others come the next night."""
    bytes: int = 4 << 30
    """For a drop folder: of one file, and of what a compressed one unpacks to."""


@dataclass(frozen=True)
class Table:
    """The contract of one source table."""

    source: str
    name: str
    reader: str
    connection: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    watermark: str
    withheld: frozenset[str] = field(default_factory=frozenset)
    """Fields known at the source that must not leave it."""
    relation: str | None = None
    """For a database: the relation to read, as schema.table."""
    clock: str | None = None
    """For a database: the time zone whose clock its timestamps without one show; undeclared, such columns are refused."""
    endpoint: str | None = None
    """For an API: the path that lists the records."""
    layout: Layout | None = None
    """For a drop folder: its files."""
    bounds: Bounds = Bounds()
    reconcile: Reconcile = field(default_factory=Reconcile)
    tie_break: tuple[str, ...] = ()
    """What decides, the highest first, between two rows of one key that have one watermark."""
    distribute_by: str | None = None
    """Column of the key by whose value a distributed warehouse (Citus) spreads the rows; None keeps them on one node."""
    description: str = ""

    @property
    def identifier(self) -> str:
        """Name of the table in the schemas landing and raw: `<source>__<table>`."""
        return f"{self.source}__{self.name}"

    @property
    def column_names(self) -> list[str]:
        """The allow-list, in the order of the contract."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """One column. Raises ContractError when it is not declared."""
        for column in self.columns:
            if column.name == name:
                return column
        raise ContractError(f"the contract of {self.source}.{self.name} has no column {name}")

    def check_fields(self, fields: Collection[str], where: str, header: Sequence[str] = ()) -> None:
        """Compare what a source sends with the contract.

        Args:
            fields: names of the fields present at the source.
            where: what was looked at, for the message (a relation, a file, an endpoint).
            header: of a file, what its header row holds. It may be no header but somebody's record (`as_told`).

        Raises:
            ContractError: a field is in neither `columns` nor `withheld`, or a column of the contract is missing.
        """
        expected = {column.field for column in self.columns if not column.provenance}
        unknown = sorted(set(fields) - expected - self.withheld)
        missing = sorted(expected - set(fields))
        if unknown or missing:
            problems = [f"unknown column {as_told(name, header, expected)}" for name in unknown]
            problems += [f"missing column {name}" for name in missing]
            raise ContractError(
                f"{where}: {', '.join(problems)}; the contract of {self.source}.{self.name} is "
                f"dbt_project/models/staging/{self.source}/_sources.yml"
            )


def as_told(name: str, header: Sequence[str], known: Collection[str]) -> str:
    """An unknown name of a header as a message may tell it: by its place, where no known one stands in what may be a record."""
    if name not in header or any(other in known for other in header):
        return name
    return f"{header.index(name) + 1}, whose name is not shown (no column is known: the first row may be somebody's)"


@cache
def tables() -> dict[tuple[str, str], Table]:
    """Every declared source table, by (source, table). Raises ContractError for a malformed declaration."""
    found = {}
    for path in sorted((DBT_PROJECT / "models" / "staging").glob("*/_sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for declaration in source["tables"]:
                table = _table(source, declaration, path)
                found[table.source, table.name] = table
    return found


def of_persons() -> list[Table]:
    """The tables that have pseudonyms of persons."""
    return [table for table in tables().values() if any(column.pseudonym_of for column in table.columns)]


def table(source: str, name: str) -> Table:
    """The contract of one table. Raises ContractError when it is not declared."""
    try:
        return tables()[source, name]
    except KeyError:
        raise ContractError(f"no contract for {source}.{name}") from None


def sources() -> dict[str, list[Table]]:
    """The declared source systems, each with its tables in the order of declaration."""
    grouped: dict[str, list[Table]] = {}
    for contract in tables().values():
        grouped.setdefault(contract.source, []).append(contract)
    return grouped


def taking_part() -> dict[str, list[Table]]:
    """Those of the declared sources that nights load: all, or where CRW_SOURCES names some, separated by commas, those.

    Raises ContractError when it names one that is not declared.
    """
    declared = sources()
    named = [name.strip() for name in os.environ.get("CRW_SOURCES", "").split(",") if name.strip()]
    if unknown := [name for name in named if name not in declared]:
        raise ContractError(f"CRW_SOURCES: {', '.join(unknown)}: the declared sources are {', '.join(declared)}")
    return {name: tables for name, tables in declared.items() if name in named or not named}


def _table(source: dict, declaration: dict, path: Path) -> Table:
    where = f"{path}: {source['name']}.{declaration['name']}"
    try:
        source_meta = source["config"]["meta"]
        meta = declaration["config"]["meta"]
        columns = tuple(_column(entry, where) for entry in declaration["columns"])
        contract = Table(
            source=source["name"],
            name=declaration["name"],
            reader=source_meta["reader"],
            connection=source_meta["connection"],
            columns=columns,
            key=tuple(meta["key"]),
            watermark=meta["watermark"],
            withheld=frozenset(meta.get("withheld", ())),
            relation=meta.get("relation"),
            clock=meta.get("clock", source_meta.get("clock")),
            endpoint=meta.get("endpoint"),
            layout=_layout(meta["layout"], where) if "layout" in meta else None,
            bounds=_settings(Bounds, meta.get("bounds", {}), where),
            reconcile=_settings(Reconcile, contract_reconcile.settings(source_meta, meta), where),
            tie_break=tuple(meta.get("tie_break", ())),
            distribute_by=meta.get("distribute_by"),
            description=_line(declaration),
        )
    except KeyError as error:
        raise ContractError(f"{where}: {error.args[0]!r} is missing") from None
    if declaration.get("identifier") != contract.identifier:
        raise ContractError(f"{where}: identifier must be {contract.identifier}")
    for name in (*contract.key, contract.watermark, *contract.tie_break):
        if name not in contract.column_names:
            raise ContractError(f"{where}: {name} is a key, a tie-break or the watermark but no column")
    if contract.distribute_by and contract.distribute_by not in contract.key:
        raise ContractError(f"{where}: distribute_by must be a column of the key, not {contract.distribute_by}")
    if contract.reader not in READERS:
        raise ContractError(f"{where}: reader {contract.reader!r} is none of {', '.join(READERS)}")
    for name in sorted(contract.withheld & {column.field for column in contract.columns if not column.pseudonym_of}):
        raise ContractError(f"{where}: {name} is withheld and a column")
    return contract


def _column(entry: dict, where: str) -> Column:
    if "data_type" not in entry:
        raise ContractError(f"{where}: column {entry.get('name')}: data_type is missing")
    meta = dict(entry.get("config", {}).get("meta", {}))
    meta.pop("personal", None)  # for readers of the catalogue
    if unknown := sorted(meta.keys() - {field.name for field in fields(Column)} - {"latest"}):
        raise ContractError(f"{where}: column {entry['name']}: unknown setting {', '.join(unknown)}")
    if "latest" in meta:
        meta["days_ahead"] = _days_ahead(meta.pop("latest"), f"{where}: column {entry['name']}")
    listed = meta.pop("references", [])
    targets = [tuple(target.split(".")) for target in ([listed] if isinstance(listed, str) else listed)]
    if wrong := [".".join(target) for target in targets if len(target) != 3]:
        raise ContractError(
            f"{where}: column {entry['name']}: references {', '.join(wrong)}: not <source>.<table>.<column>"
        )
    if meta.get("orphan", "info") not in ORPHANS:
        raise ContractError(
            f"{where}: column {entry['name']}: orphan must be {' or '.join(ORPHANS)}, not {meta['orphan']}"
        )
    return Column(entry["name"], entry["data_type"], references=tuple(targets), description=_line(entry), **meta)


def _line(entry: dict) -> str:
    return " ".join(entry.get("description", "").split())


def _days_ahead(latest: str, where: str) -> int:
    """Days after the business date, from `business_date` or `business_date + 366`."""
    found = re.fullmatch(r"business_date(?: \+ (\d+))?", str(latest))
    if not found:
        raise ContractError(f"{where}: latest must be business_date or business_date + <days>, not {latest}")
    return int(found[1] or 0)


def _settings(kind: type, entry: dict, where: str) -> Bounds | Reconcile:
    try:
        return kind(**entry)
    except (TypeError, ValueError) as error:
        raise ContractError(f"{where}: {kind.__name__.lower()}: {error}") from None


def _layout(entry: dict, where: str) -> Layout:
    if not isinstance(entry.get("fill_down", []), list):
        raise ContractError(f"{where}: layout: fill_down must be a list")
    try:
        return Layout(**entry | {"fill_down": tuple(entry.get("fill_down", ()))})
    except TypeError as error:
        raise ContractError(f"{where}: layout: {error}") from None
