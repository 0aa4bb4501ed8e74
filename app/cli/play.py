"""The commands `serve` and `play`: the web server alone, and the whole game on one machine."""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.data_folder import try_data_folder
from app.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

HOUSE = Path(__file__).resolve().parents[2]
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # how this machine reaches who listens everywhere


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(play)
    app.command()(serve)


HostOption = Annotated[str | None, typer.Option(help="address to listen on (WHICHTWEET_HOST)")]
PortOption = Annotated[int | None, typer.Option(help="port to listen on (WHICHTWEET_PORT)", min=0, max=65535)]


def serve(host: HostOption = None, port: PortOption = None) -> None:
    """Serve the pages and the API. Samples come from the shelf: this process never trains."""
    settings = settings_of(host, port)
    try_data_folder(settings.data_dir)
    _share_one_arena()
    # Imported here: the other commands should not wait for the web framework.
    with _made_to_stay():
        import uvicorn

        from app.cli.logs import write_logs
        from app.cli.public import refuse_half_public
        from app.db.migrate import migrate
        from app.db.session import open_engine
        from app.main import create_app
        from app.web.connection import Connection

        engine = open_engine(settings.database)
        migrate(engine)
        refuse_half_public(settings, engine)
        if settings.port:  # 0 is whichever is free
            check_port(settings.host, settings.port)
        write_logs(settings.log_level)
        _start_metrics(settings, engine)
        app = create_app(settings)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=Connection,
        loop="uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        log_config=None,  # its warnings go where ours do
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )


def _share_one_arena() -> None:
    """Have the threads of this process take memory from one place: one at a time runs anyway, and each arena of its
    own would keep what it freed. Where the C library is not GNU's there is nothing to do."""
    m_arena_max = -8
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(m_arena_max, 1)


@contextmanager
def _made_to_stay() -> Iterator[None]:
    """What the block makes is not looked through for garbage, neither while it is made nor ever after."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def play(host: HostOption = None, port: PortOption = None) -> None:
    """Play at once: open the demo if there is no archive yet, then run the web server and the worker."""
    settings = settings_of(host, port)
    try_data_folder(settings.data_dir)
    check_port(settings.host, settings.port)
    from app.db.migrate import migrate
    from app.db.session import open_engine
    from app.jobs.demo import open_demo

    engine = open_engine(settings.database)
    migrate(engine)
    if open_demo(engine, settings.checkpoints):
        say("Opened the demo archive: the posts of a mayor who does not exist.")
    engine.dispose()
    Household(settings).run()


class Household:
    """The processes of a game on one machine: the web server, the worker, and TensorFlow's installer if need be."""

    def __init__(self, settings: Settings, opens: str | None = None, house: Path = HOUSE) -> None:
        """`opens`: the page that a desktop's browser opens; the game's where None. `house`: where the program lies."""
        self.settings = settings
        self.opens = opens
        self.house = house
        self.stopping = False
        self.environment = os.environ | {
            "WHICHTWEET_HOST": settings.host,
            "WHICHTWEET_PORT": str(settings.port),
            "WHICHTWEET_DATA_DIR": str(settings.data_dir),
        }

    def run(self) -> None:
        """Start everything, and keep it running until a signal asks to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        web = self._start("serve")
        address = address_of(self.settings.host, self.settings.port)
        if not self._wait_until_ready(web, address):
            self._end(web)
            sys.exit(0 if self.stopping else 1)
        say("Ready  (Ctrl-C stops)" if self.opens else f"Play at {address}  (Ctrl-C stops)")
        if _wants_browser(self.settings):
            webbrowser.open(self.opens or address)
        worker = self._start("work")
        installer = self._install_training()
        worker_started = time.monotonic()
        while not self.stopping and web.poll() is None:
            if worker.poll() is not None and time.monotonic() - worker_started > 10:
                say("The worker stopped; starting it again.")
                worker, worker_started = self._start("work"), time.monotonic()
            installer = self._heed(installer)
            time.sleep(0.2)
        if not self.stopping:
            say(f"The web server stopped (exit code {web.returncode}); stopping the rest.")
        for process in (web, worker, installer):
            self._end(process)
        sys.exit(0 if self.stopping else 1)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", *command],
            env=self.environment,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # single-threaded here
        )

    def _install_training(self) -> subprocess.Popen[bytes] | None:
        """Install TensorFlow in the background, so that play does not wait for it; go on where that was stopped."""
        # Imported here: the web server, whose command stands in this file too, does without.
        from app.jobs.supervising import trains

        script, lock = self.house / "tools" / "venv.sh", self.house / "requirements-train.lock"
        if trains() or not (script.exists() and lock.exists()) or sys.prefix == sys.base_prefix:
            return None
        say(f"Training needs TensorFlow: installing it in the background (log: {_shown(self._installers_log)}).")
        with self._installers_log.open("wb") as output:
            return subprocess.Popen(
                [str(script), "train"],
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def _heed(self, installer: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes] | None:
        """The installer while it is at work; said once where it came to nothing."""
        if installer is None or installer.poll() is None:
            return installer
        if installer.returncode:
            why = f"why stands in {_shown(self._installers_log)}"
            say(f"TensorFlow was not installed (exit code {installer.returncode}), so nothing trains: {why}.")
        return None

    @property
    def _installers_log(self) -> Path:
        return self.settings.data_dir / "setup-train.log"

    def _wait_until_ready(self, web: subprocess.Popen[bytes], address: str) -> bool:
        # Imported here: the web server, whose command stands in this file too, asks nobody anything.
        import httpx

        deadline = time.monotonic() + 60
        # One for all tries: each reads the certificates of the world, which keeps a core busy that the server needs. By
        # no proxy of the environment, for which this machine is another one.
        with httpx.Client(timeout=5, trust_env=False) as client:
            while not self.stopping and web.poll() is None and time.monotonic() < deadline:
                with suppress(httpx.TransportError):
                    client.get(address + "/healthz")
                    return True
                time.sleep(0.05)
        if web.poll() is None and not self.stopping:
            say("The web server did not answer within a minute; its messages stand above.")
        return False

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None or process.poll() is not None:
            return
        _signal_session(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            _signal_session(process.pid, signal.SIGKILL)
            process.wait()


def _signal_session(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def _die_with_parent() -> None:
    """Ask Linux to end this process if its parent is killed, so that nothing is left running."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def settings_of(host: str | None, port: int | None) -> Settings:
    """The settings, with the address and port that were typed, if any.

    Raises:
        SettingsError: one of them cannot be used.
    """
    given: dict[str, Any] = {"host": host, "port": port}
    return read_settings(**{name: value for name, value in given.items() if value is not None})


