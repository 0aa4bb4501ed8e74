"""The desk, seen from the web: one process beside this one that reads and writes along (`app.web.desk_process`).

It starts with the first request and ends when nobody has asked for a while, so that play has the machine to itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

import structlog

from app.web.problems import Problem
from model.arithmetic import numpy_at_its_best

WAITING = 6  # requests that may wait for the one at the desk; a reading takes some 50 ms
PATIENCE = 20.0  # seconds until a desk that does not answer is closed
IDLE = 300.0  # seconds without a request after which the desk closes

log = structlog.get_logger(__name__)
HOUSE = Path(__file__).resolve().parents[2]

Answer = dict[str, Any]
Found = TypeVar("Found")


class Desk:
    """One request at a time, a few in line, and no more."""

    def __init__(self) -> None:
        self._one = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._in_line = 0
        self._process: subprocess.Popen[str] | None = None
        self._closing: threading.Timer | None = None

    async def read(self, ask: dict[str, Any]) -> Answer:
        """The readings of texts (see `app.web.desk_process.read_aloud`).

        Raises:
            Problem: 503; too many are in line, or the network's files are not on this machine.
        """
        return await self._next(lambda: self._asked({"do": "read", **ask}))

    async def write(self, ask: dict[str, Any], forbids: Callable[[str], bool]) -> list[Answer]:
        """The characters of a text that the network writes, each with its odds.

        `forbids` says of a text whether it may not be shown: then its last character is drawn again.

        Raises:
            Problem: 503; too many are in line, or the network's files are not on this machine.
        """
        return await self._next(lambda: self._written({"do": "write", **ask}, forbids))

    def close(self) -> None:
        """End the process, if there is one."""
        self._one.submit(self._end).result()
        self._one.shutdown()

    async def _next(self, work: Callable[[], Found]) -> Found:
        if self._in_line > WAITING:
            raise Problem(503, "desk-busy", "many are looking inside at the moment: try again", retry_after=3)
        self._in_line += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._one, self._timed, work)
        finally:
            self._in_line -= 1

    def _timed(self, work: Callable[[], Found]) -> Found:
        """Do the work, in the desk's own thread; a desk that hangs is closed, and the next request gets a new one."""
        if self._closing is not None:
            self._closing.cancel()
        process = self._open()
        alarm = threading.Timer(PATIENCE, process.kill)
        alarm.start()
        try:
            return work()
        except (OSError, ValueError) as error:
            log.warning("the desk was closed", reason=type(error).__name__)
            self._end()
            raise Problem(503, "desk-busy", "the network did not answer: try again", retry_after=3) from None
        except Problem:
            raise
        except Exception:
            # In the middle of a text, perhaps: what is left of it would be the answer to whoever comes next.
            self._end()
            raise
        finally:
            alarm.cancel()
            self._closing = threading.Timer(IDLE, self._end_when_idle)
            self._closing.daemon = True
            self._closing.start()

    def _asked(self, ask: dict[str, Any]) -> Answer:
        self._send(json.dumps(ask))
        return self._receive()

    def _written(self, ask: dict[str, Any], forbids: Callable[[str], bool]) -> list[Answer]:
        self._send(json.dumps(ask))
        text, choices = ask["prompt"], []
        while "done" not in (choice := self._receive()):
            if choice["c"] and forbids(text + choice["c"]):
                self._send("no")
                continue
            self._send("yes")
            text += choice["c"]
            choices.append(choice)
        return choices

    def _send(self, line: str) -> None:
        pipe = _pipe(self._open().stdin)
        pipe.write(line + "\n")
        pipe.flush()

    def _receive(self) -> Answer:
        answer: Answer = json.loads(_pipe(self._open().stdout).readline())
        if "error" in answer:
            log.warning("a network cannot be read", reason=answer["error"])
            raise Problem(503, "no-network", "the network's own files are not on this machine")
        return answer

    def _open(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.web.desk_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=os.environ | numpy_at_its_best(),
                cwd=HOUSE,
                # Out of the terminal's reach: Ctrl-C is for the server, which then closes the desk.
                start_new_session=True,
            )
        return self._process

    def _end_when_idle(self) -> None:
        self._one.submit(lambda: self._end() if self._in_line == 0 else None)

    def _end(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise OSError("the desk was opened without pipes")
    return pipe
