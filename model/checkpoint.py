"""Checkpoints: a folder with weights, vocabulary and figures, checked against its hashes whenever it is read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from model.config import Config, ConfigError
from model.vocab import Vocab, VocabError

FORMAT = 1
WEIGHTS, VOCAB, META = "weights.safetensors", "vocab.json", "meta.json"
FILES = (WEIGHTS, VOCAB, META)
BUNDLE, CARD = "bundle.json", "card.json"
LARGEST = {WEIGHTS: 1 << 30, VOCAB: 1 << 24, META: 1 << 24, BUNDLE: 1 << 16, CARD: 1 << 24}  # bytes

Weights = dict[str, NDArray[np.float32]]


class CheckpointError(ValueError):
    """A checkpoint is missing, damaged, foreign or does not match itself; the message is one line naming the file."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained network: what `generate` writes with and `evaluate` measures."""

    config: Config
    vocab: Vocab
    weights: Weights  # name -> array in float32, as in `Config.shapes`
    meta: Mapping[str, Any] = field(default_factory=dict)  # figures of its training, free-form


def read_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint that lies in `folder`, verified.

    Raises:
        CheckpointError: a file is missing, damaged, foreign, or does not match the others.
    """
    folder = Path(folder)
    if not folder.is_dir() and _old(folder).is_dir():
        folder = _old(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such checkpoint folder")
    meta = _object(folder / META)
    if meta.get("format") != FORMAT:
        raise CheckpointError(f"{folder / META}: found format {meta.get('format')!r}, expected {FORMAT}")
    hashes = meta.get("files")
    if not isinstance(hashes, dict):
        raise CheckpointError(f"{folder / META}: the hashes of the other files are missing")
    for name in (WEIGHTS, VOCAB):
        if hashlib.sha256(_bytes(folder / name)).hexdigest() != hashes.get(name):
            raise CheckpointError(f"{folder / name}: damaged: its SHA-256 is not the one in {META}")
    try:
        config = Config.from_json(meta.get("config"))
    except ConfigError as error:
        raise CheckpointError(f"{folder / META}: {error}") from None
    try:
        vocab = Vocab.from_json(_object(folder / VOCAB))
    except VocabError as error:
        raise CheckpointError(f"{folder / VOCAB}: {error}") from None
    return Checkpoint(config, vocab, _weights(folder / WEIGHTS, config, vocab), meta.get("figures", {}))


def read_figures(folder: Path) -> Mapping[str, Any]:
    """What is told of the checkpoint in `folder`, without a look at its weights.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    figures = _object(Path(folder) / META).get("figures", {})
    if not isinstance(figures, dict):
        raise CheckpointError(f"{Path(folder) / META}: figures: found {type(figures).__name__}, expected an object")
    return figures


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write `checkpoint` to `folder`, whole or not at all: beside it first, on disk, then renamed over the old one.

    Args:
        folder: where it goes; a checkpoint that lies there is replaced.
        checkpoint: what is written.
        half: store the weights in float16: half the size, for shipping.

    Raises:
        OSError: the disk is full or the place is not writable; what lay in `folder` is still there.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    kind = np.float16 if half else np.float32
    weights = {name: np.ascontiguousarray(array, kind) for name, array in checkpoint.weights.items()}
    contents = {WEIGHTS: safetensors.numpy.save(weights), VOCAB: _json(checkpoint.vocab.to_json())}
    meta = {
        "format": FORMAT,
        "config": checkpoint.config.to_json(),
        "figures": dict(checkpoint.meta),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
    }
    try:
        beside.mkdir()
        for name, data in {**contents, META: _json(meta)}.items():
            write_through(beside / name, data)
        replace_folder(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def checkpoint_digest(folder: Path) -> str:
    """SHA-256 (hex) over the files of the checkpoint in `folder`: equal exactly where all three files are.

    Raises:
        CheckpointError: a file is missing.
    """
    whole = hashlib.sha256()
    for name in FILES:
        whole.update(f"{name} {hashlib.sha256(_bytes(Path(folder) / name)).hexdigest()}\n".encode())
    return whole.hexdigest()


def write_through(path: Path, data: bytes) -> None:
    """Write `data` to `path` and wait until it is on disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    try:
        write_through(beside, data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def replace_folder(beside: Path, folder: Path) -> None:
    """Put the finished folder `beside` in the place of `folder`.

    A crash between the two renames leaves the old one under the name that `read_checkpoint` falls back to.
    """
    old = _old(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        os.rename(folder, old)
    os.rename(beside, folder)
    parent = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
    shutil.rmtree(old, ignore_errors=True)


def pack(folder: Path, bundle: Path, card: Mapping[str, Any]) -> None:
    """Write the checkpoint in `folder` and what is told about it (`card`, plain values) to one portable file.

    Raises:
        CheckpointError: the checkpoint is damaged.
    """
    read_checkpoint(folder)
    contents = {name: _bytes(Path(folder) / name) for name in FILES} | {CARD: _json(dict(card))}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {BUNDLE: _json({"format": FORMAT, "files": hashes}), **contents}.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    replace_file(Path(bundle), whole.getvalue())


def unpack(bundle: Path, folder: Path) -> dict[str, Any]:
    """Put the checkpoint that `pack` wrote to `bundle` into `folder`, verified; its card.

    Raises:
        CheckpointError: the file is no bundle, is damaged, or holds more than it should.
    """
    bundle, folder = Path(bundle), Path(folder)
    if bundle.exists() and bundle.stat().st_size > sum(LARGEST.values()):
        raise CheckpointError(f"{bundle}: larger than a bundle can be")
    try:
        with zipfile.ZipFile(io.BytesIO(_bytes(bundle))) as archive:
            if sorted(archive.namelist()) != sorted((BUNDLE, CARD, *FILES)):
                raise CheckpointError(f"{bundle}: expected exactly {', '.join((BUNDLE, CARD, *FILES))}")
            if any(entry.file_size > LARGEST[entry.filename] for entry in archive.infolist()):
                raise CheckpointError(f"{bundle}: a file in it is larger than a checkpoint's can be")
            contents = {name: archive.read(name) for name in archive.namelist()}
        hashes = json.loads(contents.pop(BUNDLE))["files"]
        card = json.loads(contents[CARD])
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{bundle}: damaged, or no bundle: {error}") from None
    for name, data in contents.items():
        if hashlib.sha256(data).hexdigest() != hashes.get(name):
            raise CheckpointError(f"{bundle}: damaged: {name} is not what it was")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        beside.mkdir()
        for name in FILES:
            write_through(beside / name, contents[name])
        read_checkpoint(beside)
        replace_folder(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return dict(card)


def _old(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.old"


def _weights(path: Path, config: Config, vocab: Vocab) -> Weights:
    try:
        stored = safetensors.numpy.load(_bytes(path))
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path}: not a safetensors file: {error}") from None
    for name, shape in config.shapes.items():
        expected = tuple(len(vocab) if size is None else size for size in shape)
        if name not in stored:
            raise CheckpointError(f"{path}: the weight {name} is missing")
        if stored[name].shape != expected:
            raise CheckpointError(f"{path}: {name} has shape {stored[name].shape}, expected {expected}")
        if stored[name].dtype not in (np.float16, np.float32):
            raise CheckpointError(f"{path}: {name} holds {stored[name].dtype}, expected float16 or float32")
        if not np.isfinite(stored[name]).all():
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite")
    if strange := set(stored) - set(config.shapes):
        raise CheckpointError(f"{path}: unknown weight {min(strange)!r}")
    return {name: array.astype(np.float32) for name, array in stored.items()}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}") from None


def _object(path: Path) -> dict[str, Any]:
    raw = _bytes(path)
    try:
        data = json.loads(raw)
    except ValueError:
        raise CheckpointError(f"{path}: damaged: not JSON") from None
    if not isinstance(data, dict):
        raise CheckpointError(f"{path}: found {type(data).__name__}, expected an object")
    return data


def _json(data: object) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
