"""Under which key the warehouse's pseudonyms are: the ledger knows its fingerprint, so that another key is noticed."""

from __future__ import annotations

import hashlib
import hmac

from psycopg import Connection

from crw.sources import pseudonym


class WrongKey(RuntimeError):
    """CRW_PSEUDONYM_KEY is not the key of the warehouse's pseudonyms: each person would become another."""


def fingerprint(key: bytes) -> str:
    """What tells one key from another, and from which none can be had."""
    return hmac.new(key, b"crw.pseudonym_key", hashlib.sha256).hexdigest()


def current(connection: Connection) -> bytes:
    """The key, from the environment; the first that a warehouse is used with is its own.

    Raises:
        PseudonymKeyMissing: there is none.
        WrongKey: it is not that of the pseudonyms which the warehouse holds.
    """
    key = pseudonym.key()
    connection.execute(
        "insert into audit.pseudonym_key (fingerprint) select %s where not exists (select from audit.pseudonym_key) "
        "on conflict do nothing",  # another source of the first night, whose load has not committed yet
        [fingerprint(key)],
    )
    if fingerprint(key) != used(connection):
        raise WrongKey(
            "CRW_PSEUDONYM_KEY is not the key that the warehouse's pseudonyms are made with (audit.pseudonym_key): "
            "every person would be taken for another, so nothing is read"
        )
    return key


def used(connection: Connection) -> str:
    """Fingerprint of the key that the warehouse's pseudonyms are made with."""
    return connection.execute("select fingerprint from audit.pseudonym_key order by used_from desc limit 1").fetchone()[
        0
    ]
