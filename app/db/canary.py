"""The canary: a candidate plays a share of the rounds; the champion has what the others leave."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from app.db import samples
from app.db.generators import CANDIDATE, CHAMPION, arms_of, clear_arm, place


def give_share(connection: Connection, archive_id: int, generator_id: int, share: float, at: datetime) -> None:
    """Let a generator play `share` of the rounds as the candidate; 0.0 ends the canary.

    Raises:
        ValueError: there is no champion to share with, or nothing would be left for it.
    """
    playing = arms_of(connection, archive_id)
    champion = playing.get(CHAMPION)
    others = sum(arm.share for name, arm in playing.items() if name not in (CHAMPION, CANDIDATE))
    if champion is None or share < 0 or share + others >= 1:
        raise ValueError(f"found a share of {share:.0%} for the candidate, expected one that leaves some to a champion")
    samples.lock_shelf(connection, archive_id)
    stamp = samples.next_stamp(connection, archive_id)
    if share:
        place(connection, archive_id, CANDIDATE, generator_id, share, at)
    else:
        clear_arm(connection, archive_id, CANDIDATE)
    place(connection, archive_id, CHAMPION, champion.generator_id, 1.0 - share - others, champion.since)
    keep = {arm.generator_id for arm in arms_of(connection, archive_id).values() if arm.share > 0}
    if not share:
        samples.retire_others(connection, archive_id, keep, stamp)
