"""Transfer codes: short enough to type, too many to guess, known again by a keyed mark."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence

from app.web.identity import Visitor
from app.web.limits import Counters, Limits
from app.web.sealed import derive

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0 and O, no 1 and I
LENGTH = 10  # characters: 50 bits, of which a code is good for ten minutes
PER_PLAYER, PER_NETWORK = "10/hour", "30/hour"  # codes asked for, and codes tried


class TransferCodes:
    """Makes codes, and marks of them by which they are known again; counts who tries."""

    def __init__(self, keys: Sequence[bytes], counters: Counters) -> None:
        """`keys`: the secrets of the house, the newest first."""
        self._key = derive(keys[0], "transfer")
        self._limits = Limits(PER_PLAYER, PER_NETWORK, counters)

    def new_code(self) -> str:
        """A code that nobody can guess."""
        return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))

    def mark(self, code: str) -> bytes:
        """The keyed hash of a code, however it was typed."""
        tidy = "".join(character for character in code.upper() if character.isascii() and character.isalnum())
        tidy = tidy.translate(str.maketrans("", "", "01IO"))
        return hmac.digest(self._key, tidy.encode(), "sha256")

    def count(self, visitor: Visitor, what: str = "transfers") -> None:
        """Count one code (or key) asked for or tried.

        Raises:
            Problem: 429; too many.
        """
        self._limits.check(what, visitor.key.hex() if visitor.has_cookie else None, visitor.network)
