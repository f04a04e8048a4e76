"""The rules that follow from a table's contract, as a suite holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from typing import Any

from psycopg import sql

from crw import expectations, seeds
from crw.contracts import Column, Table, table
from crw.settings import CLOCK
from crw.suites import literal

BLANKS = r"U&' \0009\000A\000D\00A0\200B\200C\200D\2060\3000\FEFF'"
"""What staging trims (macro `trimmed`): blank, tab, line ends, the no-break and the ideographic space, what has no width."""

BLANK_WORDS = ("", "na", "n/a", "null", "blank", "0")
"""Nothing, and what people type for it where a code (macro `stated`) or a date belongs."""

AS_WRITTEN = {name: f"{{{name}}}" for name in ("batch", "interval_start", "interval_end")}
"""What stands in a rule for a value of the load, which `suites` writes in."""

Rule = dict[str, Any]

USUAL = {"median": "percentile_cont(0.5) within group (order by rows_read)", "busiest": "max(rows_read)"}
"""What a volume limit may take for a usual night."""


class LimitError(ValueError):
    """A suite changes a limit that its rule does not have, or to what it cannot be. The message names rule and limit."""


def of(contract: Table, limits: dict[str, dict[str, Any]] | None = None) -> list[Rule]:
    """The rules of a table: volume, watermark and key, then those of each column.

    Args:
        contract: the table.
        limits: by name of a rule, what takes the place of its class's own limits.

    Raises:
        ContractError: a column refers to a table or column, or names a list, that is not declared.
        LimitError: a limit is none of the rule's.
    """
    rules = [*_of_the_load(contract, limits or {}), *_of_the_key(contract)]
    for column in contract.columns:
        rules += _of(column, contract)
    return rules


def _query(kind: type, severity: str | None = None, **values: Any) -> Rule:
    """The rule of a class that is a query of its own."""
    values |= AS_WRITTEN
    return _rule(kind, {"unexpected_rows_query": kind.unexpected.format(**values)}, severity or kind.demanded, values)


def _condition(kind: type, column: Column, severity: str | None = None, **values: Any) -> Rule:
    """The rule of a class that is a condition on a column."""
    values |= AS_WRITTEN | _said_of(column)
    about = {"column": column.name, "condition": kind.unexpected.format(**values)}
    return _rule(kind, about, severity or kind.demanded, values)


def _rule(kind: type, kwargs: dict[str, str], severity: str, values: dict[str, Any]) -> Rule:
    meta = {"rule": kind.rule.format(**values), "notes": kind.sentence.format(**values)}
    meta |= {said: True for said in ("unusual", "acceptable") if getattr(kind, said)}
    return {"type": kind.expectation_type, "kwargs": kwargs, "severity": severity, "meta": meta}


def _said_of(column: Column) -> dict[str, Any]:
    """What the classes' names, sentences and conditions may say of a column."""
    quoted, trimmed = _quoted(column.name), _trimmed(column)
    moment = f"raw.typed_date({quoted})" if column.holds == "date" else quoted
    is_moment = column.type == "timestamptz"
    absent = f"{quoted} is null"
    if column.type == "text":
        absent = (
            f"coalesce(lower({trimmed}), '') in ({_literals(BLANK_WORDS)})"
            if column.codes or column.holds == "date"
            else f"coalesce({trimmed}, '') = ''"
        )
    night = (f"{moment} >= {{day_end}} + interval '{column.days_ahead} days'" if is_moment
             else f"{moment} > {{business_date}} + {column.days_ahead}")  # fmt: skip
    return {
        "name": column.name,
        "stem": re.sub("_(code|id|no|text)$", "", column.name),
        "description": column.description,
        "column": quoted,
        "trimmed": trimmed,
        "moment": moment,
        "is_absent": absent,
        "is_after_night": night,
        "codes": column.codes,
        "longest": longest(column),
        "lowest": column.lowest,
        "days_ahead": column.days_ahead,
        "earliest": column.earliest,
        "earliest_literal": column.earliest
        and literal(datetime.combine(column.earliest, time(), CLOCK) if is_moment else column.earliest),
    }


