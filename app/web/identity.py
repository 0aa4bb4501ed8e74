"""Who is asking: an anonymous player by a sealed cookie, a simulated one by the operator's key, a network by prefix."""

from __future__ import annotations

import hmac
import ipaddress
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache

from starlette.requests import HTTPConnection
from starlette.responses import Response

from app.db.players import new_key
from app.game.rounds import Deal
from app.web import problems
from app.web.sealed import BadSeal, RoundSeal, Seal, derive

COOKIE = "whichtweet"
INVITES = "whichtweet_invites"
MOST_INVITES = 20
COOKIE_SECONDS = 400 * 86_400  # the longest that browsers keep one
SLOTS = 8  # archives whose starting stamp a newcomer's cookie holds

_INVITE = re.compile(r"[A-Za-z0-9_-]{1,32}")
_COOKIE = struct.Struct(">B16s" + "IQ" * SLOTS)
_VERSION = 1


@dataclass(frozen=True)
class Visitor:
    """A player as the request shows them.

    Attributes:
        key: the player's key; fresh when no cookie came.
        stamps: archive -> the stamp that a newcomer's first rounds are dealt with, so that asking again while the
            shelf changes gives the same pair.
        has_cookie: whether the browser brought a cookie of ours.
        simulated: the name of a simulated player, as the operator's key says.
        invites: the invitations to archives that the browser has followed.
        needs_cookie: there is none, or it was sealed with a key that is on its way out.
        is_lent: the key is that of an open round, which came without a cookie: good for playing on, and whoever holds
            a round's token gets no more of its player.
    """

    key: bytes
    stamps: Mapping[int, int] = field(default_factory=dict)
    has_cookie: bool = False
    simulated: str | None = None
    network: str = ""
    invites: frozenset[str] = frozenset()
    needs_cookie: bool = True
    is_lent: bool = False


class OperatorUnknown(PermissionError):  # noqa: N818
    """Somebody showed an operator's key that is not ours."""


class Identity:
    """Reads and writes the cookie, and knows the operator's key."""

    def __init__(self, secrets: Sequence[bytes], operator_key: str, secure: bool) -> None:
        self._seal = Seal(secrets, "cookie", _COOKIE.size)
        self._networks = derive(secrets[0], "network")
        self._operator = operator_key.encode()
        self.is_secure = secure
        # The same cookie comes with every request: opening it once is enough.
        self._opened = lru_cache(maxsize=5_000)(self._open)
        self._marks = lru_cache(maxsize=5_000)(self._mark)

    def visitor(self, request: HTTPConnection) -> Visitor:
        """Who sends this request.

        Raises:
            OperatorUnknown: the request shows an operator's key that is not ours.
        """
        opened = self._opened(request.cookies.get(COOKIE, ""))
        key, stamps, is_old = opened if opened else (new_key(), {}, True)
        address = request.client.host if request.client else ""
        invites = frozenset(filter(_INVITE.fullmatch, request.cookies.get(INVITES, "").split(".")[:MOST_INVITES]))
        return Visitor(
            key, stamps, opened is not None, self._simulated(request), prefix(address), invites, needs_cookie=is_old
        )

    def greet(self, response: Response, visitor: Visitor) -> None:
        """Give the visitor a cookie that holds their key and stamps."""
        slots = list(visitor.stamps.items())[-SLOTS:]
        slots += [(0, 0)] * (SLOTS - len(slots))
        sealed = self._seal.close(_COOKIE.pack(_VERSION, visitor.key, *(number for slot in slots for number in slot)))
        response.set_cookie(
            COOKIE, sealed, max_age=COOKIE_SECONDS, path="/", secure=self.is_secure, httponly=True, samesite="lax"
        )

    def keep_up(self, response: Response, before: Visitor, after: Visitor) -> None:
        """Give the visitor a cookie where dealing changed what theirs holds, or should hold."""
        if (after != before or before.needs_cookie) and not after.is_lent:
            self.greet(response, after)

    def welcome(self, response: Response, visitor: Visitor) -> None:
        """Give the visitor anew all that they brought: a browser counts a cookie's days from when it was last given.

        For pages alone: what the API answers behind a page may arrive after a "forget me", or a move to another device,
        and would undo it.
        """
        if visitor.is_lent:
            return
        self.greet(response, visitor)
        if visitor.invites:
            self._remember(response, sorted(visitor.invites))

    def admit(self, response: Response, visitor: Visitor, invite: str) -> None:
        """Let the browser remember an invitation; what is remembered is the invitation itself, so nothing is sealed."""
        kept = [each for each in sorted(visitor.invites) if each != invite][: MOST_INVITES - 1]
        self._remember(response, [invite, *kept])

    def _remember(self, response: Response, invites: Iterable[str]) -> None:
        response.set_cookie(
            INVITES,
            ".".join(invites),
            max_age=COOKIE_SECONDS,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def dismiss(self, response: Response) -> None:
        """Take the cookie back."""
        response.delete_cookie(COOKIE, path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def network_mark(self, network: str, at: datetime) -> bytes:
        """A network's mark on one day: tells guesses of one network from others, and not which network it is."""
        return self._marks(network, at.date())

    def _mark(self, network: str, day: date) -> bytes:
        return hmac.digest(self._networks, f"{day.isoformat()} {network}".encode(), "sha256")[:16]

    def _open(self, cookie: str) -> tuple[bytes, Mapping[int, int], bool] | None:
        try:
            version, key, *slots = _COOKIE.unpack(self._seal.open(cookie))
        except BadSeal:
            return None
        if version != _VERSION:
            return None
        stamps = {archive: stamp for archive, stamp in zip(slots[::2], slots[1::2], strict=True) if archive}
        return key, stamps, not self._seal.is_of_newest_key(cookie)

    def _simulated(self, request: HTTPConnection) -> str | None:
        shown = request.headers.get("authorization")
        if shown is None:
            return None
        scheme, _, key = shown.partition(" ")
        if scheme.lower() != "bearer":
            return None  # the password of a proxy before us, which browsers send along with everything
        if not hmac.compare_digest(key.strip().encode(), self._operator):
            raise OperatorUnknown("this operator's key is not ours")
        return request.headers.get("x-whichtweet-simulated", "")[:64] or None


@lru_cache(maxsize=5_000)
def prefix(address: str) -> str:
    """The network that an address belongs to: /24 of IPv4, /64 of IPv6, "" for what is no address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    bits = 24 if parsed.version == 4 else 64
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def open_round(seal: RoundSeal, visitor: Visitor, token: str) -> Deal:
    """The round in a token that was dealt to this visitor.

    Raises:
        Problem: 422; the token is damaged, foreign or another player's: nobody is told which.
    """
    try:
        deal = seal.open(token)
    except BadSeal:
        raise problems.not_our_round() from None
    # A browser without cookies plays as the player whom the round was dealt to.
    if visitor.has_cookie and deal.player != visitor.key:
        raise problems.not_our_round()
    return deal


def as_dealt_to(seal: RoundSeal, visitor: Visitor, token: str) -> Visitor:
    """The visitor; one without a cookie is the player whom the round in `token` was dealt to ("": nobody known).

    Raises:
        Problem: 422; the token is damaged or foreign.
    """
    if visitor.has_cookie or not token:
        return visitor
    return replace(visitor, key=open_round(seal, visitor, token).player)
