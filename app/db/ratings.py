"""Ratings: how a guess moves the player's skill, the sample's strength and the scores of its day and week."""

from __future__ import annotations

from app.db import scores
from app.db.batch import Batch, Guess
from app.db.players import Player
from app.game import boards, skill
from app.game.labels import Label
from app.game.scoring import Verdict
from app.game.skill import Belief


def note(seen: Batch, guess: Guess, before: Player, verdict: Verdict, label: Label) -> None:
    """Move what a guess moves; `before`: the player as they were before it.

    Cards that the player had seen say nothing of skill, nor does a pair that was chosen for being easy, nor a pick in
    a class, where people talk; and by a skill that had moved, the next answer elsewhere would tell its verdict before
    the wall does. A sample's strength is told by accepted labels of real players alone: nobody makes a sample strong by
    picking blindly.
    """
    deal = guess.deal
    if deal.repeat or deal.is_chosen or deal.mode == "class":
        return
    player, sample = seen.players[deal.player], seen.samples[deal.sample_id]
    was = sample.belief
    if not guess.recognised:
        belief, moved = skill.after(player.belief, was, verdict)
        seen.players[deal.player] = player._replace(skill=belief.mean, skill_variance=belief.variance)
        if label.status == "accepted" and player.simulated is None:
            sample.strength, sample.strength_variance = moved.mean, moved.variance
    if player.simulated is None:
        _rank(seen, guess, before, verdict, was)


def _rank(seen: Batch, guess: Guess, before: Player, verdict: Verdict, sample: Belief) -> None:
    is_owned = guess.has_cookie and not guess.recognised
    for key in scores.keys(guess.deal.archive_id, before.id, guess.guessed_at):
        old = seen.scores.get(key)
        if boards.counts(guess.deal.mode, verdict, repeat=guess.deal.repeat, is_owned=is_owned, has_score=bool(old)):
            seen.scores[key] = boards.after(old, sample, verdict, guess.guessed_at, before.last_guess_at)
            seen.scored.add(key)
