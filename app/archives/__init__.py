"""Archives: from a file of some format to a stream of tweets."""

from __future__ import annotations


class ArchiveError(ValueError):
    """A file cannot be imported; the message is one line: what was found, what was expected, what to do."""

    def __init__(self, words: str) -> None:
        # Words of the file may stand in it, and those hold anything.
        super().__init__("".join(c if c.isprintable() else "?" for c in words))


class ImportStoppedError(ArchiveError):
    """Somebody asked the import to stop; nothing of it is left."""
