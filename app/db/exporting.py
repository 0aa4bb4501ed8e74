"""Exporting labels for research: lines of JSON or CSV, and the data sheet that says what they are."""

from __future__ import annotations

import csv
import hmac
import io
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row

from app.db import labelling, rollups
from app.db.archives import Archive
from app.db.session import reading
from app.game.labels import RULES_VERSION

Format = Literal["jsonl", "csv"]
Crowd = Literal["real", "simulated"]
FORMATS: tuple[Format, ...] = ("jsonl", "csv")
CROWDS: tuple[Crowd, ...] = ("real", "simulated")

# What each field means: the data sheet's table, and the order of the columns.
FIELDS = {
    "player": "pseudonym of this export alone: two exports cannot be joined by it",
    "simulated": "name of the simulated player; empty for a person",
    "day": "of the guess, UTC",
    "seconds": "from the deal to the guess, as the server measured it",
    "generator": "that wrote the sample, numbered within the archive",
    "arm": "as which the generator played: champion, candidate or anchor",
    "mode": "what the player played: endless, daily, challenge, practice or class",
    "arm_probability": "with which the arm was drawn",
    "card_probability": "with which the sample was drawn among those of like length",
    "policy_version": "how: 1 by chance alone, 2 a newcomer's first pair, 3 by the player's skill as well",
    "tweet": "number of the tweet in this game",
    "tweet_source_id": "id of the tweet at its source, where it has one",
    "tweet_text": "text of the tweet as it was shown",
    "sample": "number of the sample in this game",
    "sample_text": "text of the sample as it was shown; a machine wrote it, the account did not",
    "tweet_index": "place of the tweet: 0 left, 1 right",
    "pick": "place of the card that the player took for the tweet",
    "verdict": "spotted: the pick was the tweet; fooled: it was the sample",
    "remark": "what the player said gave the sample away: spelling, sense, repeats, style or other",
    "status": "accepted: it teaches; quarantined: it waits; excluded: it does not",
    "reason": "why not; empty where accepted",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet may run when a cell begins with it

REASONS = {
    "too quick": "nobody reads both cards in that time: 500 ms + 8 ms a character",
    "recognised": "the player said before the pick that they knew the tweet",
    "repeated card": "the player had met one of the cards",
    "no cookie": "the guess cannot be counted with the player's others",
    "chosen pair": "the pair was picked, not drawn",
    "daily cap": "more than 300 labels of one player on a day",
    "always the same side": "the player picked one side so often that no honest player would",
    "outlier": "the player spotted so few or so many tweets that no honest player of the crowd would",
    "retracted": "the player's labels were taken back",
    "by an admin": "a person decided so",
    "simulated": "the player is a program",
    "not simulated": "the game learned from simulated players only",
}


@dataclass(frozen=True)
class Export:
    """One export; its pseudonyms come from a key that is made for it, kept nowhere, and gone with it."""

    archive: Archive
    format: Format = "jsonl"
    crowd: Crowd = "real"
    with_texts: bool = False
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def fields(self) -> list[str]:
        """The fields of a line, in their order."""
        return [name for name in FIELDS if name != "tweet_text" or self.with_texts]

    def lines(self, connection: Connection) -> Iterator[str]:
        """The export as text, a line a guess, the oldest first; streamed, however many there are."""
        yield from self._lines(lambda after: self._page(connection, after))

    def lines_in_pages(self, engine: Engine) -> Iterator[str]:
        """The same for whoever may take long to read it: no connection to the database is held meanwhile."""

        def read(after: int) -> Sequence[Row[Any]]:
            with reading(engine) as connection:
                return self._page(connection, after)

        yield from self._lines(read)

    def data_sheet(self, connection: Connection, at: datetime) -> str:
        """What the export holds, how it came to be, and what it must not be used for; Markdown."""
        rows = labelling.count_by_status(connection, self.archive.id, simulated=self.crowd == "simulated")
        counts = {(row.status, row.reason or ""): int(row.labels) for row in rows}
        counted = "\n".join(
            f"| {status} | {reason} | {REASONS.get(reason, '')} | {count:,} |"
            for (status, reason), count in sorted(counts.items())
        )
        alarm = rollups.label_alarm(rollups.labels_by_status(connection, 0, self.archive.id), rollups.day_of(at))
        fields = "\n".join(f"| `{name}` | {FIELDS[name]} |" for name in self.fields)
        texts = "with the texts of tweets" if self.with_texts else "tweets by id only, without their texts"
        people = "people; simulated players are exported apart" if self.crowd == "real" else "simulated players only"
        return f"""# Data sheet: labels of {self.archive.slug}

Made on {at:%Y-%m-%d} by "Which tweet is real?"; label rules version {RULES_VERSION}; {self.format}, {people}; {texts}.

## What it is

One line a guess: which of two cards, a real tweet and a sample that a small neural network wrote, a player took for the
tweet. {sum(counts.values()):,} guesses.

## How it came to be

Players of a web game guessed in their own time, unpaid. Cards are drawn by chance within like lengths, for players of
known skill more often those about as hard as they are good (`policy_version` 3); `arm_probability` and
`card_probability` say with what chance. A guess is never changed; `status` and `reason` are our reading of it, by rules
for single guesses and by a joint model for players, and may be read anew. Who plays chose to: it is no sample of any
population.

| status | reason | meaning | guesses |
| --- | --- | --- | --- |
{counted}

{"**Note.** " + alarm + "." if alarm else "The share of labels that do not teach has not jumped in the last week."}

## Fields

| field | meaning |
| --- | --- |
{fields}

{_CSV_NOTE if self.format == "csv" else "UTF-8, one JSON object a line."}

## Who is in it

Players have a pseudonym of this export alone, made with a key that was thrown away. There are no names, no addresses
and no times, only days. Guesses of players who asked to be forgotten carry a pseudonym that leads to nobody, or are
gone.

## What it must not be used for

Finding out who somebody is. Showing a sample as if the account had posted it: samples are machine-written.

## Licence

Whoever runs this game collected the labels, and says on what terms you may use and pass them on; this sheet grants
nothing by itself. The texts of tweets belong to those who wrote them: where they are in here, do not pass them on.
Their ids may be passed on. Samples were made by a machine; nobody's authorship is claimed for them.
"""

    def _page(self, connection: Connection, after: int) -> Sequence[Row[Any]]:
        return labelling.export(connection, self.archive.id, simulated=self.crowd == "simulated", after=after)

    def _lines(self, read: Callable[[int], Sequence[Row[Any]]]) -> Iterator[str]:
        if self.format == "csv":
            yield _csv_line(self.fields)
        after = 0
        while rows := read(after):
            after = rows[-1].id
            for row in rows:
                values = self._values(row)
                if self.format == "csv":
                    yield _csv_line([cell(values[name]) for name in self.fields])
                else:
                    yield json.dumps({name: values[name] for name in self.fields}, ensure_ascii=False) + "\n"

    def _values(self, row: Row[Any]) -> dict[str, Any]:
        own = {
            "player": hmac.digest(self.key, str(row.player_id).encode(), "sha256")[:8].hex(),
            "day": row.guessed_at.date().isoformat(),
            "seconds": round((row.guessed_at - row.dealt_at).total_seconds(), 1),
            "generator": f"v{row.number}",
            "tweet": row.tweet_id,
            "sample": row.sample_id,
            "sample_text": row.sample,
        }
        return {name: own[name] if name in own else getattr(row, name) for name in self.fields}


_CSV_NOTE = (
    "UTF-8, commas, the first line names the fields. A text that a spreadsheet could take for a formula begins with an"
    " apostrophe, which is not part of it."
)


def cell(value: Any) -> Any:
    """A value as a cell: a text that a spreadsheet would run is made one that it shows."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value


def _csv_line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
