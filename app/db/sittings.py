"""Sittings: how a guess moves the player on, in their own order of the deck or in a fixed set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Column, Connection, select

from app.db import sets
from app.db.batch import Batch, Guess
from app.db.players import Player
from app.db.prepared import Prepared
from app.db.seats import SeatRow
from app.db.sets import ScoreKey, SetSeat
from app.db.tables import guesses
from app.game import levels, scoring
from app.game.scoring import Verdict
from app.game.sets import TEN, moved_on


@dataclass(frozen=True)
class Sitting:
    """How the player stands once a guess counts: in the set, or in the archive and mode."""

    played: int
    spotted: int
    streak: int


def due(seen: Batch, guess: Guess, player: Player) -> int:
    """The place that the player is to answer next."""
    deal = guess.deal
    if deal.set_id:
        sitting = seen.sittings.get((player.id, deal.set_id))
        return sitting.place if sitting else 0
    seat = seen.seats.get((player.id, deal.archive_id, deal.mode))
    if seat is None:
        return 0
    return seat.again if deal.again else seat.position


def move_on(seen: Batch, guess: Guess, player: Player, verdict: Verdict) -> Sitting:
    """Seat the player behind this round."""
    deal = guess.deal
    place = (player.id, deal.archive_id, deal.mode)
    seat = seen.seats.get(place) or SeatRow(*place, 0, 0, deal.stamp, deal.stamp, 0, 0, 0, 0)
    seat = _next_seat(seat, guess, verdict, player)
    seen.seats[place] = seat
    seen.sat.add(place)
    if deal.set_id:
        sitting = _next_place(seen, guess, player, verdict)
        return Sitting(len(sitting.verdicts), sitting.spotted, seat.streak)
    if deal.mode == "endless" and seat.guesses == TEN and player.simulated is None:
        seen.firsts[deal.archive_id, seat.spotted] += 1
    return Sitting(seat.guesses, seat.spotted, seat.streak)


def _next_seat(seat: SeatRow, guess: Guess, verdict: Verdict, player: Player) -> SeatRow:
    deal = guess.deal
    streak = scoring.streak(seat.streak, verdict)
    is_own = not deal.set_id
    # Simulated players measure samples: theirs are drawn by chance alone.
    is_aimed = deal.mode == "endless" and player.simulated is None
    return SeatRow(
        player_id=seat.player_id,
        archive_id=seat.archive_id,
        mode=seat.mode,
        position=deal.position + 1 if is_own and not deal.again else seat.position,
        again=deal.position + 1 if is_own and deal.again else seat.again,
        # The next deal may be prefetched already, with the stamp and the skill that were laid down for it.
        stamp=seat.next_stamp,
        next_stamp=max(seat.next_stamp, guess.shelf_stamp),
        skill=seat.next_skill,
        next_skill=levels.known(player.belief) if is_aimed else None,
        guesses=seat.guesses + 1,
        spotted=seat.spotted + (verdict == "spotted"),
        streak=streak,
        best_streak=max(seat.best_streak, streak),
    )


def _next_place(seen: Batch, guess: Guess, player: Player, verdict: Verdict) -> SetSeat:
    deal = guess.deal
    name = (player.id, deal.set_id)
    before = seen.sittings.get(name) or SetSeat(*name, 0, 0, "", guess.guessed_at, None)
    is_last = deal.position >= seen.last_places.get(deal.set_id, 0)
    sitting = replace(
        before,
        place=deal.position + 1,
        spotted=before.spotted + (verdict == "spotted"),
        verdicts=moved_on(before.verdicts, deal.position, verdict),
        # Whoever was through stays so: a place that was taken out then, and is shown again, is played on top of it.
        finished_at=before.finished_at or (guess.guessed_at if is_last else None),
    )
    seen.sittings[name] = sitting
    seen.sat_down.add(name)
    if sitting.finished_at is not None and player.simulated is None:
        if before.finished_at is not None:  # counted already, at the score that they had
            seen.reached[ScoreKey(deal.set_id, before.spotted)] -= 1
        seen.reached[ScoreKey(deal.set_id, sitting.spotted)] += 1
    return sitting


def _met(card: Column[int]) -> Prepared:
    return Prepared(select(guesses.c.player_id, card), among=("cards", (guesses.c.player_id, card)))


_MET = {"tweet": _met(guesses.c.tweet_id), "sample": _met(guesses.c.sample_id)}


def read(connection: Connection, seen: Batch, batch: Sequence[Guess]) -> None:
    """Look up, and lock in a fixed order, where the players of a batch stand in sets, and which cards they met."""
    deals = [guess.deal for guess in batch]
    known = [deal for deal in deals if deal.player in seen.players]
    seats = {(seen.players[deal.player].id, deal.set_id) for deal in known if deal.set_id}
    seen.sittings |= sets.locked(connection, seats)
    seen.last_places |= sets.lengths(connection, {deal.set_id for deal in deals if deal.set_id})
    for kind, query in _MET.items():
        wanted = {(seen.players[deal.player].id, getattr(deal, f"{kind}_id")) for deal in known}
        seen.met |= {(player, kind, card) for player, card in query.rows(connection, cards=list(wanted))}


def has_met(seen: Batch, guess: Guess, player: Player) -> bool:
    """Whether the player met a card of this round before; from now on they have."""
    deal = guess.deal
    cards = {(player.id, "tweet", deal.tweet_id), (player.id, "sample", deal.sample_id)}
    is_known = not cards.isdisjoint(seen.met)
    seen.met |= cards
    return is_known


def keep(connection: Connection, seen: Batch) -> None:
    """Write what moved in fixed sets, and the scores that were reached."""
    sets.keep(connection, [seen.sittings[name] for name in seen.sat_down])
    if seen.firsts:
        at = min(row["guessed_at"] for row in seen.rows)
        own = sets.first_tens(connection, {archive_id for archive_id, _ in seen.firsts}, at)
        for (archive_id, score), players in seen.firsts.items():
            seen.reached[ScoreKey(own[archive_id], score)] += players
    sets.count(connection, seen.reached)
