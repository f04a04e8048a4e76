"""One data subject: identifiers as an operator typed them, the pseudonyms made of them, and how either is found in a text.

An identifier lives in the memory of one command. It is read from a prompt or from standard input, never from the command line,
and nothing writes it down.
"""

from __future__ import annotations

import getpass
import re
import secrets
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from crw.sources import BLANKS
from crw.sources.pseudonym import of_name, pseudonym


class SubjectError(ValueError):
    """Nobody was named, or by what is no identifier. The message does not repeat it."""


@dataclass(frozen=True)
class Subject:
    """One person, by all that the person is known by."""

    pseudonyms: frozenset[str]
    """Each identifier's, as an e-mail address and as a name: a source says which of the two it holds."""
    addresses: tuple[str, ...]
    """E-mail addresses, which must stand nowhere. A name is not looked for as it is written: it may be another's, or a company's."""
    replacements: dict[str, str] = field(repr=False)
    """For each pattern by which the subject is found what takes its place: made at random, so that there is no way back."""

    @property
    def likes(self) -> list[str]:
        """Patterns of LIKE, in small letters, of which one fits whatever the regular expression does: they take a tenth of its time."""
        words = [*self.pseudonyms, *(address.encode().lower().decode() for address in self.addresses)]
        return ["%" + re.sub(r"([%_\\])", r"\\\1", word) + "%" for word in words]

    @property
    def pattern(self) -> str:
        """A regular expression, of Python's and of PostgreSQL's, that finds the subject whatever the case."""
        return "|".join(self.replacements)


def of(identifiers: Iterable[str], key: bytes) -> Subject:
    """The person that these identifiers are of.

    Args:
        identifiers: e-mail addresses, and names as a liaison group's roll has them.
        key: of the pseudonyms.

    Raises:
        SubjectError: there is none, or one that pseudonyms are not made of.
    """
    given = [identifier.strip(BLANKS) for identifier in identifiers if identifier.strip(BLANKS)]
    if not given:
        raise SubjectError("no identifier was given: type an e-mail address or a name, one a line")
    made = {identifier: {pseudonym(identifier, key), of_name(identifier, key)} - {None} for identifier in given}
    if any(len(each) < 2 for each in made.values()):
        raise SubjectError("an identifier has neither letter nor digit")
    pseudonyms = frozenset().union(*made.values())
    addresses = tuple(identifier for identifier in given if "@" in identifier)
    replacements = {each: secrets.token_hex(32) for each in sorted(pseudonyms)}
    for address in addresses:
        replacements[rf"(?<![\w.%+-]){re.escape(address)}(?![\w-])"] = f"erased-{secrets.token_hex(8)}"
    return Subject(pseudonyms, addresses, replacements)


def asked() -> list[str]:
    """Identifiers from a prompt that does not show them, or from the lines of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.read().splitlines()
    return list(iter(lambda: getpass.getpass("e-mail address or name (empty to end): "), ""))
