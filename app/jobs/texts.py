"""Files of texts: what a training learns from and is measured on, a JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

from model.corpus import Text


class TextsError(ValueError):
    """A file of texts cannot be used; the message is one line that names it."""


def read_texts(path: Path) -> list[Text]:
    """The texts of a JSONL file: objects with `text` and, where wanted, `weight` and `account`.

    Raises:
        TextsError: the file is missing, empty or malformed; names the line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise TextsError(f"{path}: {error.strerror or error}") from None
    texts = [_text(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not texts:
        raise TextsError(f"{path}: found no texts, expected JSON objects with text, one a line")
    return texts


def _text(line: bytes, where: str) -> Text:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise TextsError(f"{where}: not JSON; expected an object with text") from None
    if not isinstance(data, dict) or not isinstance(data.get("text"), str) or not data["text"]:
        raise TextsError(f"{where}: expected an object with text, a string that is not empty")
    weight, account = data.get("weight"), data.get("account")
    weight = 1.0 if weight is None else weight
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < 1e6:
        raise TextsError(f"{where}: found weight {weight!r}, expected a number from 0 to 1,000,000")
    if account is not None and not isinstance(account, str):
        raise TextsError(f"{where}: found account {account!r}, expected a string or null")
    return Text(data["text"], float(weight), account)
