"""Recording guesses: a batch in one transaction, each answered exactly once and for good."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.db import batch as batches
from app.db import batch_writing, ratings, sittings
from app.db.batch import Batch, Guess, House
from app.db.players import Player
from app.db.rollups import LabelKey
from app.db.sittings import Sitting
from app.db.tallies import TallyKey
from app.game import labels as label_rules
from app.game import scoring, skill
from app.game.labels import Sighting, Standing

SECONDS_PER_DAY = 86_400
_AT_X = re.compile(r"[A-Za-z0-9_]{1,20}")  # other places have handles with dots and hyphens
_ID_AT_X = re.compile(r"[0-9]{7,20}")  # fewer digits may be the number of a row
_JSON = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True)
class Recorded:
    """The answer to a guess, byte for byte as it was first given."""

    answer: str
    is_new: bool


class GuessRefused(Exception):  # noqa: N818  # an answer, not a mistake
    """A guess that is not recorded; the message says why."""


class OtherPick(GuessRefused):
    """This round was guessed before, with the other card."""

    def __init__(self, answer: str) -> None:
        super().__init__("this round was answered before, with the other card")
        self.answer = answer


class Expired(GuessRefused):
    """The round was never guessed at and is too old now."""


class Superseded(GuessRefused):
    """The player has passed this place with another round, or was forgotten."""


class OutOfTurn(GuessRefused):
    """The round before this one is still open."""


Outcome = Recorded | GuessRefused


def record(connection: Connection, batch: Sequence[Guess], house: House) -> list[Outcome]:
    """Record guesses in order; for each its answer or why it was refused. All are on disk after the commit."""
    seen = batches.read(connection, batch)
    sittings.read(connection, seen, batch)
    outcomes = [_record_one(seen, guess, house) for guess in batch]
    if seen.rows:
        batch_writing.write(connection, seen, house)
        sittings.keep(connection, seen)
    return outcomes


def _record_one(seen: Batch, guess: Guess, house: House) -> Outcome:
    if guess.deal.id in seen.answers:
        pick, answer = seen.answers[guess.deal.id]
        return Recorded(answer, is_new=False) if pick == guess.pick else OtherPick(answer)
    if guess.is_expired:
        return Expired("this round has expired: ask for a new one")
    player = seen.players.get(guess.deal.player)
    if player is None:
        is_forgotten = guess.deal.player in seen.forgotten
        return Superseded("this round is no longer open") if is_forgotten else OutOfTurn(_FIRST_THINGS)
    due = sittings.due(seen, guess, player)
    if guess.deal.start != due:
        return OutOfTurn(_FIRST_THINGS) if guess.deal.start > due else Superseded("this round is no longer open")
    verdict = scoring.verdict(guess.pick, guess.deal.tweet_index)
    sitting = sittings.move_on(seen, guess, player, verdict)
    # A card that came up in another mode since this round was dealt is no first sight any more.
    if sittings.has_met(seen, guess, player) and not guess.deal.repeat:
        guess = guess._replace(deal=guess.deal._replace(repeat=True))
    stands = _label(seen, guess, player, house)
    ratings.note(seen, guess, player, verdict, stands.label)
    answer = _answer(seen, guess, verdict, sitting, player)
    _note(seen, guess, player, verdict, stands, answer)
    return Recorded(answer, is_new=True)


_FIRST_THINGS = "the round before this one is still open: answer it first"


def _label(seen: Batch, guess: Guess, player: Player, house: House) -> Standing:
    today = _day(guess.guessed_at)
    before = player.last_guess_at
    ruled = label_rules.judge(
        Sighting(
            shown_at=guess.deal.dealt_at if before is None else max(guess.deal.dealt_at, before),
            guessed_at=guess.guessed_at,
            characters=guess.deal.characters,
            has_cookie=guess.has_cookie,
            is_simulated=player.simulated is not None,
            is_repeat=guess.deal.repeat,
            recognised=guess.recognised,
            accepted_today=player.day_accepted if player.day == today else 0,
            mode=guess.deal.mode,
            is_chosen=guess.deal.is_chosen,
            class_teaches=guess.class_teaches,
        ),
        house.learn_from,
    )
    stands = label_rules.standing(ruled, is_retracted=player.retracted_at is not None)
    accepted_before = player.day_accepted if player.day == today else 0
    if player.day != today:
        attending = seen.attending[today, player.crowd]
        attending.players += 1
        attending.newcomers += before is None
    seen.players[guess.deal.player] = player._replace(
        last_guess_at=guess.guessed_at,
        day=today,
        day_accepted=accepted_before + (stands.label.status == "accepted"),
    )
    seen.moved.add(guess.deal.player)
    return stands


def _answer(seen: Batch, guess: Guess, verdict: scoring.Verdict, sitting: Sitting, player: Player) -> str:
    deal = guess.deal
    posted_at, source_id = seen.tweets.get(deal.tweet_id, (None, None))
    sample = seen.samples[deal.sample_id]
    sample.exposures += 1
    if player.simulated is None:
        sample.guesses += 1
        sample.fooled += verdict == "fooled"
        seen.shown_tweets[deal.tweet_id].guesses += 1
        seen.shown_tweets[deal.tweet_id].fooled += verdict == "fooled"
    seen.exposed.add(deal.sample_id)
    body = {
        "guess": deal.id.hex(),
        "verdict": verdict,
        "tweet": deal.tweet_index,
        "posted_at": posted_at and posted_at.isoformat().replace("+00:00", "Z"),
        "url": link(seen.links[deal.archive_id], source_id),
        "generator": f"v{seen.numbers[deal.generator_id]}",
        "fool_rate": scoring.fool_rate(sample.fooled, sample.guesses),
        "guesses": sample.guesses,
        "streak": sitting.streak,
        "played": sitting.played,
        "spotted": sitting.spotted,
        "skill": skill.told(seen.players[deal.player].belief),
    }
    return _JSON.encode(body)


def link(handle: str | None, source_id: str | None) -> str | None:
    """Where a tweet stands at its source, if an account posted it and its id is one of there."""
    is_account = handle is not None and _AT_X.fullmatch(handle) is not None
    is_id = source_id is not None and _ID_AT_X.fullmatch(source_id) is not None
    return f"https://x.com/{handle}/status/{source_id}" if is_account and is_id else None


def _note(seen: Batch, guess: Guess, player: Player, verdict: scoring.Verdict, stands: Standing, answer: str) -> None:
    deal = guess.deal
    seen.answers[deal.id] = (guess.pick, answer)
    rated = seen.players[deal.player]
    told = {
        "round_id": deal.id,
        "set_id": deal.set_id or None,
        "player_id": player.id,
        "policy_version": deal.policy,
        "verdict": verdict,
        "answer": answer,
        "skill": rated.skill,
        "skill_variance": rated.skill_variance,
    }
    seen.rows.append(deal._asdict() | guess._asdict() | told)
    seen.labels.append(stands)
    label = stands.label
    key = TallyKey(deal.archive_id, deal.generator_id, _day(guess.guessed_at), deal.mode, player.crowd)
    count = seen.counts[key]
    count.guesses += 1
    count.fooled += verdict == "fooled"
    count.accepted += label.status == "accepted"
    seen.label_counts[LabelKey(deal.archive_id, key.day, label.status, label.reason or "")] += 1


def _day(moment: datetime) -> int:
    return int(moment.timestamp() // SECONDS_PER_DAY)
