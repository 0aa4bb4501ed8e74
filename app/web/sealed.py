"""Sealing: what the browser holds but may not read, encrypted at a fixed width with keys that can be rotated."""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.game.rounds import MODES, Deal, Round
from app.game.shelf import ARMS

_NONCE = 12  # bytes, drawn for each seal: four thousand million of them under one key are as good as distinct


class BadSeal(ValueError):  # noqa: N818  # named for what is found
    """Not something that these keys sealed, or no longer as it was sealed."""


def derive(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose alone (HKDF-SHA256)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"whichtweet/" + purpose.encode()).derive(secret)


class Seal:
    """Seals bytes of one width for one purpose; opens what it or an older key sealed."""

    def __init__(self, secrets: Sequence[bytes], purpose: str, width: int) -> None:
        self._ciphers = [AESGCM(derive(secret, f"{purpose}, AES-GCM")) for secret in secrets]
        self.width = len(self.close(bytes(width)))

    def close(self, content: bytes) -> str:
        """The sealed content, in characters that need no quoting in a URL, a form or a cookie."""
        nonce = os.urandom(_NONCE)
        return _spelled(nonce + self._ciphers[0].encrypt(nonce, content, None))

    def open(self, sealed: str) -> bytes:
        """The content.

        Raises:
            BadSeal: damaged, of another purpose or key, or spelled in another way than it was sealed.
        """
        whole = self._read(sealed)
        for cipher in self._ciphers:
            with suppress(InvalidTag):
                return cipher.decrypt(whole[:_NONCE], whole[_NONCE:], None)
        raise BadSeal("not ours")

    def is_of_newest_key(self, sealed: str) -> bool:
        """Whether something that can be opened was sealed with the newest key."""
        whole = self._read(sealed)
        try:
            self._ciphers[0].decrypt(whole[:_NONCE], whole[_NONCE:], None)
        except InvalidTag:
            return False
        return True

    def _read(self, sealed: str) -> bytes:
        if len(sealed) != self.width:
            raise BadSeal("not of our width")
        try:
            whole = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        except ValueError as error:
            raise BadSeal("not ours") from error
        # Base64 has spare bits and decoders that skip strange characters: only the one right spelling is taken.
        if _spelled(whole) != sealed:
            raise BadSeal("not spelled as we spell")
        return whole


def _spelled(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


# version, round id, player, archive, tweet, sample, generator, arm, mode, start, position, repeat and again, tweet
# index, probabilities of arm and card, stamp, policy, characters of both cards, dealt at (ms), fixed set (0: none)
_ROUND = struct.Struct(">B16s16sIQQIBBQQBBddQHIQQ")
_VERSION = 2


class RoundSeal:
    """Seals rounds: every token has the same length, and tells nothing."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._seal = Seal(secrets, "round", _ROUND.size)

    def close(self, dealt: Round, dealt_at: datetime) -> str:
        """The token of a round."""
        return self._seal.close(
            _ROUND.pack(
                _VERSION,
                dealt.id,
                dealt.player,
                dealt.archive_id,
                dealt.tweet.id,
                dealt.sample_id,
                dealt.generator_id,
                ARMS.index(dealt.arm),
                MODES.index(dealt.mode),
                dealt.start,
                dealt.position,
                # Two bits: whether it is a repeat, and whether `again` differs from that: in older tokens it never did.
                dealt.repeat | (dealt.repeat != dealt.again) << 1,
                dealt.tweet_index,
                dealt.arm_probability,
                dealt.card_probability,
                dealt.stamp,
                dealt.policy,
                sum(map(len, dealt.cards)),
                round(dealt_at.timestamp() * 1000),
                dealt.set_id,
            )
        )

    def open(self, token: str) -> Deal:
        """The round in a token, whatever its age.

        Raises:
            BadSeal: the token is not one of ours, or was changed.
        """
        version, *fields = _ROUND.unpack(self._seal.open(token))
        if version != _VERSION:
            raise BadSeal("of another version")
        fields[6], fields[7] = ARMS[fields[6]], MODES[fields[7]]
        is_other, fields[10] = bool(fields[10] & 2), bool(fields[10] & 1)
        fields[17] = datetime.fromtimestamp(fields[17] / 1000, UTC)
        return Deal(*fields)._replace(again=fields[10] != is_other)
