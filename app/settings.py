"""Settings: one frozen object, read from ``WHICHTWEET_*`` variables and handed down."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from limits import parse as parse_rate
from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.game.schedules import is_schedule

PREFIX = "WHICHTWEET_"
SECRET = frozenset(("database_url", "secret_key", "operator_key"))  # what stands there is repeated nowhere
PLACES = ("data_dir", "checkpoint_dir", "blocked_words", "backup_dir", "host")  # one that is empty is not set


class SettingsError(ValueError):
    """A setting is unknown or malformed; the message is one line that names it."""


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


Folder = Annotated[Path, AfterValidator(_absolute)]


class Settings(BaseSettings):
    """Everything an operator can change; each field is the variable ``WHICHTWEET_`` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    # Where things lie
    data_dir: Folder = Field(Path("data"), description="folder for the database, checkpoints, keys and logs")
    database_url: str = Field(
        "", description="SQLAlchemy URL; empty means SQLite in the data folder; PostgreSQL: postgresql+psycopg://…"
    )
    checkpoint_dir: Folder | None = Field(
        None, description="folder for checkpoints; shared between machines; default: checkpoints/ in the data folder"
    )

    # The web server
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="port of Prometheus metrics on 127.0.0.1; 0 means PORT + 1000"
    )
    open_browser: Literal["auto", "yes", "no"] = Field(
        "auto", description="open the page at start: auto means only on a desktop"
    )
    secret_key: SecretStr | None = Field(
        None,
        description="key or keys (comma-separated, newest first) that seal rounds and cookies;"
        " default: secret.key in the data folder, made at first start",
    )
    operator_key: SecretStr | None = Field(
        None, description="key of the operator's tools (simulate); default: operator.key in the data folder"
    )
    domain: str = Field(
        "", description="name of the public site, such as game.example.org: implies https, Secure cookies and HSTS"
    )
    operator: str = Field("", description="who runs the site, as its pages say")
    contact: str = Field("", description="where the operator can be reached, as its pages say")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="addresses or networks of proxies in front, whose word on a player's address counts"
    )
    secure_cookies: bool = Field(
        False, description="mark cookies Secure (only behind https; WHICHTWEET_DOMAIN implies it)"
    )
    rate_limit: str = Field(
        "120/minute", description="rounds and guesses each that one player may ask for (limits notation)"
    )
    network_rate_limit: str = Field("1200/minute", description="the same for one network (IPv4 /24, IPv6 /64)")

    # The game
    round_minutes: float = Field(120.0, gt=0, le=525_600, description="minutes until a round that was dealt expires")
    deck_include: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="kinds of tweet to deal although they lean on others: reply, thread, cut (comma-separated)"
    )
    sample_retires_after: int = Field(20, ge=1, description="guesses after which a sample leaves the shelf")
    blocked_words: Folder | None = Field(
        None, description="file of words that no card may hold, one a line; default: the shipped list"
    )
    learn_from: Annotated[tuple[str, ...], NoDecode] = Field(
        ("real",), description="whose guesses teach: real, simulated (comma-separated)"
    )
    forget_guesses: bool = Field(
        False, description="whether “forget me” also removes the guesses, instead of leaving them under an id of nobody"
    )

    # The worker
    retrain_cron: str = Field(
        "0 3 * * *", description="when to retrain (cron expression, UTC); empty means on no schedule"
    )
    retrain_min_labels: int = Field(50, ge=1, description="new labels below which a scheduled retraining is skipped")
    screen_cron: str = Field(
        "15 * * * *",
        description="when to look for players whose labels should wait (cron expression, UTC);"
        " empty means only before a retraining",
    )
    retrain_new_labels: int = Field(
        1000, ge=0, description="new labels that bring a retraining before its time; 0 means never"
    )
    canary_share: float = Field(
        0.2,
        gt=0,
        le=0.8,
        description="share of rounds that a candidate plays; half of all where fewer than 30 people play in a week",
    )
    anchor_share: float = Field(
        0.05, ge=0, le=0.15, description="share of rounds that the anchor plays from the first canary on: a yardstick"
    )
    train_minutes: float = Field(15.0, gt=0, le=10_000, description="minutes that a scheduled training may take")
    guesses_kept_days: int = Field(
        0, ge=0, le=36_500, description="days that raw guesses are kept, longer than rounds live; 0 means for good"
    )
    backup_cron: str = Field("30 2 * * *", description="when to back up (cron expression, UTC); empty means never")
    backup_dir: Folder | None = Field(None, description="folder for backups; default: backups/ in the data folder")
    backups_kept: int = Field(7, ge=1, description="scheduled backups that are kept; older ones are removed")
    shelf_low: int = Field(500, ge=1, description="samples on a shelf below which it is restocked")
    shelf_full: int = Field(2000, ge=1, description="samples that a restock fills a shelf up to")
    base: bool = Field(True, description="begin trainings from the shipped base; let it play for untrained archives")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least urgent log line kept")

    @model_validator(mode="before")
    @classmethod
    def _default_places(cls, values: dict[str, object]) -> dict[str, object]:
        # As a path, nothing is the folder that one stands in; as an address to listen on, all of them.
        return {name: value for name, value in values.items() if name not in PLACES or str(value).strip()}

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, object]) -> dict[str, object]:
        for name in ("deck_include", "learn_from", "trusted_proxies"):
            value = values.get(name)
            if isinstance(value, str):
                values[name] = tuple(part.strip() for part in value.split(",") if part.strip())
        return values

    @field_validator("deck_include")
    @classmethod
    def _known_leanings(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return _only(words, {"reply", "thread", "cut"})

    @field_validator("learn_from")
    @classmethod
    def _known_teachers(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return _only(words, {"real", "simulated"})

    @model_validator(mode="after")
    def _outlives_rounds(self) -> Self:
        if self.guesses_kept_days and self.guesses_kept_days * 1440 <= self.round_minutes:
            raise ValueError(
                f"{PREFIX}GUESSES_KEPT_DAYS must be longer than {PREFIX}ROUND_MINUTES: else one counts twice"
            )
        return self

    @field_validator("trusted_proxies")
    @classmethod
    def _known_networks(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            try:
                ip_network(word)
            except ValueError:
                raise ValueError("expected addresses or networks like 10.0.0.2, 172.16.0.0/12") from None
        return words

    @field_validator("domain")
    @classmethod
    def _known_domain(cls, name: str) -> str:
        if name and not re.fullmatch(r"(?i)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*", name):
            raise ValueError("expected a name like game.example.org, without https:// and without a path")
        return name.lower()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("expected sqlite:///… or postgresql+psycopg://…")
        if url.startswith("sqlite") and make_url(url).database in (None, "", ":memory:"):
            # Each connection would have a game of its own, and the web server none.
            raise ValueError("expected a file: sqlite:////data/whichtweet.db, or nothing")
        if url.startswith("postgresql") and not _is_plain(url):
            # What stands before a second @ would be told with every error, as a machine's name.
            raise ValueError("expected …://NAME:PASSWORD@HOST:PORT/DATABASE, in the password %40 for @ and %2F for /")
        return url

    @field_validator("rate_limit", "network_rate_limit")
    @classmethod
    def _known_rate(cls, rate: str) -> str:
        try:
            parse_rate(rate)
        except ValueError:
            raise ValueError("expected a rate like 120/minute") from None
        return rate

    @field_validator("retrain_cron", "backup_cron", "screen_cron")
    @classmethod
    def _known_schedule(cls, schedule: str) -> str:
        if schedule and not is_schedule(schedule):
            raise ValueError("expected a cron expression of five fields whose time comes, like 0 3 * * *, or nothing")
        return schedule

    @property
    def database(self) -> str:
        """The database's URL, with the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'whichtweet.db'}"

    @property
    def checkpoints(self) -> Path:
        """The folder below which checkpoints are stored by relative key."""
        return self.checkpoint_dir or self.data_dir / "checkpoints"

    @property
    def is_https(self) -> bool:
        """Whether players come by https."""
        return self.secure_cookies or bool(self.domain)

    @property
    def backups(self) -> Path:
        """The folder that scheduled backups are written to."""
        return self.backup_dir or self.data_dir / "backups"


def _is_plain(url: str) -> bool:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number
        return False
    return "@" not in f"{parsed.host}{parsed.database}"


def _only(words: tuple[str, ...], known: set[str]) -> tuple[str, ...]:
    if strange := set(words) - known:
        raise ValueError(f"expected any of {', '.join(sorted(known))}, not {', '.join(sorted(strange))}")
    return words


def read_settings(**overrides: object) -> Settings:
    """Settings from the environment, with overrides from a command line on top.

    Raises:
        SettingsError: a variable is unknown or malformed; the message is one line that names it.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for variable in os.environ:
        if variable.startswith(PREFIX) and variable not in known:
            raise SettingsError(f"unknown setting {variable}; known are {', '.join(sorted(known))}")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + ".".join(str(part) for part in first["loc"]).upper() if first["loc"] else ""
        words = first["msg"].removeprefix("Value error, ")
        found = f", found {first['input']!r}" if name and first["loc"][0] not in SECRET else ""
        raise SettingsError(f"{name}: {words}{found}" if name else words) from None