def address_of(host: str, port: int) -> str:
    """Where this machine finds a server that listens there."""
    reached = EVERYWHERE.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def check_port(host: str, port: int) -> None:
    """See before anything else is started that the port is free.

    Raises:
        SettingsError: it is not, or the address is none of this machine's.
    """
    if port == 0:
        raise SettingsError("found port 0, which is any that is free, expected one to call: make play PORT=8123")
    try:
        # The server's own options: a port in TIME_WAIT is free for it.
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port} ({error.strerror}): "
            f"stop the other program, or choose another port: make play PORT={port + 123}"
        ) from None


def _start_metrics(settings: Settings, engine: Engine) -> None:
    """Serve metrics; a port that nobody chose may be another program's, and the game goes on without them."""
    from app.web.metrics import start_metrics

    port = settings.metrics_port or settings.port + 1000
    if port == settings.port:
        raise SettingsError(
            f"cannot serve metrics on port {port}, the game's own: choose another port by WHICHTWEET_METRICS_PORT"
        )
    try:
        start_metrics(port, engine)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        words = f"cannot serve metrics on 127.0.0.1 port {port} ({reason}): choose another port by"
        if settings.metrics_port:
            raise SettingsError(f"{words} WHICHTWEET_METRICS_PORT") from None
        say(f"No metrics: {words} WHICHTWEET_METRICS_PORT.")


def _wants_browser(settings: Settings) -> bool:
    if settings.open_browser != "auto":
        return settings.open_browser == "yes"
    on_desktop = sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return on_desktop and sys.stdout.isatty() and shutil.which("xdg-open") is not None


def _shown(path: Path) -> str:
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def say(words: str) -> None:
    """One line on standard error. The one of workbench.py would bring all along that jobs need."""
    typer.echo(words, err=True)
