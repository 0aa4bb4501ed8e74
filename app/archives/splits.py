"""Splits: which tweets train, which validate and which are dealt, decided by the tweet alone."""

from __future__ import annotations

from hashlib import blake2b

TRAIN, VALIDATION, DECK = "train", "validation", "deck"
SPLITS = (TRAIN, VALIDATION, DECK)
_TRAIN_PERCENT, _VALIDATION_PERCENT = 75, 5
DECK_SHARE = (100 - _TRAIN_PERCENT - _VALIDATION_PERCENT) / 100


def split_of(key: str) -> str:
    """The split of the tweet whose source id (or normalised text, where it has none) is `key`.

    Train 75 %, validation 5 %, deck 20 %: the same on every machine and in every import.
    """
    place = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") % 100
    if place < _TRAIN_PERCENT:
        return TRAIN
    return VALIDATION if place < _TRAIN_PERCENT + _VALIDATION_PERCENT else DECK
