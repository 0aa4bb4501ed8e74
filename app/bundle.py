"""The bundle: a checkpoint and what is told of its generator in one portable file, checked whenever it is read."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from lzma import LZMAError
from pathlib import Path
from typing import Any

from model.checkpoint import (
    FILES,
    META,
    VOCAB,
    WEIGHTS,
    CheckpointError,
    checkpoint_of,
    json_bytes,
    json_object,
    manifest,
    read_files,
    replace_file,
    vouched,
    write_folder,
)

BUNDLE, CARD = "bundle.json", "card.json"
# In bytes. The largest vocabulary takes a quarter of its share; figures, and a card with its curve, some 10 KiB. More
# room would be for JSON of millions of lists, which packs to nothing and takes hundreds of megabytes to read.
LARGEST = {WEIGHTS: 1 << 30, VOCAB: 1 << 20, META: 1 << 18, BUNDLE: 1 << 16, CARD: 1 << 18}
MOST_SQUEEZED = 20  # times smaller than unpacked, beyond the first MiB; weights come to less than 2


def pack(folder: Path, bundle: Path, card: Mapping[str, Any]) -> None:
    """Write the checkpoint in `folder` and what is told about it (`card`, plain values) to one portable file.

    Raises:
        CheckpointError: the checkpoint is damaged, or larger than `unpack` takes.
    """
    contents = read_files(folder)
    checkpoint_of(contents, folder)
    contents[CARD] = json_bytes(dict(card))
    for name, data in contents.items():
        if len(data) > LARGEST[name]:
            raise CheckpointError(f"{folder / name}: found {len(data):,} bytes, a bundle holds up to {LARGEST[name]:,}")
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {BUNDLE: manifest(contents), **contents}.items():
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
            if sorted(archive.namelist()) != sorted(LARGEST):
                raise CheckpointError(f"{bundle}: expected exactly {', '.join((BUNDLE, CARD, *FILES))}")
            if any(entry.file_size > LARGEST[entry.filename] for entry in archive.infolist()):
                raise CheckpointError(f"{bundle}: a file in it is larger than a checkpoint's can be")
            if any(each.file_size > MOST_SQUEEZED * max(each.compress_size, 1 << 20) for each in archive.infolist()):
                raise CheckpointError(f"{bundle}: a file in it unpacks to more than {MOST_SQUEEZED} times its size")
            contents = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, RuntimeError, UnicodeError, struct.error) as error:
        raise CheckpointError(f"{bundle}: damaged, or no bundle: {error}") from None
    vouched(contents, BUNDLE, bundle)
    card = json_object(contents[CARD], bundle / CARD)
    files = {name: contents[name] for name in FILES}
    checkpoint_of(files, bundle)
    write_folder(folder, files)
    return card
