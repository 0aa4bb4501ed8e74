"""Does a network recite what it has read?  python -m tools.recital model/base --samples 10000

Writes samples, keeps those that the base's own rule lets pass (no run of 40 bytes that it has read), and looks for the
longest runs that they share with any text of the files in ../shared/data. Says so where that folder is not there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.archives.formats import open_records
from app.archives.source import open_source
from app.game.novelty import CopyIndex
from app.game.strangers import Recited
from app.jobs.base import READ, shipped_base
from app.jobs.writers import Writers
from model.sampling import Decoding
from model.text import normalise

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
RUN = 40  # characters that no sample may share


def shared_texts() -> Iterator[str]:
    """Every text of the archives beside the repository, with what imports leave out."""
    for file in sorted((*SHARED.glob("*.json"), *SHARED.glob("*.csv"))):
        with open_source(file, "strict") as source:
            for record in open_records(source, "auto", None).records:
                if isinstance(record.text, str):
                    yield normalise(record.text)


def longest_recital(texts: Sequence[str]) -> tuple[int, list[str]]:
    """The longest run of characters that a text shares with the archives, and the texts that share 40 or more."""
    index = CopyIndex(shared_texts())
    runs = [index.longest_run(text).length for text in texts]
    return max(runs, default=0), [text for text, run in zip(texts, runs, strict=True) if run >= RUN]


def main() -> int:
    """Count who recites; 1 where a sample that passed the rule does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--samples", type=int, default=10_000)
    arguments = parser.parse_args()
    base = shipped_base()
    if not SHARED.is_dir() or base is None:
        print(f"not tried: {'there is no base' if base is None else f'{SHARED} is not there'}")  # noqa: T201
        return 0
    rule = Recited.read(base / READ)
    written: list[str] = []
    with Writers(arguments.checkpoint, Decoding().to_json(), 280) as writers:
        for drafts in writers.drafts(1 << 30):
            written += [normalise(draft.text) for draft in drafts if draft.ended]
            if len(written) >= arguments.samples:
                break
    drafts_that_recite = longest_recital(written)[1]
    passed = [text for text in written if not rule.holds(text)]
    run, left = longest_recital(passed)
    print(  # noqa: T201
        f"of {len(written):,} drafts {len(drafts_that_recite)} share {RUN} characters or more with {SHARED};"
        f" {len(passed):,} pass the rule, {len(left)} of them do, the longest run has {run}"
    )
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
