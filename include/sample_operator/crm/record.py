"""A record of the sample CRM: its JSON as the API sends it, and each state that it goes through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sample_operator.clock import END, SampleTable, hong_kong, recordable

Version = tuple[str, datetime, str, datetime]
"""Key, updated_at, payload, visible_at."""
Wrong = dict[str, list[Any]]
"""Field to the values that are wrong in it, which the planted records take in turn."""


class CrmRecord:
    """One record, amended step by step."""

    def __init__(self, key: str, fields: dict[str, Any]) -> None:
        self._key = fields[key]
        self.fields = fields
        self._updated_at = datetime.min

    def version(self, moment: datetime, **changes: Any) -> Iterator[Version]:
        """The record as amended at the moment; nothing if that is after the sample's end."""
        if moment >= END:
            return
        self._updated_at = max(moment, self._updated_at + timedelta(seconds=1))
        self.fields |= changes
        payload = self.fields | {"updated_at": hong_kong(self._updated_at).isoformat()}
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        yield (self._key, self._updated_at, text, self._updated_at)


def crm_table(name: str) -> SampleTable:
    """A table of the CRM; its key is `<name>_id`, its records are the JSON that the API sends."""
    key = f"{name}_id"
    columns = {key: "text", "updated_at": "timestamptz not null", "payload": "json not null"}
    return SampleTable("crm", name, columns, key, "updated_at")


def between(start: datetime, end: datetime, rng: Random) -> datetime:
    """Some moment of `[start, end)` on which records can be amended."""
    return recordable((start + (end - start) * rng.random()).replace(microsecond=0))


def choice(weights: dict[str, float], rng: Random) -> str:
    """One of the keys, as often as its value says."""
    return rng.choices(list(weights), list(weights.values()))[0]
