"""The command `class`: the game on the local network, with a room that a lecturer leads."""

from __future__ import annotations

import secrets
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from random import SystemRandom
from typing import Annotated

import segno
import typer

from app.archives.naming import slug_meant
from app.cli.data_folder import try_data_folder
from app.cli.play import Household, check_port, say, settings_of
from app.settings import Settings, SettingsError

# Addresses of no host: asked for the way there, the system says from which address it would go. Nothing is sent.
_ELSEWHERE = ("192.168.255.254", "10.255.255.254", "172.31.255.254", "203.0.113.1")
NOWHERE = "127.0.0.1"  # the address of a machine that is in no network
# What Linux is asked of an interface, and the flags of its answer (netdevice(7)).
_FLAGS, _ADDRESS = 0x8913, 0x8915
_UP, _LOOPBACK, _TUNNEL, _RUNNING = 0x1, 0x8, 0x10, 0x40

if sys.platform == "linux":
    import fcntl


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("class")(lead)


def lead(
    archive: Annotated[
        str | None, typer.Option(help="name of the archive; default: the main one", callback=slug_meant)
    ] = None,
    address: Annotated[str | None, typer.Option(help="address of this machine, as players reach it")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on (WHICHTWEET_PORT)", min=1, max=65535)] = None,
    seconds: Annotated[int, typer.Option(help="that a round is open", min=5, max=600)] = 45,
    teach: Annotated[bool, typer.Option(help="whether the network may learn from what the class picks")] = True,
) -> None:
    """Open a room on the local network, and run the game in it. Needs no internet."""
    settings = settings_of("0.0.0.0", port)  # noqa: S104  # a class comes from other machines
    try_data_folder(settings.data_dir)
    check_port(settings.host, settings.port)
    address = address or local_address()
    reached = f"http://{address}:{settings.port}"
    key = secrets.token_urlsafe(18)
    code = _open_room(settings, archive, address=reached, key=key, teaches=teach, seconds=seconds)
    say(f"Players:   {reached}/class/{code}")
    say(f"Lecturer:  http://127.0.0.1:{settings.port}/class/{code}/lectern#{key}")
    say("           (keep this address to yourself; project the page that it opens)")
    if address == NOWHERE:
        say("This machine is in no network, so no phone reaches it: join one, or name its address by --address.")
    with suppress(OSError, UnicodeEncodeError):
        segno.make(f"{reached}/class/{code}", error="l").terminal(compact=True)
    Household(settings, opens=f"http://127.0.0.1:{settings.port}/class/{code}/lectern#{key}").run()


def _open_room(settings: Settings, archive: str | None, *, address: str, key: str, teaches: bool, seconds: int) -> str:
    """A new room in the database; the code that leads into it."""
    from app.db import classes
    from app.db.migrate import migrate
    from app.db.session import now, open_engine, writing
    from app.game.classroom import room_code
    from app.jobs.demo import open_demo

    engine = open_engine(settings.database)
    migrate(engine)
    open_demo(engine, settings.checkpoints)
    code = room_code(SystemRandom())
    with writing(engine) as connection:
        found = classes.open_archive(connection, archive)
        if found is None:
            raise SettingsError(f"no archive is called {archive}: whichtweet archives lists them")
        # What an evening left behind without a word: its names go now.
        classes.end(connection, now())
        classes.open_room(
            connection,
            code=code,
            key_hash=sha256(key.encode()).digest(),
            seed=secrets.token_bytes(16),
            archive_id=found[0],
            address=address,
            teaches=teaches,
            seconds=seconds,
            created_at=now(),
        )
    engine.dispose()
    return code


def local_address() -> str:
    """This machine's address on the local network; 127.0.0.1 where it has none."""
    for elsewhere in _ELSEWHERE:
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found: str = probe.getsockname()[0]
            if not found.startswith("127."):
                return found
    # A network that leads nowhere else, as a lone access point makes one, has no way to any of those.
    return next(_own_addresses(), NOWHERE)


def _own_addresses() -> Iterator[str]:
    """The addresses of the interfaces that are connected to a network with others on it."""
    if sys.platform != "linux":
        with suppress(OSError):
            found = socket.gethostbyname_ex(socket.gethostname())[2]
            yield from (address for address in found if not address.startswith("127."))
        return
    for _, name in socket.if_nameindex():
        ask = struct.pack("40s", name.encode())
        # One without an address of IPv4 refuses to be asked.
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            flags = struct.unpack_from("H", fcntl.ioctl(probe, _FLAGS, ask), 16)[0]
            if flags & (_UP | _RUNNING | _LOOPBACK | _TUNNEL) == _UP | _RUNNING:
                yield socket.inet_ntoa(fcntl.ioctl(probe, _ADDRESS, ask)[20:24])
