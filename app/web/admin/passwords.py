"""Passwords: hashed with argon2id, one at a time, so that a flood of sign-ins cannot fill the memory."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

SHORTEST = 12  # characters: long beats clever
LONGEST = 256
MEMORY_KIB = 19_456  # with two passes, OWASP's first choice for argon2id
PASSES = 2

_one_at_a_time = threading.Lock()


class WeakPasswordError(ValueError):
    """A password that would not hold; the message says what to do."""


@cache
def _hasher() -> Any:
    # Imported when somebody signs in: the pages of players never need it.
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash((Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1),))


def hashed(password: str) -> str:
    """What is stored of a password.

    Raises:
        WeakPasswordError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPasswordError(
            f"found a password of {len(password)} characters, expected {SHORTEST} to {LONGEST}: take a few words"
        )
    with _one_at_a_time:
        return str(_hasher().hash(password))


@cache
def _nobodys() -> str:
    return hashed("a password that nobody has")


def is_right(password: str, password_hash: str | None) -> bool:
    """Whether this is the password; takes as long where there is nobody (None) to whom it could belong."""
    stored = password_hash or _nobodys()
    with _one_at_a_time:
        matches = bool(_hasher().verify(password[: LONGEST + 1], stored))
    return matches and password_hash is not None
