"""Checkpoints: a folder with weights, vocabulary and figures, checked against its hashes whenever it is read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import struct
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from lzma import LZMAError
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
MOST_SQUEEZED = 20  # times smaller than unpacked, beyond the first MiB; weights come to less than 2

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
    if not folder.is_dir() and _old(folder).is_dir():
        folder = _old(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such checkpoint folder")
    return _checkpoint({name: _bytes(folder / name) for name in FILES}, folder)


def read_figures(folder: Path) -> Mapping[str, Any]:
    """What is told of the checkpoint in `folder`, without a look at its weights.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    return _figures(_object(_bytes(folder / META), folder / META), folder / META)


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write `checkpoint` to `folder`, whole or not at all.

    Args:
        folder: where it goes; a checkpoint that lies there is replaced.
        checkpoint: what is written.
        half: store the weights in float16: half the size, for shipping.

    Raises:
        OSError: the disk is full or the place is not writable; what lay in `folder` is still there.
    """
    kind = np.float16 if half else np.float32
    weights = {name: np.ascontiguousarray(array, kind) for name, array in checkpoint.weights.items()}
    contents = {WEIGHTS: safetensors.numpy.save(weights), VOCAB: _json(checkpoint.vocab.to_json())}
    meta = {
        "format": FORMAT,
        "config": checkpoint.config.to_json(),
        "figures": dict(checkpoint.meta),
        "files": _hashes(contents),
    }
    _write_folder(folder, {**contents, META: _json(meta)})


def checkpoint_digest(folder: Path) -> str:
    """SHA-256 (hex) over the files of the checkpoint in `folder`: equal exactly where all three files are.

    Raises:
        CheckpointError: a file is missing.
    """
    hashes = _hashes({name: _bytes(folder / name) for name in FILES})
    return hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in hashes.items()).encode()).hexdigest()


def _write_through(path: Path, data: bytes) -> None:
    """Write `data` to `path` and wait until it is on disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    beside = path.with_name(f".{path.name}.new")
    try:
        _write_through(beside, data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Put files into `folder`, whole or not at all: beside it first, on disk, then renamed over the old one.

    A crash between the two renames leaves the old one under the name that `read_checkpoint` falls back to.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside, old = folder.parent / f".{folder.name}.{uuid.uuid4().hex}", _old(folder)
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


def _old(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.old"


def pack(folder: Path, bundle: Path, card: Mapping[str, Any]) -> None:
    """Write the checkpoint in `folder` and what is told about it (`card`, plain values) to one portable file.

    Raises:
        CheckpointError: the checkpoint is damaged.
    """
    contents = {name: _bytes(folder / name) for name in FILES}
    _checkpoint(contents, folder)
    contents[CARD] = _json(dict(card))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {BUNDLE: _json({"format": FORMAT, "files": _hashes(contents)}), **contents}.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    replace_file(bundle, whole.getvalue())


def unpack(bundle: Path, folder: Path) -> dict[str, Any]:
    """Put the checkpoint that `pack` wrote to `bundle` into `folder`, verified; its card.

    Raises:
        CheckpointError: the file is no bundle, is damaged, or holds more than it should.
        OSError: it cannot be read, or the folder not written.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            if sorted(archive.namelist()) != sorted((BUNDLE, CARD, *FILES)):
                raise CheckpointError(f"{bundle}: expected exactly {', '.join((BUNDLE, CARD, *FILES))}")
            if any(entry.file_size > LARGEST[entry.filename] for entry in archive.infolist()):
                raise CheckpointError(f"{bundle}: a file in it is larger than a checkpoint's can be")
            if any(each.file_size > MOST_SQUEEZED * max(each.compress_size, 1 << 20) for each in archive.infolist()):
                raise CheckpointError(f"{bundle}: a file in it unpacks to more than {MOST_SQUEEZED} times its size")
            contents = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, RuntimeError, UnicodeError, struct.error) as error:
        raise CheckpointError(f"{bundle}: damaged, or no bundle: {error}") from None
    _verify(contents, _object(contents.pop(BUNDLE), bundle / BUNDLE).get("files"), bundle / BUNDLE)
    card = _object(contents.pop(CARD), bundle / CARD)
    _checkpoint(contents, bundle)
    _write_folder(folder, contents)
    return card


def _checkpoint(contents: Mapping[str, bytes], where: Path) -> Checkpoint:
    """The checkpoint that these files hold, verified."""
    meta = _object(contents[META], where / META)
    if meta.get("format") != FORMAT:
        raise CheckpointError(f"{where / META}: found format {meta.get('format')!r}, expected {FORMAT}")
    _verify({name: contents[name] for name in (WEIGHTS, VOCAB)}, meta.get("files"), where / META)
    try:
        config = Config.from_json(meta.get("config"))
        vocab = Vocab.from_json(_object(contents[VOCAB], where / VOCAB))
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


def _hashes(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def _verify(contents: Mapping[str, bytes], hashes: object, told: Path) -> None:
    """Refuse files whose SHA-256 is not the one that stands in the file `told` beside them."""
    if not isinstance(hashes, dict):
        raise CheckpointError(f"{told}: the hashes of the other files are missing")
    for name, digest in _hashes(contents).items():
        if digest != hashes.get(name):
            raise CheckpointError(f"{told.parent / name}: damaged: its SHA-256 is not the one in {told.name}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}") from None


def _object(raw: bytes, where: Path) -> dict[str, Any]:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise CheckpointError(f"{where}: damaged: not JSON") from None
    if not isinstance(data, dict):
        raise CheckpointError(f"{where}: found {type(data).__name__}, expected an object")
    return data


def _json(data: object) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
