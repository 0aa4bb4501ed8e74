"""How jobs end that do not end well, in words for people."""

from __future__ import annotations


class JobError(RuntimeError):
    """A job cannot be done; the message is one line that says why and what to do."""


class Skipped(JobError):  # noqa: N818  # not a mistake: there was nothing to do
    """A job was not worth doing; the message says why."""


class Interrupted(Exception):  # noqa: N818  # asked for, not a mistake
    """A job was asked to stop. What it did so far is kept, and doing it again goes on from there."""
