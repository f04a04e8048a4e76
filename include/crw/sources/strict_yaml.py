"""Reading a mapping of hand-written YAML strictly: each entry is taken once with its type, what is left is unknown."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import yaml

from crw.sources import BLANKS


class Malformed(ValueError):
    """What is wrong, and at which entry; whoever opened the file adds its name."""


class _Loader(yaml.SafeLoader):
    """PyYAML's own takes the last of a key that is there twice, and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = []
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in keys:
                raise Malformed(f"line {key_node.start_mark.line + 1}: {key!r} is there twice")
            keys.append(key)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """The value of a YAML text. Raises Malformed where a mapping has a key twice, yaml.YAMLError where it is no YAML."""
    return yaml.load(text, _Loader)


class Entry:
    """A mapping from which each known key is taken once. Every method raises Malformed naming the entry."""

    def __init__(self, value: Any, where: str):
        if not isinstance(value, dict):
            raise Malformed(f"{where or 'the file'} must be a mapping")
        self.values, self.where = dict(value), where

    def name(self, key: str) -> str:
        """The full name of an entry, for messages."""
        return f"{self.where}.{key}" if self.where else key

    def take(self, key: str, required: bool = False) -> Any:
        """The value as it is; None where absent."""
        if required and self.values.get(key) is None:
            raise Malformed(f"{self.name(key)} is missing")
        return self.values.pop(key, None)

    def entry(self, key: str, required: bool = False) -> Entry | None:
        """A mapping below this one."""
        value = self.take(key, required)
        return None if value is None else Entry(value, self.name(key))

    def text(self, key: str, required: bool = False, among: tuple[str, ...] = ()) -> str | None:
        """Text, one of `among` if given."""
        value = self.take(key, required)
        if value is not None and not isinstance(value, str):
            raise Malformed(f"{self.name(key)} must be text, not {value!r}: put it in quotes")
        if among and value is not None and value not in among:
            raise Malformed(f"{self.name(key)} must be one of {', '.join(among)}, not {value!r}")
        return value

    def number(self, key: str) -> int | None:
        """A whole number from 1 up."""
        value = self.take(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise Malformed(f"{self.name(key)} must be a whole number from 1 up, not {value!r}")
        return value

    def day(self, key: str, required: bool = False) -> date | None:
        """A date."""
        return as_day(self.take(key, required), self.name(key))

    def texts(self, key: str, required: bool = False) -> tuple[str, ...]:
        """One text or a list of texts."""
        value = self.take(key, required)
        listed = [value] if isinstance(value, str) else value or []
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise Malformed(f"{self.name(key)} must be text or a list of texts")
        return tuple(listed)

    def codes(self, key: str, required: bool = False) -> tuple[str, ...]:
        """A list of different codes."""
        value = self.take(key, required) or []
        if not isinstance(value, list):
            raise Malformed(f"{self.name(key)} must be a list of codes")
        codes = tuple(code(item, self.name(key)) for item in value)
        if len(set(codes)) < len(codes):
            raise Malformed(f"{self.name(key)} lists a code twice")
        return codes

    def end(self) -> None:
        """Say that all known entries were taken: what is left is an error."""
        if self.values:
            raise Malformed(f"{self.name(str(next(iter(self.values))))} is not a known entry")


def code(value: Any, where: str) -> str:
    """A code as text, a whole number without its fraction, as the reader has it (its macro `code`). Raises Malformed."""
    # YAML reads a bare `no` as false and `2010-01-01` as a date: neither is a code anyone meant.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Malformed(f"{where}: {value!r} is no code: put it in quotes")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return re.sub(r"^(-?[0-9]+)(\.0+|,0{1,2})$", r"\1", str(value).strip(BLANKS))


def as_day(value: Any, where: str) -> date | None:
    """A date, or None. Raises Malformed for anything else."""
    if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
        raise Malformed(f"{where} must be a date such as 2010-09-07, not {value!r}")
    return value
