"""The file that is imported: opened, told from what is no text at all, and decoded piece by piece."""

from __future__ import annotations

import codecs
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from app.archives import ArchiveError

HEAD = 256 * 1024  # bytes that a format is recognised by
PIECE = 256 * 1024  # bytes decoded at once
LONGEST_RECORD = 16 * 1024 * 1024  # characters of one record; more is no tweet, and would fill the memory

# What becomes of bytes that are no text: the file is refused, each becomes U+FFFD, or is read as what programs for
# Windows wrote before UTF-8 (Excel's plain CSV does still).
ENCODING_ERRORS = ("strict", "replace", "windows-1252")

# Longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(lp0\n", b"(dp0\n")
_BINARY: tuple[tuple[bytes | tuple[bytes, ...], str, str], ...] = (
    (b"PK\x03\x04", "a zip archive", "unpack it and import the file inside (of an X export: data/tweets.js)"),
    (b"PK\x05\x06", "an empty zip archive", "import a file of tweets"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first (gunzip; of a .tar.gz, tar xzf)"),
    (b"BZh", "a bzip2 archive", "unpack it first (bunzip2)"),
    (b"\xfd7zXZ\x00", "an xz archive", "unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first (unzstd)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a rar archive", "unpack it first"),
    (b"SQLite format 3\x00", "an SQLite database", "export the tweets as CSV or JSON"),
    (b"%PDF-", "a PDF", "save its text as a plain text file"),
    (b"PAR1", "a Parquet file", "export it as CSV or JSON lines"),
    (b"\x89PNG", "a picture", "import a file of tweets"),
    (b"\xff\xd8\xff", "a picture", "import a file of tweets"),
    (b"GIF8", "a picture", "import a file of tweets"),
    (_PICKLES, "a pickle of Python", "save the tweets as JSON or CSV"),
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS", "get the file itself (git lfs pull)"),
    (b"\x3a\xa2eroots", "a CAR file (Bluesky's export)", "get the posts as JSON (com.atproto.repo.listRecords)"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save it as CSV (UTF-8)"),
)
EXPECTED = "JSON, JSON lines, tweets.js of an X export, outbox.json of Mastodon's, CSV, RSS, Atom or plain text"


class Source:
    """A file read once, from front to back, as text.

    Attributes:
        name: the file's name without its folder.
        size: bytes of the file.
        bytes_read: bytes handed out so far, as far as whole pieces tell.
        head: the beginning of the text, for recognition; `read` hands it out again.
        whole: whether `head` is all there is.
    """

    def __init__(self, file: BufferedReader, name: str, size: int, errors: str) -> None:
        """`errors` is one of `ENCODING_ERRORS`."""
        self.name = name
        self.size = size
        self.bytes_read = 0
        self._file = file
        start = _fill(file, HEAD)
        self._refuse_binary(start)
        mark, self.encoding = next(((m, e) for m, e in _MARKS if start.startswith(m)), (b"", "utf-8"))
        self._decoder = codecs.getincrementaldecoder(self.encoding)(errors)
        self._fed = len(mark)
        self.mark_width = len(mark)
        self.whole = len(start) < HEAD
        self.head = self._decode(start[len(mark) :], last=self.whole)
        self._head_pending = True
        if self.whole and not self.head.strip("\ufeff \t\r\n\0"):
            raise ArchiveError(f"{name} is empty: expected tweets in {EXPECTED}")
        self._refuse_controls()

    def read(self) -> str:
        """The next piece of text; empty at the end.

        Raises:
            ArchiveError: bytes that are no text in the file's encoding, unless they are to be replaced.
        """
        if self._head_pending:
            self._head_pending = False
            self.bytes_read = self._fed
            if self.head:
                return self.head
        while raw := self._next_piece():
            text = self._decode(raw, last=False)
            self.bytes_read = self._fed
            if text:
                return text
        return self._decode(b"", last=True)

    def lines(self, end: str = "\n") -> Iterator[tuple[str, int]]:
        """The lines with their ends, each with the byte at which it begins.

        Raises:
            ArchiveError: a line is longer than any record may be.
        """
        pending, at = "", self.mark_width
        while piece := self.read():
            lines = (pending + piece).split(end)
            pending = lines.pop()
            for line in lines:
                yield line + end, at
                at += self.width(line) + self.width(end)
            if len(pending) > LONGEST_RECORD:
                raise ArchiveError(
                    f"{self.name} has a line of more than {LONGEST_RECORD >> 20} MiB at byte {at}: "
                    "expected a tweet, a row or a paragraph a line; nothing was imported"
                )
        if pending:
            yield pending, at

    def width(self, text: str) -> int:
        """How many bytes of the file `text` took (as good as exact: replaced bytes count as three)."""
        if self.encoding == "utf-8" and text.isascii():
            return len(text)
        return len(text.encode(self.encoding, "surrogatepass"))

    def _next_piece(self) -> bytes:
        try:
            return self._file.read(PIECE)
        except OSError as error:
            raise ArchiveError(f"cannot read {self.name} beyond byte {self._fed}: {error.strerror}") from None

    def _decode(self, raw: bytes, *, last: bool) -> str:
        held_back = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(raw, last)
        except UnicodeDecodeError as error:
            place = self._fed - held_back + error.start
            found = f"byte 0x{error.object[error.start]:02x}" if error.start < len(error.object) else "the end"
            raise ArchiveError(
                f"{self.name} is not {self.encoding.upper()}: {found} at byte {place} is part of no character; "
                "save it as UTF-8, or say --encoding-errors windows-1252 if Excel or an older program wrote it, "
                "else replace such bytes with --encoding-errors replace"
            ) from None
        self._fed += len(raw)
        return text

    def _refuse_binary(self, start: bytes) -> None:
        for magic, what, remedy in _BINARY:
            if start.startswith(magic):
                raise ArchiveError(f"{self.name} is {what}: expected {EXPECTED}; {remedy}")
        zero = start.find(b"\0")
        marked = any(start.startswith(mark) for mark, encoding in _MARKS if encoding != "utf-8")
        # Text has them where a program left some behind; nobody sees them, and `normalise` drops them.
        zeros = start.count(b"\0")
        few = zeros < 2 or (zeros * 20 <= len(start) and _is_utf8(start))
        if zero >= 0 and not marked and not few:
            raise ArchiveError(
                f"{self.name} is no text: zero byte at byte {zero}; expected {EXPECTED}, "
                "in UTF-8 or in UTF-16 with a byte order mark: save it as UTF-8"
            )

    def _refuse_controls(self) -> None:
        controls = sum(1 for c in self.head[:4096] if c < " " and c not in "\t\n\r\f\x1a\x1e")
        if controls * 20 > len(self.head[:4096]):
            raise ArchiveError(f"{self.name} is no text, but full of control characters: expected {EXPECTED}")


@contextmanager
def open_source(path: Path, errors: str = "strict") -> Iterator[Source]:
    """The file at `path`, open while the block runs.

    Raises:
        ArchiveError: there is no such file, it is a folder, cannot be read, is empty, or is no text.
    """
    if errors not in ENCODING_ERRORS:
        raise ArchiveError(f"cannot treat encoding errors by {errors[:40]!r}: expected {', '.join(ENCODING_ERRORS)}")
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ArchiveError(_folder(path))
        if not stat.S_ISREG(status.st_mode):
            raise ArchiveError(f"{path} is neither a file nor a folder: expected a file in {EXPECTED}")
        if status.st_size == 0:
            raise ArchiveError(f"{path.name} is empty: expected tweets in {EXPECTED}")
        file = path.open("rb")
    except FileNotFoundError:
        raise ArchiveError(f"there is no file {path}: expected a file in {EXPECTED}") from None
    except (OSError, ValueError) as error:
        if isinstance(error, ArchiveError):
            raise
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise ArchiveError(f"cannot read {path}: {words}") from None
    with file:
        yield Source(file, path.name, status.st_size, errors)


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 as what Windows-1252 calls by them; a file may hold both."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("windows-1252", _as_windows_1252)


def _is_utf8(beginning: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning)
    except UnicodeDecodeError:
        return False
    return True


def _folder(path: Path) -> str:
    for inside in ("data/tweets.js", "data/tweet.js", "tweets.js", "tweet.js", "outbox.json"):
        if (path / inside).is_file():
            return f"{path} is a folder, expected a file: import {path / inside}"
    return f"{path} is a folder: expected a file in {EXPECTED}"


def _fill(file: BufferedReader, size: int) -> bytes:
    """`size` bytes, fewer only at the file's end."""
    pieces = []
    while size and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
