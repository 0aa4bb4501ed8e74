"""Opponents: the generators that are practised against, with all their samples; the latest few are kept in memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from sqlalchemy import Engine

from app.db import generators, shelf
from app.db.session import reading
from app.game.shelf import Arm, Rack
from app.game.third_parties import ThirdParties
from app.web.apart import apart
from app.web.entries import Entry
from app.web.problems import Problem

RACKS = 8  # generators that are kept in memory


class Opponents:
    """Finds them by number, and remembers whom it found."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._racks: OrderedDict[tuple[object, int, ThirdParties | None], Arm] = OrderedDict()

    async def find(self, entry: Entry, number: int) -> Arm:
        """The generator of that number, with all its samples that were ever vetted.

        Raises:
            Problem: 404; the archive has no generator of that number.
        """
        name = (entry.archive.mark, number, entry.others)
        known = self._racks.get(name)
        if known is not None:
            self._racks.move_to_end(name)
            hidden = entry.hidden_samples
            return known if hidden.isdisjoint(known.rack.ids) else replace(known, rack=known.rack.without(hidden))

        def read() -> Arm | None:
            with reading(self._engine) as connection:
                generator = generators.by_number(connection, entry.archive.id, number)
                if generator is None or generator.is_of_a_class:
                    return None
                rows = [row for row in shelf.all_of(connection, generator.id) if entry.shows(row.text)]
            ids, texts = [row.id for row in rows], [row.text for row in rows]
            return Arm("practice", generator.id, 1.0, Rack(ids, texts, [0] * len(ids), [None] * len(ids)))

        arm = await apart(read)
        if arm is None:
            raise Problem(404, "not-found", f"there is no generator v{number} of {entry.archive.slug}")
        self._racks[name] = arm
        while len(self._racks) > RACKS:
            self._racks.popitem(last=False)
        return arm
