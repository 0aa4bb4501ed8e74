"""Fetching: a file of tweets comes from an address on the public internet, and from nowhere else.

Where a name leads is looked up once, and the connection goes to the very address that was looked up and found public:
neither a redirect nor a second look-up leads to a machine behind the firewall.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpcore
import httpx

from app.jobs.connecting import Clock, Clocked, Overtime
from app.jobs.workshop import Interrupted, JobError, Progress, ShouldStop

MOST_BYTES = 6 * 10**9
PIECE = 1 << 20  # bytes written at once
SILENCE = 30.0  # seconds without a byte after which the other side is given up
MOST_REDIRECTS = 5

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


UNICAST = ipaddress.IPv6Network("2000::/3")  # all of IPv6 that is given out to the public internet
TRANSLATED = ipaddress.IPv6Network(
    "64:ff9b::/96"
)  # addresses of IPv4, as a network without any reaches them (RFC 6052)
# Kept for protocols, and where some hosts of virtual machines tell keys; Pythons before 3.11.10 call most of it public.
PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet; one of IPv4 within IPv6 is judged by what it holds."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address.is_global and not address.is_multicast and address not in PROTOCOLS
    held = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if address in TRANSLATED:
        held = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    elif address.ipv4_mapped is None and not (address in UNICAST and address.is_global):
        return False
    return held is None or is_public(held)


@dataclass(frozen=True)
class Limits:
    """What one fetch may take."""

    bytes: int = MOST_BYTES
    seconds: float = 3600.0  # from the first look-up to the last byte, redirects included


def fetch(
    url: str,
    target: Path,
    *,
    may_reach: Callable[[Address], bool] = is_public,
    limits: Limits = Limits(),
    on_progress: Progress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> int:
    """Write what lies at `url` to the file `target`; how many bytes.

    Raises:
        JobError: the address is none that may be reached, does not answer, or what lies there is too large.
        Interrupted: `should_stop` said so. Either way nothing is left of it.
    """
    _check_address(url)
    clock = Clock(limits.seconds)
    aside = target.with_name(f".{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    client = httpx.Client(
        transport=_Chosen(may_reach, clock),
        follow_redirects=True,
        max_redirects=MOST_REDIRECTS,
        timeout=SILENCE,
        trust_env=False,  # a proxy would do the looking up
    )
    try:
        with client, client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            if response.status_code != httpx.codes.OK:
                raise JobError(f"{url} answers {response.status_code}, expected 200: check the address")
            size = _take(response, aside, limits, clock, on_progress, should_stop)
        aside.replace(target)
        return size
    except httpx.TooManyRedirects:
        raise JobError(f"{url} leads from one address to the next: give the last one") from None
    except Overtime:
        raise _too_slow(limits) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # the last of a host that no name can be
        if clock.is_over:
            raise _too_slow(limits) from None
        raise JobError(f"{url} cannot be fetched: {error or type(error).__name__}") from None
    except OSError as error:
        raise JobError(f"{target.name} cannot be written: {error.strerror or error}") from None
    finally:
        aside.unlink(missing_ok=True)


def _too_slow(limits: Limits) -> JobError:
    return JobError(f"the file took longer than {limits.seconds:.0f} s: fetch it by hand and upload it")


def _take(
    response: httpx.Response,
    aside: Path,
    limits: Limits,
    clock: Clock,
    on_progress: Progress,
    should_stop: ShouldStop,
) -> int:
    """Write an answer's body to a file, piece by piece; its bytes."""
    length = response.headers.get("content-length", "")
    total, size = int(length) if length.isdecimal() else 0, 0
    with aside.open("wb", buffering=PIECE) as file:
        # Piece by piece as they come: from a server that drips, a full one may take days.
        for piece in response.iter_raw():
            size += file.write(piece)
            if max(size, total) > limits.bytes:
                raise JobError(f"the file holds more than {limits.bytes:,} bytes: fetch it by hand and upload a part")
            if clock.is_over:
                raise Overtime
            if should_stop():
                raise Interrupted
            on_progress({"bytes_read": size, "bytes_total": total})
        file.flush()
        os.fsync(file.fileno())
    if not size:
        raise JobError("the file is empty: expected tweets")
    return size


def _check_address(url: str) -> None:
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise JobError(f"{url[:200]} is no address: {error}") from None
    if parsed.scheme not in ("http", "https") or not host:
        raise JobError(f"{url[:200]} is no address of a file: expected https://…")
    if parsed.userinfo:
        raise JobError("an address with a name and a password in it is not fetched: fetch the file and upload it")


class _Chosen(httpx.HTTPTransport):
    """Connects to addresses that may be reached alone, with every redirect judged anew."""

    def __init__(self, may_reach: Callable[[Address], bool], clock: Clock) -> None:
        super().__init__()
        # The class above lets nobody choose how connections are opened.
        self._pool = httpcore.ConnectionPool(ssl_context=httpx.create_ssl_context(), network_backend=Clocked(clock))
        self._may_reach = may_reach

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the address that its host was found to have."""
        _check_address(str(request.url))
        host = request.url.host
        address = self._look_up(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        # The host's name stays in the header Host, and is what its certificate must be made out to.
        extensions = {**request.extensions, "sni_hostname": host}
        at = request.url.copy_with(host=str(address))
        sent = httpx.Request(request.method, at, headers=request.headers, stream=request.stream, extensions=extensions)
        return super().handle_request(sent)

    def _look_up(self, host: str, port: int) -> Address:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise JobError(f"no machine is called {host}: {getattr(error, 'strerror', None) or error}") from None
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not self._may_reach(address):
                raise JobError(f"{host} is at {address}, which is no public address: only the public internet is asked")
        return addresses[0]
