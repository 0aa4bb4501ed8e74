"""The command `simulate`: players made of code, who play over the HTTP API like anyone else."""

from __future__ import annotations

import importlib
import ipaddress
import json
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.archives.naming import slug_meant
from app.cli.play import address_of
from app.game.scoring import interval
from app.keys import operator_key
from app.settings import read_settings

Player = Callable[[str, str, Random], int]


class SimulationError(RuntimeError):
    """The game could not be reached or refused to deal, or a player failed; the message says what to do."""


@dataclass(frozen=True)
class Verdict:
    """What one guess came to."""

    generator: str
    fooled: bool


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(simulate)


def simulate(
    archive: Annotated[str, typer.Option(help="name of the archive to play", callback=slug_meant)],
    player: Annotated[
        str, typer.Option(help="package.module:function; called with (left, right, rng), returns 0 or 1")
    ],
    guesses: Annotated[int, typer.Option(min=1, help="guesses to make")] = 200,
    players: Annotated[int, typer.Option(min=1, help="players to share them among")] = 10,
    url: Annotated[str, typer.Option(help="address of the game; default: this machine's")] = "",
    seed: Annotated[int, typer.Option(help="randomness of the players; the same seed plays alike")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Let players made of code guess, marked as simulated, and print the fool rate by generator.

    A player is a function that gets the two cards' texts and answers which one it takes for the tweet:

        whichtweet simulate --archive mayor-of-gannet --player bench.players:speller
    """
    settings = read_settings()
    choose = load_player(player)
    address = url or address_of(settings.host, settings.port)
    name = player.rpartition(":")[2][:64]
    headers = {"Authorization": f"Bearer {operator_key(settings)}", "X-Whichtweet-Simulated": name}
    shares = [guesses // players + (index < guesses % players) for index in range(players)]
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task(f"{name} plays {archive}", total=guesses)

        def sit(index: int, goes_on: Callable[[], bool]) -> list[Verdict]:
            def advance() -> bool:
                progress.advance(bar)
                return goes_on()

            with client_at(address, headers) as client:
                rng = Random(f"{seed}/{index}")  # noqa: S311  # play, not secrets
                return play(client, archive, choose, rng, shares[index], advance)

        verdicts = seat_all(players, sit)
    report(verdicts, name, archive, as_json)


def seat_all(players: int, sit: Callable[[int, Callable[[], bool]], list[Verdict]]) -> list[Verdict]:
    """What all players came to, four at a time; where one of them fails, or Ctrl-C comes, the others get up too.

    Args:
        players: how many there are.
        sit: plays as the one of that number, as long as what it is given says so.
    """
    is_over = Event()

    def hand(index: int) -> list[Verdict]:
        return [] if is_over.is_set() else sit(index, lambda: not is_over.is_set())

    with ThreadPoolExecutor(4) as pool:
        hands = [pool.submit(hand, index) for index in range(players)]
        try:
            # In the order in which they end: who fails must not wait for those before.
            for ended in as_completed(hands):
                ended.result()
        except BaseException:
            is_over.set()
            raise
    return [verdict for each in hands for verdict in each.result()]


def load_player(path: str) -> Player:
    """The function that `package.module:function` names, looked for in the current folder too.

    Raises:
        typer.BadParameter: there is no such module or function.
    """
    module, _, function = path.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), function)
    except (Exception, SystemExit) as error:  # whatever a stranger's module does when it is imported
        raise typer.BadParameter(f"{path}: {_told(error)}; expected package.module:function") from None
    if not callable(found):
        raise typer.BadParameter(f"{path} is a {type(found).__name__}, expected a function")
    return found  # type: ignore[no-any-return]


def play(
    client: httpx.Client, archive: str, choose: Player, rng: Random, count: int, advance: Callable[[], bool]
) -> list[Verdict]:
    """Make `count` guesses as one player; fewer where `advance`, asked after each, says that it is over."""
    verdicts = []
    for _ in range(count):
        deal = _ask(client, "/api/rounds", {"archive": archive})
        left, right = (card["text"] for card in deal["cards"])
        answer = _ask(client, "/api/guesses", {"round": deal["round"], "pick": pick_of(choose, left, right, rng)})
        verdicts.append(Verdict(answer["generator"], answer["verdict"] == "fooled"))
        if not advance():
            break
    return verdicts


def pick_of(choose: Player, left: str, right: str, rng: Random) -> int:
    """What the player answers, as 0 or 1; numbers of other libraries and booleans will do.

    Raises:
        SimulationError: it answers something else, or fails; then its line is named.
    """
    try:
        answer = choose(left, right, rng)
    except (Exception, SystemExit) as error:
        raise SimulationError(f"the player failed: {_told(error)}") from error
    try:
        pick = next((number for number in (0, 1) if answer == number), None)
    except Exception:  # an array, say, which equals in part
        pick = None
    if pick is None:
        raise SimulationError(f"the player answered {repr(answer)[:200]}, expected 0 (left) or 1 (right)")
    return pick


def _told(error: BaseException) -> str:
    """What went wrong in a stranger's code, and on which line of it."""
    words = f"{type(error).__name__}: {error}"
    last = next(reversed(traceback.extract_tb(error.__traceback__)), None)
    ours = last is None or last.filename == __file__ or last.filename.startswith("<frozen ")
    return words if ours or last is None else f"{words} ({Path(last.filename).name}, line {last.lineno})"


def client_at(address: str, headers: dict[str, str]) -> httpx.Client:
    """The client of a player at a game.

    This machine is asked by no proxy of the environment, which would get to know the operator's key.

    Raises:
        SimulationError: the address is none, or a proxy of the environment is of no kind that can be used.
    """
    try:
        host = httpx.URL(address).host
    except (httpx.InvalidURL, UnicodeError) as error:
        raise SimulationError(
            f"--url: found {address[:200]!r} ({error}), expected an address such as http://…"
        ) from None
    try:
        return httpx.Client(base_url=address, headers=headers, timeout=30, trust_env=not _is_this_machine(host))
    except (ValueError, ImportError) as error:
        words = f"a proxy that the environment names cannot be used ({error}): unset ALL_PROXY, HTTP_PROXY, HTTPS_PROXY"
        raise SimulationError(" ".join(words.split())) from None


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("", "localhost")


def _ask(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    try:
        response = client.post(path, json=body)
    except (httpx.TransportError, UnicodeError) as error:  # the latter of a host that no name can be
        raise SimulationError(
            f"no game answers at {client.base_url} ({error}): start it with make play, or name it with --url"
        ) from None
    try:
        told = response.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise SimulationError(
            f"{client.base_url} is no game: {path} answered {response.status_code} without an object of JSON; "
            "name the game's address with --url"
        )
    if response.is_success:
        return told
    raise SimulationError(f"{path} answered {response.status_code}: {told.get('detail', '')}")


def report(verdicts: list[Verdict], name: str, archive: str, as_json: bool) -> None:
    """Print guesses and fool rate with its 95 % interval, by generator."""
    guesses = Counter(verdict.generator for verdict in verdicts)
    fooled = Counter(verdict.generator for verdict in verdicts if verdict.fooled)
    rows = {}
    for generator in sorted(guesses, key=lambda v: (len(v), v)):
        low, high = interval(fooled[generator], guesses[generator])
        rate = fooled[generator] / guesses[generator]
        rows[generator] = {"guesses": guesses[generator], "fool_rate": rate, "low": low, "high": high}
    if as_json:
        body = {"archive": archive, "player": name, "guesses": len(verdicts), "generators": rows}
        typer.echo(json.dumps(body))
        return
    table = Table(title=f"{name} on {archive}")
    for column in ("generator", "guesses", "fool rate", "95 % interval"):
        table.add_column(column, justify="left" if column == "generator" else "right")
    for generator, row in rows.items():
        percent = f"{row['fool_rate']:.1%}"
        table.add_row(generator, str(row["guesses"]), percent, f"{row['low']:.1%} to {row['high']:.1%}")
    Console().print(table)
