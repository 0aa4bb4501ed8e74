"""Checkpoints: written whole or not at all, refused by name when anything is off."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from networks import a_checkpoint

from model import checkpoint as room
from model.checkpoint import (
    Checkpoint,
    CheckpointError,
    checkpoint_digest,
    read_checkpoint,
    read_figures,
    write_checkpoint,
)


def same(a: Checkpoint, b: Checkpoint) -> bool:
    weights = all((a.weights[name] == b.weights[name]).all() for name in a.config.shapes)
    return weights and (a.config, a.vocab, a.meta) == (b.config, b.vocab, b.meta)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "one", a_checkpoint(seed=1))
    return tmp_path / "one"


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_it_comes_back_as_it_was(tmp_path: Path, cell: str) -> None:
    write_checkpoint(tmp_path / "one", a_checkpoint(cell))
    assert same(read_checkpoint(tmp_path / "one"), a_checkpoint(cell))


def test_half_precision_takes_half_the_room(tmp_path: Path) -> None:
    for name, half in (("half", True), ("full", False)):
        write_checkpoint(tmp_path / name, a_checkpoint(units=64), half=half)
    sizes = [(tmp_path / name / "weights.safetensors").stat().st_size for name in ("half", "full")]
    assert sizes[0] < 0.52 * sizes[1]
    read = read_checkpoint(tmp_path / "half").weights["output.kernel"]
    assert read.dtype == np.float32
    assert np.allclose(read, a_checkpoint(units=64).weights["output.kernel"], atol=1e-3)


def test_weights_beyond_half_precision_are_refused_before_anything_is_written(folder: Path) -> None:
    wild = a_checkpoint(seed=2)
    wild.weights["output.bias"][3] = -66_000
    with pytest.raises(CheckpointError, match=r"output\.bias holds numbers that are too large for float16"):
        write_checkpoint(folder, wild, half=True)
    assert same(read_checkpoint(folder), a_checkpoint(seed=1))
    wild.weights["output.bias"][3] = -65_504
    write_checkpoint(folder, wild, half=True)
    assert read_checkpoint(folder).weights["output.bias"][3] == -65_504


def flip_a_bit(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)

    return damage


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def forge(name: str, data: bytes, **meta: Any) -> Callable[[Path], None]:
    """Replace a file and make its hash fit: damage that only its content gives away."""

    def damage(folder: Path) -> None:
        (folder / name).write_bytes(data)
        told = json.loads((folder / "meta.json").read_text())
        told["files"][name] = hashlib.sha256(data).hexdigest()
        (folder / "meta.json").write_text(json.dumps({**told, **meta}))

    return damage


def weights(**change: Any) -> bytes:
    arrays = {**a_checkpoint(seed=1).weights, **change}
    return safetensors.numpy.save({name: array for name, array in arrays.items() if array is not None})


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "weights flipped": (flip_a_bit("weights.safetensors"), "weights.safetensors: damaged"),
    "vocabulary flipped": (flip_a_bit("vocab.json"), "vocab.json: damaged"),
    "weights cut": (cut("weights.safetensors"), "weights.safetensors: damaged"),
    "meta cut": (cut("meta.json"), "meta.json: damaged: not JSON"),
    "meta without end": (lambda folder: (folder / "meta.json").write_bytes(b"[" * 60_000), "meta.json: damaged: not"),
    "half a surrogate pair": (
        lambda folder: (folder / "meta.json").write_bytes(b'{"figures": {"note": "\\ud800"}}'),
        "meta.json: damaged: it holds a null character or half of a surrogate pair",
    ),
    "weights gone": (remove("weights.safetensors"), "weights.safetensors: No such file"),
    "vocabulary gone": (remove("vocab.json"), "vocab.json: No such file"),
    "meta gone": (remove("meta.json"), "meta.json: No such file"),
    "a pickle": (forge("weights.safetensors", b"\x80\x04cos\nsystem\n."), "not a safetensors file"),
    "a foreign network": (forge("weights.safetensors", safetensors.numpy.save({"w": np.zeros(3)})), "is missing"),
    "one weight more": (forge("weights.safetensors", weights(extra=np.zeros(2, "f4"))), "the weight extra is unknown"),
    "another shape": (forge("weights.safetensors", weights(embedding=np.zeros((3, 8), "f4"))), "embedding has shape"),
    "not a number": (
        forge("weights.safetensors", weights(**{"output.bias": np.full(32, np.nan, "f4")})),
        "output.bias holds numbers that are not finite",
    ),
    "whole numbers": (
        forge("weights.safetensors", weights(**{"output.bias": np.zeros(32, "i4")})),
        "output.bias holds int32, expected float16 or float32",
    ),
    "another vocabulary": (forge("vocab.json", b'{"characters": "ab", "accounts": []}'), "has shape"),
    "a later format": (forge("vocab.json", b"{}", format=99), "found format 99"),
    "an unknown cell": (
        forge("vocab.json", b"{}", config={"cell": "mamba", "layers": 1, "units": 1, "embedding": 1}),
        "meta.json: cell",
    ),
    "no config": (forge("vocab.json", b"{}", config=None), "meta.json: config"),
    "no hashes": (forge("vocab.json", b"{}", files=3), "hashes of the other files"),
}


def test_what_is_told_of_it_may_hold_any_character_and_tell_of_null(tmp_path: Path) -> None:
    told = replace(a_checkpoint(), meta={"note": "\U0001f389 \\u0000 \\ud800"})
    write_checkpoint(tmp_path / "one", told)
    assert read_checkpoint(tmp_path / "one").meta == told.meta


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_one_is_refused_by_name(folder: Path, damage: str) -> None:
    do, named = DAMAGE[damage]
    do(folder)
    with pytest.raises(CheckpointError, match=named) as refusal:
        read_checkpoint(folder)
    assert str(folder) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nowhere: no such checkpoint"):
        read_checkpoint(tmp_path / "nowhere")


def test_a_full_disk_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, digest = sorted(folder.parent.iterdir()), checkpoint_digest(folder)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_checkpoint(folder, a_checkpoint(seed=2))
    assert sorted(folder.parent.iterdir()) == before
    assert checkpoint_digest(folder) == digest


def test_a_crash_between_the_renames_loses_nothing(folder: Path) -> None:
    os.rename(folder, room._old(folder))
    assert same(read_checkpoint(folder), a_checkpoint(seed=1))
    assert read_figures(folder) == a_checkpoint(seed=1).meta
    write_checkpoint(folder, a_checkpoint(seed=2))
    assert same(read_checkpoint(folder), a_checkpoint(seed=2))


def test_writing_again_replaces_it_and_leaves_nothing_beside(folder: Path) -> None:
    write_checkpoint(folder, a_checkpoint(seed=2))
    assert same(read_checkpoint(folder), a_checkpoint(seed=2))
    assert list(folder.parent.iterdir()) == [folder]


def test_what_a_killed_writing_left_goes_with_a_later_one(folder: Path) -> None:
    left, fresh, other = (folder.parent / name for name in (f".one.{'a' * 32}", f".one.{'b' * 32}", f".two.{'a' * 32}"))
    for each in (left, fresh, other):
        each.mkdir()
    for each in (left, other):
        os.utime(each, (0, 0))
    write_checkpoint(folder, a_checkpoint(seed=2))
    assert sorted(folder.parent.iterdir()) == sorted([folder, fresh, other])


def test_the_digest_tells_checkpoints_apart(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert checkpoint_digest(tmp_path / "copy") == checkpoint_digest(folder)
    write_checkpoint(tmp_path / "two", a_checkpoint(seed=2))
    assert checkpoint_digest(tmp_path / "two") != checkpoint_digest(folder)