def _of_the_load(contract: Table, limits: dict[str, dict[str, Any]]) -> Iterator[Rule]:
    kinds = (expectations.ExpectVolumeNotExtreme, expectations.ExpectVolumeAsUsual)
    if unlimited := [name for name in limits if limits[name] and name not in [kind.rule for kind in kinds]]:
        raise LimitError(f"{', '.join(unlimited)} has no limits to change")
    for kind in kinds:
        limit = _limits(kind, limits.get(kind.rule, {}))
        yield _query(kind, **limit, history=_history(contract, limit))
    watermark = contract.column(contract.watermark)
    yield _condition(expectations.ExpectWatermarkBeforeIntervalEnd, watermark, _if_the_reader_errs(watermark, contract))
    yield _condition(expectations.ExpectWatermarkNotAhead, watermark)
    yield _condition(expectations.ExpectWatermarkAfterIntervalStart, watermark)


def _limits(kind: type, changed: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(changed, dict):
        raise LimitError(f"{kind.rule}: limits must be given by name")
    for name, value in changed.items():
        if name not in kind.limits:
            raise LimitError(f"{kind.rule} has no limit {name}, but {', '.join(kind.limits)}")
        if name == "usual" and value not in USUAL:
            raise LimitError(f"{kind.rule}: usual is {' or '.join(USUAL)}, not {value}")
        if name != "usual" and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise LimitError(f"{kind.rule}: {name} is a number, not {value!r}")
    return kind.limits | changed


def _history(contract: Table, limit: dict[str, Any]) -> str:
    """A query of the rows and days read, and of what nights bring that brought rows.

    `usual` of the last published ones, which are `nights`; `latest`, the last of them; `refused`, the most that was refused as
    extreme since.
    """
    loads = f"from audit.load where source = '{contract.source}' and table_name = '{contract.name}'"
    return (
        "select rows_read, days, nights, usual, latest, refused from (select rows_read, "
        "greatest(extract(day from interval_end - interval_start)::integer, 1) as days from audit.load where load_id = {load_id}) now, "
        f"(select count(*) as nights, {USUAL[limit['usual']]} as usual, "
        "(array_agg(rows_read order by business_date desc, load_id desc))[1] as latest, max(load_id) as last_load_id "
        f"from (select * {loads} and state = 'published' and rows_read > 0 and business_date < {{business_date}} "
        f"order by business_date desc, load_id desc limit {limit['nights']}) recent) history, "
        f"lateral (select max(rows_read) as refused {loads} and load_id between last_load_id + 1 and {{load_id}} - 1 "
        "and state <> 'rejected' and position('rule volume_extreme failed' in message) > 0) before "
        # Great Expectations wants its batch in every query.
        "cross join (select true from {batch} having true) batch"
    )


def _if_the_reader_errs(column: Column, contract: Table) -> str | None:
    """Critical where our own reader tells the column, as it does all of a survey's; else one bad record stops no source's night."""
    return "critical" if column.provenance or contract.reader == "files" else None


def _of_the_key(contract: Table) -> Iterator[Rule]:
    key = [contract.column(name) for name in contract.key]
    for column in key:
        yield _condition(expectations.ExpectKeyToBePresent, column, _if_the_reader_errs(column, contract))
        if column.type == "text" and not column.provenance:
            yield _condition(expectations.ExpectKeyNotToBeBlank, column)
    latest_first = ", ".join(f"{_quoted(name)} desc nulls last" for name in (contract.watermark, *contract.tie_break))
    yield _query(
        expectations.ExpectKeyToBeUnique,
        key=", ".join(map(_quoted, contract.key)),
        latest_first=latest_first,
        shown=_quoted(next((column.name for column in key if not column.provenance), contract.key[-1])),
    )


def _of(column: Column, contract: Table) -> Iterator[Rule]:
    if column.name not in contract.key:
        if column.required:
            yield _condition(expectations.ExpectRequiredToBePresent, column)
        if column.expected:
            yield _condition(expectations.ExpectExpectedToBePresent, column)
    if column.pseudonym_of:
        yield _condition(expectations.ExpectPseudonym, column)
    if longest(column):
        yield _condition(expectations.ExpectTextNotTooLong, column)
    if column.lowest is not None:
        yield _condition(expectations.ExpectNumberNotBelow, column)
    if column.codes:
        yield _code_rule(column)
    if column.references:
        yield _reference_rule(column)
    yield from _moment_rules(column)


def longest(column: Column) -> int | None:
    """Most characters of a column: what its contract says, else what those say to which it refers, for core has it in indexes too."""
    referred = [table(source, name).column(key).longest for source, name, key in column.references]
    return column.longest or (max(referred) if referred and all(referred) else None)


def _code_rule(column: Column) -> Rule:
    codes = seeds.code_list(column.codes)
    severity = {"refused": "warning", "not_stated": "info"}[codes.unknown]
    known = dict.fromkeys([*BLANK_WORDS, *(code.lower() for code in codes.codes)])
    return _condition(
        expectations.ExpectCodeToBeListed,
        column,
        severity,
        known=_literals(known),
        spelled=_literals(codes.codes),
        listed=", ".join(codes.codes),
        consequence=expectations.ExpectCodeToBeListed.consequence[severity],
    )


def _reference_rule(column: Column) -> Rule:
    values = _said_of(column) | {
        "targets": " or ".join(f"{source}.{name}" for source, name, _ in column.references),
        "consequence": expectations.ExpectReferenceToExist.consequence[column.orphan],
    }
    if any(table(source, name).distribute_by for source, name, _ in column.references):
        known = " union ".join(_known(column, *target) for target in column.references)
        rule = _query(
            expectations.ExpectReferenceToExistAnywhere, column.orphan, **values, known=known.format(**AS_WRITTEN)
        )
    else:
        is_orphan = " and ".join(_is_orphan(*target, column) for target in column.references)
        rule = _query(expectations.ExpectReferenceToExist, column.orphan, **values, is_orphan=is_orphan)
    return _about(column, rule)


def _about(column: Column, rule: Rule) -> Rule:
    """A rule that is a query and yet about one column."""
    return {**rule, "meta": {**rule["meta"], "column": column.name}}


def _referred(source: str, name: str, referred: str) -> tuple[str, list[str]]:
    """The value referred to, and where it may stand: tonight's batch of the table, or its history.

    A key is compared as it is, so that its index is used; another column was typed by hand.
    """
    contract = table(source, name)
    value = _quoted(referred) if referred in contract.key else f"btrim({_quoted(referred)}, {BLANKS})"
    return value, [f"{schema}.{contract.identifier}" for schema in ("landing", "raw")]


def _is_orphan(source: str, name: str, referred: str, column: Column) -> str:
    """A condition: the value stands nowhere. It is renamed, because only the batch's own columns have no other name there."""
    value, relations = _referred(source, name, referred)
    return " and ".join(
        f"not exists (select from (select {value} as referred from {relation}) known where referred = {_trimmed(column)})"
        for relation in relations
    )


def _known(column: Column, source: str, name: str, referred: str) -> str:
    """A query of the values that the batch refers to and that stand somewhere."""
    value, relations = _referred(source, name, referred)
    return " union ".join(
        f"select {value} as referred from {relation} where {value} in (select {_trimmed(column)} from {{batch}})"
        for relation in relations
    )


def _moment_rules(column: Column) -> Iterator[Rule]:
    if column.holds == "date":
        yield _about(column, _query(expectations.ExpectTypedDateToBeReadable, **_said_of(column)))
    if column.earliest:
        yield _condition(expectations.ExpectMomentNotBefore, column)
    if column.days_ahead == 0:
        yield _condition(expectations.ExpectMomentNotInFuture, column)
    elif column.days_ahead is not None:
        yield _condition(expectations.ExpectMomentWithinDays, column)


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


def _trimmed(column: Column) -> str:
    return f"btrim({_quoted(column.name)}, {BLANKS})"


def _literals(values: Iterable[str]) -> str:
    return ", ".join(map(literal, values))
