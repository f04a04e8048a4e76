"""The sample CRM's database: members and their contact persons, campaigns, accounts.

A record is kept as the JSON that the CRM sends, so that it can be as dirty as a form lets it be. Everything is drawn
from one seed; each part has a generator of its own, so that a change in one leaves the others as they were.
"""

from __future__ import annotations

from datetime import datetime

import psycopg

from sample_operator import clock
from sample_operator.crm import accounts, campaign, membership
from sample_operator.crm.dirt import planted

__all__ = ["TABLES", "build", "planted"]

PARTS = (membership, campaign, accounts)
"""In the order of filling: the later ones read what the first has stored."""
TABLES = tuple(table for part in PARTS for table in part.TABLES)


def build(dsn: str, seed: int = 2013, scale: float = 1.0, until: datetime = clock.OPENING_HKT) -> int:
    """Fill an empty database with the sample, in one transaction, and set its clock.

    Args:
        dsn: the database, empty.
        seed: the same seed and scale give the same content, byte by byte.
        scale: 1 gives the published figures, 0.05 the least that has room for the dirt (whose amount is fixed).
        until: where the clock stands afterwards.

    Returns:
        Number of versions stored.
    """
    with psycopg.connect(dsn) as connection:
        clock.install(connection, TABLES)
        stored = sum(part.fill(connection, seed, scale) for part in PARTS)
        clock.advance_within(connection, until)
    return stored
