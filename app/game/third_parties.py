"""Third parties: whom a card names besides the account itself.

The rule is simple, and errs on the side of finding somebody: every @handle but the account's own, a title before a
capitalised word ("Mrs. Pell"), and two words or more in a row that are written like a name ("Clive Bose"). A single
first name cannot be told from a place by its form, and is not found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.game import sensitive
from app.wording import mentions


@dataclass(frozen=True)
class ThirdParties:
    """Everybody but one account.

    Attributes:
        handle: the account's own, lower case, without @; None: it has none.
        name: what the account is called.
    """

    handle: str | None = None
    name: str = ""

    @classmethod
    def but(cls, handle: str | None, name: str = "") -> ThirdParties:
        """Everybody but the account of that handle and name."""
        return cls(handle.lower() if handle else None, name)

    def named_in(self, text: str) -> bool:
        """Whether `text` names one of them."""
        if any(handle != self.handle for handle in mentions(text)):
            return True
        return sensitive.shipped().names_in(self._less_own_name(text))

    def _less_own_name(self, text: str) -> str:
        if not self.name or self.name not in text:
            return text
        # A mark in its place: what stood before and behind must not become one row.
        return re.sub(rf"(?<!\w){re.escape(self.name)}(?!\w)", "|", text)
