"""The schema: every table, with what a row means, from the files of app/db/schema. Rows of tweets, samples, guesses and
generators never change what they say; columns that do change (counters, state) are named as such."""

from __future__ import annotations

from app.db.schema.admins import admin_sessions, admins, audit
from app.db.schema.archives import archives, imports, tweets, uploads
from app.db.schema.classes import class_members, class_rounds, classes
from app.db.schema.columns import Moment, metadata
from app.db.schema.generators import arms, canaries, decisions, generators, restocks, samples
from app.db.schema.guesses import attendance, guesses, remarks, tallies
from app.db.schema.labels import holds, label_sets, label_tallies, labels, screenings, set_players
from app.db.schema.players import forgotten, players, scores, seats, transfers
from app.db.schema.processes import counts, jobs, workers
from app.db.schema.sets import set_cards, set_scores, set_seats, sets

# Whoever imports from here, Alembic among them, sees every table.
__all__ = (
    "Moment",
    "admin_sessions",
    "admins",
    "archives",
    "arms",
    "attendance",
    "audit",
    "canaries",
    "class_members",
    "class_rounds",
    "classes",
    "counts",
    "decisions",
    "forgotten",
    "generators",
    "guesses",
    "holds",
    "imports",
    "jobs",
    "label_sets",
    "label_tallies",
    "labels",
    "metadata",
    "players",
    "remarks",
    "restocks",
    "samples",
    "scores",
    "screenings",
    "seats",
    "set_cards",
    "set_players",
    "set_scores",
    "set_seats",
    "sets",
    "tallies",
    "transfers",
    "tweets",
    "uploads",
    "workers",
)
