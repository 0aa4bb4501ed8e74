"""A checkpoint in one file: what it carries, and what is refused by name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from networks import a_checkpoint, a_vocab

from app.bundle import pack, unpack
from model.checkpoint import CheckpointError, checkpoint_digest, read_checkpoint, write_checkpoint
from model.vocab import MOST_SYMBOLS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "one", a_checkpoint(seed=1))
    return tmp_path / "one"


def test_a_bundle_carries_checkpoint_and_card(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "it.zip", {"name": "v3"})
    assert unpack(tmp_path / "it.zip", tmp_path / "there") == {"name": "v3"}
    kept, there = read_checkpoint(folder), read_checkpoint(tmp_path / "there")
    assert (there.config, there.vocab, there.meta) == (kept.config, kept.vocab, kept.meta)
    assert all((there.weights[name] == kept.weights[name]).all() for name in kept.config.shapes)
    assert checkpoint_digest(tmp_path / "there") == checkpoint_digest(folder)


def test_a_bundle_carries_the_largest_vocabulary(tmp_path: Path) -> None:
    rare = a_vocab("".join(map(chr, range(0x20000, 0x20000 + MOST_SYMBOLS - 3))))  # four bytes each
    write_checkpoint(tmp_path / "one", a_checkpoint(layers=1, units=1, embedding=1, vocab=rare))
    pack(tmp_path / "one", tmp_path / "it.zip", {})
    unpack(tmp_path / "it.zip", tmp_path / "there")
    assert read_checkpoint(tmp_path / "there").vocab == rare


def test_what_could_not_be_unpacked_is_not_packed(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"card\.json: found 300,0\d\d bytes, a bundle holds up to 262,144"):
        pack(folder, tmp_path / "it.zip", {"name": "v" * 300_000})
    assert not (tmp_path / "it.zip").exists()


MANY_LISTS = b"[" + b"[]," * 600_000 + b"[]]"  # packs to some kilobytes


def bundle_with(folder: Path, change: Callable[[dict[str, bytes]], None]) -> bytes:
    pack(folder, folder.parent / "good.zip", {})
    with zipfile.ZipFile(folder.parent / "good.zip") as good:
        contents = {name: good.read(name) for name in good.namelist()}
    change(contents)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as bad:
        for name, data in contents.items():
            bad.writestr(name, data)
    return whole.getvalue()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda files: files.update({"../../escaped": b"x"}), "expected exactly"),
        (lambda files: files.pop("vocab.json"), "expected exactly"),
        (lambda files: files.update({"vocab.json": b"{}"}), r"vocab\.json: damaged"),
        (lambda files: files.update({"bundle.json": b"[]"}), "found list, expected an object"),
        (lambda files: files.update({"bundle.json": b'{"files": {}}'}), "found format None, expected 1"),
        (lambda files: files.update({"bundle.json": b'{"format": 1, "files": 3}'}), "hashes of the other files"),
        (lambda files: files.update({"vocab.json": b" " * (1 << 25)}), "larger than"),
        (lambda files: files.update({"vocab.json": MANY_LISTS}), "larger than"),
        (lambda files: files.update({"meta.json": MANY_LISTS[: 1 << 19]}), "larger than"),
        (lambda files: files.update({"card.json": MANY_LISTS[: 1 << 19]}), "larger than"),
    ],
)
def test_a_bundle_that_is_off_is_refused(folder: Path, change: Callable[..., None], named: str) -> None:
    bad = folder.parent / "bad.zip"
    bad.write_bytes(bundle_with(folder, change))
    with pytest.raises(CheckpointError, match=named):
        unpack(bad, folder.parent / "there")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["bad.zip", "good.zip", "one"]


def test_a_locked_bundle_is_refused(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "it.zip", {})
    with zipfile.ZipFile(tmp_path / "it.zip") as good:
        places = [entry.header_offset for entry in good.infolist()]
    locked = bytearray((tmp_path / "it.zip").read_bytes())
    for place in places:
        locked[place + 6] |= 1  # says that the file behind it is encrypted
    (tmp_path / "it.zip").write_bytes(
        locked.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    )
    with pytest.raises(CheckpointError, match="no bundle"):
        unpack(tmp_path / "it.zip", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_bundle_that_is_packed_in_another_way_and_damaged_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "it.zip", "w") as bad:
        for name in ("bundle.json", "card.json", "meta.json", "vocab.json", "weights.safetensors"):
            bad.writestr(name, b"\x09\x14\x05\x00" + b"\xff" * 60)  # of LZMA: how long its options are, and none such
    said = bytearray((tmp_path / "it.zip").read_bytes())
    for head, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        said[said.find(head) + method] = zipfile.ZIP_LZMA
    (tmp_path / "it.zip").write_bytes(said)
    with pytest.raises(CheckpointError, match="damaged, or no bundle"):
        unpack(tmp_path / "it.zip", tmp_path / "there")


def test_something_else_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"PK no")
    with pytest.raises(CheckpointError, match="no bundle"):
        unpack(tmp_path / "bad.zip", tmp_path / "there")
