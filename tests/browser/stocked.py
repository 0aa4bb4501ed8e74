"""What lies in the game that browser tests play."""

from __future__ import annotations

import json
from pathlib import Path

from factories import ALPHABET, add_archive, add_generator, add_samples, add_tweets
from sqlalchemy import Connection


def fill(connection: Connection) -> None:
    """The demo's own posts on both sides: what a card holds does not matter here, but its length does."""
    file = Path(__file__).resolve().parents[2] / "demo" / "mayor_of_gannet.jsonl"
    posts = [json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()]
    posts = [post for post in posts if 40 <= len(post) <= 280 and post[0] not in "@."][:800]
    archive_id = add_archive(connection, "mayor-of-gannet", name="Mayor of Port Gannet", handle="MayorOfGannet")
    add_tweets(connection, archive_id, posts[::2])
    generator_id = add_generator(connection, archive_id, alphabet="".join(set(ALPHABET).union(*posts)))
    add_samples(connection, archive_id, generator_id, posts[1::2], guesses=11, fooled=4)
