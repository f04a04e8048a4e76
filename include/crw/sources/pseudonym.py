"""Keyed pseudonyms: what stands in the warehouse instead of a person (HMAC-SHA-256, RFC 2104).

The key stays outside every database that keeps data: it is read from the environment, and a relational source gets only
the two padded keys, in a setting of the reading transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import unicodedata

from psycopg import Connection, sql

from crw.sources import BLANKS

BLOCK = 64  # bytes, the block size of SHA-256
_BLANK = "|".join(blank.encode().hex() for blank in BLANKS)


class PseudonymKeyMissing(RuntimeError):
    """CRW_PSEUDONYM_KEY is not set."""


def key() -> bytes:
    """The secret of all pseudonyms, from CRW_PSEUDONYM_KEY. Raises PseudonymKeyMissing."""
    value = os.environ.get("CRW_PSEUDONYM_KEY", "")
    if not value:
        raise PseudonymKeyMissing(
            "CRW_PSEUDONYM_KEY is not set: persons cannot be made pseudonymous, so nothing is read"
        )
    return value.encode()


def pseudonym(value: str | None, secret: bytes) -> str | None:
    """Pseudonym of an e-mail address or the like, as 64 hexadecimal digits; None for a blank one.

    Neither case nor blanks around it (BLANKS) make another person. Of letters only the 26 have a case here: what else has one,
    and which letter is its like, is another matter in each database's locale.
    """
    normalised = (value or "").strip(BLANKS).encode().lower()
    return hmac.new(secret, normalised, hashlib.sha256).hexdigest() if normalised else None


def of_name(value: str | None, secret: bytes) -> str | None:
    """Pseudonym of a person's name as typed by hand, or None for a blank one.

    Neither case, width and punctuation nor the order of its words make another person: "CHAN, Tai-man" is "Tai Man Chan".
    """
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", value or "").lower())
    return pseudonym(" ".join(sorted(words)), secret)


def prepare(connection: Connection, secret: bytes, name: str = "crw") -> None:
    """Give the current transaction of a PostgreSQL source what `expression` needs, under a name that tells one key from another."""
    block = (hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret).ljust(BLOCK, b"\0")
    for part, pad in (("inner_key", 0x36), ("outer_key", 0x5C)):
        padded = bytes(byte ^ pad for byte in block).hex()
        connection.execute("select set_config(%s, %s, true)", [f"{name}.{part}", padded])


def expression(column: str, name: str = "crw") -> sql.Composed:
    """SQL that computes the same pseudonym inside a PostgreSQL source of whatever encoding, so that the value never leaves it."""
    # Blanks are trimmed as UTF-8 in hexadecimal: LATIN1 has not all of them, and SQL_ASCII would take them for single bytes.
    # Hardly a value has any, so the first and the last character are looked at before. The keys are decoded in subqueries: once a
    # statement instead of once a row.
    return sql.SQL(
        "encode(sha256((select decode(current_setting({outer}), 'hex')) || sha256("
        "(select decode(current_setting({inner}), 'hex')) || nullif("
        "case when ascii({text}) between 33 and 126 and ascii(right({text}, 1)) between 33 and 126 then {bytes} "
        "else decode(regexp_replace(encode({bytes}, 'hex'), {ends}, '', 'g'), 'hex') end, ''))), 'hex')"
    ).format(
        text=sql.SQL("{}::text").format(sql.Identifier(column)),
        bytes=sql.SQL("convert_to(lower({}::text collate \"C\"), 'UTF8')").format(sql.Identifier(column)),
        ends=sql.Literal(f"^({_BLANK})+|({_BLANK})+$"),
        outer=sql.Literal(f"{name}.outer_key"),
        inner=sql.Literal(f"{name}.inner_key"),
    )
