"""The web application: lays out what the routes use, and hands every part the values it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.db.archives import Archive
from app.db.batch import House
from app.db.session import is_sqlite, now, open_engine
from app.game.vetting import LONGEST, BlockedWords, CardRules
from app.keys import operator_key, secret_keys
from app.settings import Settings
from app.web import (
    about,
    admin,
    api,
    board,
    classroom,
    errors,
    hall,
    health,
    inside,
    invitations,
    lobby,
    moving,
    outcomes,
    own,
    pages,
    static,
    thin,
    verdicts,
)
from app.web.about import About
from app.web.admin.office import Office
from app.web.admin.threshold import Threshold
from app.web.catalogue import Catalogue
from app.web.codes import TransferCodes
from app.web.dealer import Dealer
from app.web.desk import Desk
from app.web.discretion import Discretion
from app.web.entries import Fault
from app.web.fixed import FixedSets
from app.web.guard import Guard
from app.web.identity import Identity
from app.web.inside import Inside
from app.web.limits import Counters, Limits
from app.web.recorder import Recorder
from app.web.rooms import Rooms
from app.web.sealed import RoundSeal
from app.web.services import Services
from app.web.sharing import Sharing
from app.web.troubles import Troubles

THREADS = 10  # that wait for the database: each has a connection of its own, with pages and statements it remembers
PATIENCE = 3.0  # seconds that a player waits for a database that is busy or away, three times over at most

ROOMS = (
    api,
    board,
    classroom,
    health,
    invitations,
    lobby,
    moving,
    outcomes,
    own,
    pages,
    static,
    verdicts,
)


def create_app(settings: Settings) -> FastAPI:
    """The application for these settings; it opens the database when it starts to serve.

    Raises:
        SettingsError: a key or a word list cannot be used.
    """
    # Each process counts for itself; those on a shared database sum up once a second.
    counters = Counters()
    services = _services(settings, counters)
    shared = None if is_sqlite(settings.database) else Sharing(services.engine, counters, secret_keys(settings)[0])
    view = _inside(settings, services, counters)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        services.catalogue.start()
        services.recorder.start()
        if shared is not None:
            shared.start()
        yield
        view.desk.close()
        if shared is not None:
            shared.stop()
        services.recorder.stop()
        services.catalogue.stop()
        services.dealer.close()
        services.engine.dispose()

    app = FastAPI(
        title="Which tweet is real?",
        description="Two cards: one tweet, one sample that a neural network wrote. Which is which?",
        version="1",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        # Our own metrics tell what is asked, and how long it takes.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.services = services
    thin.include(app, api.busy)
    for room in ROOMS:
        app.include_router(room.router)
    inside.mount(app, view)
    hall.mount(app)
    about.mount(app, About(settings.operator.strip(), settings.contact.strip()))
    troubles = Troubles(now())
    admin.mount(app, _office(settings, services, counters, troubles))
    errors.register(app, troubles)
    app.add_middleware(Guard, is_https=settings.is_https)
    if settings.trusted_proxies:
        # Outermost: whoever asks for the address gets the player's.
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    return app


def _inside(settings: Settings, services: Services, counters: Counters) -> Inside:
    discretion = Discretion(services.engine, services.catalogue, services.round_life)
    return Inside(Desk(), discretion, settings.checkpoints, Limits(inside.PER_PLAYER, inside.PER_NETWORK, counters))


def _office(settings: Settings, services: Services, counters: Counters, troubles: Troubles) -> Office:
    return Office(
        engine=services.engine,
        troubles=troubles,
        threshold=Threshold(secret_keys(settings), counters),
        uploads=settings.data_dir / "uploads",
        checkpoints=settings.checkpoints,
        blocked_words=BlockedWords.read(settings.blocked_words),
        retrain_cron=settings.retrain_cron,
        retrain_min_labels=settings.retrain_min_labels,
        sample_retires_after=settings.sample_retires_after,
        shelf_low=settings.shelf_low,
        train_minutes=settings.train_minutes,
        learn_from=settings.learn_from,
        canary_share=settings.canary_share,
        anchor_share=settings.anchor_share,
        guesses_kept_days=settings.guesses_kept_days,
        is_https=settings.is_https,
    )


def _services(settings: Settings, counters: Counters) -> Services:
    secrets = secret_keys(settings)
    engine = open_engine(settings.database, PATIENCE)
    words = BlockedWords.read(settings.blocked_words)

    def faults(archive: Archive) -> Fault:
        include = settings.deck_include if archive.own.deck_include is None else archive.own.deck_include
        return CardRules(words, longest=LONGEST[archive.unit], include=include).card_fault

    catalogue = Catalogue(engine, faults, settings.deck_include)
    seal = RoundSeal(secrets)
    fixed = FixedSets(engine)
    life = timedelta(minutes=settings.round_minutes)
    return Services(
        engine=engine,
        catalogue=catalogue,
        identity=Identity(secrets, operator_key(settings), settings.is_https),
        seal=seal,
        dealer=Dealer(engine, catalogue, fixed, seal, life),
        fixed=fixed,
        recorder=Recorder(engine, House(settings.sample_retires_after, settings.learn_from)),
        limits=Limits(settings.rate_limit, settings.network_rate_limit, counters),
        round_life=life,
        moving=TransferCodes(secrets, counters),
        blocked_words=words,
        rooms=Rooms(engine),
    )
