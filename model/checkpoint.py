"""Checkpoints: a folder with weights, vocabulary and figures, checked against its hashes whenever it is read."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import time
import uuid
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
UNSTORABLE = re.compile(r"\\u0000|[\ud800-\udfff]")  # in JSON: what PostgreSQL stores and then chokes on
LEFT_SECONDS = 3600.0  # after which whoever began to write a folder was killed

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
    return checkpoint_of(read_files(folder), folder)


def read_figures(folder: Path) -> Mapping[str, Any]:
    """What is told of the checkpoint in `folder`, without a look at its weights.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    file = _standing(folder) / META
    return _figures(json_object(_bytes(file), file), file)


def checkpoint_digest(folder: Path) -> str:
    """SHA-256 (hex) over the files of the checkpoint in `folder`: equal exactly where all three files are.

    Raises:
        CheckpointError: a file is missing.
    """
    lines = (f"{name} {digest}\n" for name, digest in _hashes(read_files(folder)).items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write `checkpoint` to `folder`, whole or not at all.

    Args:
        folder: where it goes; a checkpoint that lies there is replaced.
        checkpoint: what is written.
        half: store the weights in float16: half the size, for shipping.

    Raises:
        CheckpointError: a weight is too large for float16.
        OSError: the disk is full or the place is not writable; what lay in `folder` is still there.
    """
    kind = np.float16 if half else np.float32
    for name, array in checkpoint.weights.items():
        if half and np.abs(array).max() > np.finfo(kind).max:
            raise CheckpointError(f"{folder}: {name} holds numbers that are too large for float16")
    weights = {name: np.ascontiguousarray(array, kind) for name, array in checkpoint.weights.items()}
    contents = {WEIGHTS: safetensors.numpy.save(weights), VOCAB: json_bytes(checkpoint.vocab.to_json())}
    meta = manifest(contents, config=checkpoint.config.to_json(), figures=dict(checkpoint.meta))
    write_folder(folder, {**contents, META: meta})


def has_checkpoint(folder: Path) -> bool:
    """Whether `read_files` would find one, also where a crash left it under its other name."""
    return folder.is_dir() or _old(folder).is_dir()


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of the checkpoint in `folder`, as they lie there.

    Raises:
        CheckpointError: one is missing.
    """
    found = _standing(folder)
    return {name: _bytes(found / name) for name in FILES}


def checkpoint_of(contents: Mapping[str, bytes], where: Path) -> Checkpoint:
    """The checkpoint that these files hold, verified.

    Raises:
        CheckpointError: one is damaged, foreign, or does not match the others; it is named as if it lay in `where`.
    """
    meta = vouched(contents, META, where)
    try:
        config = Config.from_json(meta.get("config"))
        vocab = Vocab.from_json(json_object(contents[VOCAB], where / VOCAB))
    except (ConfigError, VocabError) as error:
        name = META if isinstance(error, ConfigError) else VOCAB
        raise CheckpointError(f"{where / name}: {error}") from None
    weights = _weights(contents[WEIGHTS], where / WEIGHTS, config, vocab)
    return Checkpoint(config, vocab, weights, _figures(meta, where / META))


def _weights(data: bytes, where: Path, config: Config, vocab: Vocab) -> Weights:
    try:
        stored = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{where}: not a safetensors file: {error}") from None
    shapes = {name: tuple(size or len(vocab) for size in shape) for name, shape in config.shapes.items()}
    if odd := shapes.keys() ^ stored.keys():
        raise CheckpointError(f"{where}: the weight {min(odd)} is {'missing' if min(odd) in shapes else 'unknown'}")
    for name, array in stored.items():
        if array.shape != shapes[name]:
            raise CheckpointError(f"{where}: {name} has shape {array.shape}, expected {shapes[name]}")
        if array.dtype not in (np.float16, np.float32):
            raise CheckpointError(f"{where}: {name} holds {array.dtype}, expected float16 or float32")
        if not np.isfinite(array).all():
            raise CheckpointError(f"{where}: {name} holds numbers that are not finite")
    return {name: array.astype(np.float32) for name, array in stored.items()}


def _figures(meta: Mapping[str, Any], where: Path) -> dict[str, Any]:
    figures = meta.get("figures", {})
    if not isinstance(figures, dict):
        raise CheckpointError(f"{where}: figures: found {type(figures).__name__}, expected an object")
    return figures


def manifest(contents: Mapping[str, bytes], **told: Any) -> bytes:
    """A file to lie beside others: JSON with their SHA-256, and what is told of them."""
    return json_bytes({"format": FORMAT, "files": _hashes(contents), **told})


def vouched(contents: Mapping[str, bytes], name: str, where: Path) -> dict[str, Any]:
    """What the manifest `name` among these files says, once all others are found to be those that it was made for.

    Raises:
        CheckpointError: one is not, or the manifest is damaged or of another format.
    """
    told = json_object(contents[name], where / name)
    if told.get("format") != FORMAT:
        raise CheckpointError(f"{where / name}: found format {told.get('format')!r}, expected {FORMAT}")
    if not isinstance(told.get("files"), dict):
        raise CheckpointError(f"{where / name}: the hashes of the other files are missing")
    for other, digest in _hashes(contents).items():
        if other != name and digest != told["files"].get(other):
            raise CheckpointError(f"{where / other}: damaged: its SHA-256 is not the one in {name}")
    return told


def _hashes(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def json_object(raw: bytes, where: Path) -> dict[str, Any]:
    """The JSON object in the file `where`.

    Raises:
        CheckpointError: it is something else.
    """
    try:
        data = json.loads(raw)
        written = json.dumps(data, ensure_ascii=False).replace(r"\\", "")
    except (ValueError, RecursionError):
        raise CheckpointError(f"{where}: damaged: not JSON") from None
    if UNSTORABLE.search(written):
        raise CheckpointError(f"{where}: damaged: it holds a null character or half of a surrogate pair")
    if not isinstance(data, dict):
        raise CheckpointError(f"{where}: found {type(data).__name__}, expected an object")
    return data


def json_bytes(data: object) -> bytes:
    """The same values as the same bytes, to be hashed."""
    return (json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    try:
        _write_through(beside, data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Put files into `folder`, whole or not at all: beside it first, on disk, then renamed over the old one.

    A crash between the two renames leaves the old one under the name that `read_files` falls back to.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside, old = folder.parent / f".{folder.name}.{uuid.uuid4().hex}", _old(folder)
    with contextlib.suppress(OSError):  # another one may be sweeping, too
        for left in folder.parent.glob(f".{glob.escape(folder.name)}.{'[0-9a-f]' * 32}"):
            if left.stat().st_mtime < time.time() - LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    try:
        beside.mkdir()
        for name, data in contents.items():
            _write_through(beside / name, data)
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
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_through(path: Path, data: bytes) -> None:
    """Write `data` to `path` and wait until it is on disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _old(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.old"


def _standing(folder: Path) -> Path:
    """The folder, or the one that a crash between two renames left."""
    for found in (folder, _old(folder)):
        if found.is_dir():
            return found
    raise CheckpointError(f"{folder}: no such checkpoint folder")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}") from None
