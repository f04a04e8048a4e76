"""A record of the sample CRM: its JSON as the API sends it, and each state that it goes through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from crw.local.sample.clock import END, hong_kong

Version = tuple[str, datetime, str, datetime]
"""Key, updated_at, payload, visible_at."""


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
