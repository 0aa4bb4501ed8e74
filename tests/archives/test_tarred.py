"""The tar of an export: the outbox is found behind whatever lies before it, and what is no such tar is refused."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from app.archives import ArchiveError, tarred
from app.archives.opening import open_archive

ME = "https://sea.example/users/mayor"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


def outbox(*texts: str) -> str:
    notes = [{"id": f"{ME}/statuses/{n}", "content": f"<p>{text}</p>", "to": [PUBLIC]} for n, text in enumerate(texts)]
    rows = [{"type": "Create", "actor": ME, "object": note} for note in notes]
    return json.dumps({"@context": "https://www.w3.org/ns/activitystreams", "orderedItems": rows})


def a_tar(folder: Path, files: dict[str, str | bytes], mode: str = "w:gz", form: int = tarfile.USTAR_FORMAT) -> Path:
    path = folder / "export.bin"  # its name tells nothing
    with tarfile.open(path, mode, format=form) as packed:  # type: ignore[call-overload]
        for name, content in files.items():
            held = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(held)
            packed.addfile(member, io.BytesIO(held))
    return path


def read(path: Path, *options: Any) -> list[str | None]:
    with open_archive(path, *options) as opened:
        found = [record.text for record in opened.reading.records]
        done, size = opened.place()
        assert done == size > 0
    return found


@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("folder", ["", "./", "archive-2022/"])
def test_the_outbox_is_read_and_nothing_else(tmp_path: Path, mode: str, form: int, folder: str) -> None:
    # Pictures first, as servers pack them; long names bring notes of their own before them.
    files = {
        f"media_attachments/files/{'1/' * 40}{'a' * 80}.png": b"\x89PNG\0\xff" * 999,
        "deep/er/outbox.json": "somebody else's",
        f"{folder}outbox.json": outbox("One", "Two"),
        f"{folder}likes.json": "not even json",
    }
    assert read(a_tar(tmp_path, files, mode, form)) == ["One", "Two"]


def test_a_link_that_is_called_outbox_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "export.bin"
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as packed:
        link = tarfile.TarInfo("a/outbox.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
        member = tarfile.TarInfo("outbox.json")
        member.size = len(outbox("One"))
        packed.addfile(member, io.BytesIO(outbox("One").encode()))
    assert read(path) == ["One"]


def test_a_folder_that_claims_a_size_is_no_outbox(tmp_path: Path) -> None:
    path = a_tar(tmp_path, {"a/outbox.json": "x" * 9, "outbox.json": outbox("One")}, "w")
    content = bytearray(path.read_bytes())
    content[156:157] = tarfile.DIRTYPE
    content[148:154] = b"%06o" % (sum(content[:148]) + sum(content[156:512]) + 256)
    path.write_bytes(content)
    assert read(path) == ["One"]


@pytest.mark.slow
def test_what_is_longer_than_a_piece_is_read_whole(tmp_path: Path) -> None:
    texts = [f"Number {number} of the harbour's many notices." for number in range(9000)]
    assert read(a_tar(tmp_path, {"outbox.json": outbox(*texts)})) == texts


@pytest.mark.slow
def test_pictures_do_not_fill_the_memory(tmp_path: Path) -> None:
    path = a_tar(tmp_path, {"a.mp4": bytes(40_000_000), "outbox.json": outbox("One")})
    tracemalloc.start()
    assert read(path) == ["One"]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8_000_000


def test_a_tar_without_an_outbox_says_what_it_holds(tmp_path: Path) -> None:
    path = a_tar(tmp_path, {"holiday/1.txt": "x", "holiday/2.txt": "x", "./b.txt": "x"})
    with pytest.raises(ArchiveError, match=r"no outbox\.json in export\.bin: .*; found holiday, b\.txt; unpack it"):
        read(path)


@pytest.mark.slow
def test_a_tar_that_swells_beyond_measure_is_refused(tmp_path: Path) -> None:
    path = a_tar(tmp_path, {"a.mp4": bytes(60 << 20), "outbox.json": outbox("One")})
    assert path.stat().st_size < 1 << 18
    with pytest.raises(ArchiveError, match="unpacks to more than 50 MiB: that is no export"):
        read(path)


def test_a_tar_unpacks_to_no_more_than_any_export_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarred, "SQUEEZED_FROM", 1 << 20)
    monkeypatch.setattr(tarred, "MOST_UNPACKED", 2 << 20)
    noise = random.Random(5).randbytes(1 << 20)  # hardly packed: the file's own size allows for much
    files: dict[str, str | bytes] = {"a.mp4": noise, "b.mp4": bytes(3 << 20), "outbox.json": outbox("One")}
    path = a_tar(tmp_path, files)
    with pytest.raises(ArchiveError, match="unpacks to more than 2 MiB: that is no export"):
        read(path)
    assert read(a_tar(tmp_path, files, "w")) == ["One"]


@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_a_tar_that_was_cut_is_refused_in_one_line(tmp_path: Path, mode: str, share: float) -> None:
    texts = [f"Number {number} of the harbour's many notices." for number in range(2000)]
    content = a_tar(tmp_path, {"outbox.json": outbox(*texts)}, mode).read_bytes().rstrip(b"\0")
    path = tmp_path / "cut.bin"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ArchiveError, match=r"^cut\.bin is a damaged tar .*get it again$") as refused:
        read(path)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("kept", ["half", "all but its checksum"])
def test_a_packed_tar_that_was_cut_behind_its_outbox_is_refused(tmp_path: Path, kept: str) -> None:
    path = a_tar(tmp_path, {"outbox.json": outbox("One"), "a.mp4": random.Random(5).randbytes(1 << 20)})
    assert read(path) == ["One"]
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 if kept == "half" else -8])
    with pytest.raises(ArchiveError, match=r"^export\.bin is a damaged tar .*get it again$"):
        read(path)


@pytest.mark.parametrize("checksum", [b"999999", b"111111"])
def test_a_tar_that_is_damaged_inside_is_refused_in_one_line(tmp_path: Path, checksum: bytes) -> None:
    path = a_tar(tmp_path, {"a.txt": "x", "b.txt": "y" * 20_000, "outbox.json": outbox("One")}, "w")
    content = bytearray(path.read_bytes())
    content[1024 + 148 : 1024 + 154] = checksum  # of the second file
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"damaged tar \(expected the header of a file\)"):
        read(path)


@pytest.mark.parametrize("size", [b"77777777777\0", b"\x80" + b"\xff" * 11, b"-0000000001\0"])
def test_a_file_that_claims_any_size_is_refused(tmp_path: Path, size: bytes) -> None:
    path = a_tar(tmp_path, {"a.txt": "x", "outbox.json": outbox("One")}, "w")
    content = bytearray(path.read_bytes())
    content[1024 + 124 : 1024 + 136] = size
    content[1024 + 148 : 1024 + 156] = b" " * 8
    content[1024 + 148 : 1024 + 156] = b"%06o\0 " % sum(content[1024 : 1024 + 512])
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="damaged tar"):
        read(path)


def test_what_is_packed_and_no_tar_is_named_as_before(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(outbox("One").encode() * 20))
    with pytest.raises(ArchiveError, match=r"is a gzip archive: .*unpack it"):
        read(tmp_path / "a.gz")


def test_a_tar_is_not_read_as_another_format(tmp_path: Path) -> None:
    path = a_tar(tmp_path, {"outbox.json": outbox("One")})
    assert read(path, "json") == ["One"]
    for options in (("csv",), ("auto", "line")):
        with pytest.raises(ArchiveError, match="told by its content: unpack it"):
            read(path, *options)
