"""A worker that dies at a step: `python dying.py DATABASE FOLDER [STEP]`.

It is the real worker in a process of its own; only the training is a stand-in. At STEP it is killed when the work of
the step is done and before anything remembers that.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from letters import seeded, stand_in, workshop_of

from app.db.session import open_engine
from app.jobs import retraining, studying, supervising, worker, workflows


def main() -> None:
    url, folder, die_at = sys.argv[1], Path(sys.argv[2]), (*sys.argv[3:], "")[0]
    once = workflows.once

    def step(name: str, do: Callable[[], Any]) -> Any:
        def attempt() -> Any:
            result = do()
            if name == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return once(name, attempt)

    workflows.once = step
    supervising.trains = lambda: True
    retraining.need_tensorflow = lambda: None
    studying.train = stand_in()
    working = worker.Worker(workshop_of(open_engine(url), folder), f"sqlite:///{folder / 'jobs.db'}")
    signal.signal(signal.SIGTERM, lambda *_: working.stop())
    with seeded(1 << 51):
        working.run()


if __name__ == "__main__":
    main()
