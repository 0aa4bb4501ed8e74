"""Ratings: how a guess moves the player's skill, the sample's strength and the scores of its day and week."""

from __future__ import annotations

from app.db import scores
from app.db.batch import Batch, Guess
from app.db.players import Player
from app.game import boards, skill
from app.game.labels import Label
from app.game.scoring import Verdict


def note(seen: Batch, guess: Guess, before: Player, verdict: Verdict, label: Label) -> None:
    """Move what a guess moves; `before`: the player as they were before it.

    Cards that the player had seen say nothing of skill, nor does a pair that was chosen for being easy. A sample's
    strength is told by accepted labels of real players alone: nobody makes a sample strong by picking blindly.
    """
    deal = guess.deal
    if deal.repeat or guess.recognised or deal.is_chosen:
        return
    player, sample = seen.players[deal.player], seen.samples[deal.sample_id]
    was = sample.belief
    belief, moved = skill.after(player.belief, was, verdict)
    seen.players[deal.player] = player._replace(skill=belief.mean, skill_variance=belief.variance)
    if player.simulated is not None:
        return
    if label.status == "accepted":
        sample.strength, sample.strength_variance = moved.mean, moved.variance
    if not boards.counts(deal.mode, repeat=deal.repeat, recognised=guess.recognised, has_cookie=guess.has_cookie):
        return
    for key in scores.keys(deal.archive_id, player.id, guess.guessed_at):
        old = seen.scores.get(key)
        seen.scores[key] = boards.after(old, was, verdict, guess.guessed_at, before.last_guess_at)
        seen.scored.add(key)
