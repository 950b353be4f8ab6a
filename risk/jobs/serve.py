"""Run the service over a home: everything is opened and checked before the address is told, one worker answers until it is stopped."""

import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp
from threadpoolctl import threadpool_limits

from data_contracts.errors import RiskError
from data_contracts.machine_code import compiling_told
from features.catalog import FEATURES
from models.ranker.scorer import Scorer
from risk import clock
from risk.api.app import create_app
from risk.api.calls import Gate
from risk.api.edge import Edge
from risk.api.images import Checks
from risk.api.service import Service
from risk.drift import drift_of
from risk.engine import Engine
from risk.evidence.seen import SeenEvidence
from risk.gather import Gatherer
from risk.home import Home, open_home
from risk.identity import Identifiers
from risk.ingest import Ingest
from risk.jobs.learn_discounts import LearnDiscounts, learn
from risk.jobs.listening import address_of, listen
from risk.jobs.live_graph import LiveGraph
from risk.jobs.live_texts import live_templates
from risk.jobs.readiness import Parts
from risk.jobs.rehearsal import rehearse
from risk.jobs.remeasure import open_intake
from risk.jobs.startup import check_startup
from risk.judge import CATALOGUE
from risk.keys import all_keys, first_key
from risk.ledger import Ledger
from risk.logs import configure_logs
from risk.settings import Settings, read_settings
from risk.signature import secret_of
from risk.stores.checkpoints import copied_back
from risk.stores.discounts import StoredDiscounts
from risk.stores.feature_store import FeatureStore
from risk.stores.history import History
from risk.stores.newest import newest
from risk.version import code_version

YOUNG, MIDDLING, OLD = 5_000, 2, 1_000
"""After how many new objects garbage is looked for among them (7 ms), after how many such looks among what they left (7 ms again), and after how
many of these among everything: hardly ever."""
KEEP_ALIVE_S = 75
"""How long an unused connection stays open: longer than load balancers keep theirs (mostly 60 s), or they would send a call into one that closes."""
GRACE_S = 20
"""How long a stop waits for calls in progress."""
COMPILING = "the first start of this version on this machine makes machine code and keeps it: some 30 s, once"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Started:
    """What the caller needs to know. `api_key` is shown at the first start only, later it is null: only its hash is kept."""

    address: str
    api_key: str | None
    home: str
    model: str
    policy: str
    note: str | None


class Announcing(uvicorn.Server):
    """A server that says when it answers: after the graph is recovered, before the first call."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.announce: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        await super().startup(sockets)
        if self.started:
            self.announce()


@dataclass(frozen=True, slots=True)
class RunningServer:
    """The service with its socket open; `wait` serves until it is stopped (SIGINT, SIGTERM) and finishes what was begun."""

    started: Started
    server: Announcing
    listening: socket.socket
    home: Home
    learning: LearnDiscounts

    def stop(self) -> None:
        """Take no new calls, finish those in progress, and let `wait` return."""
        self.server.should_exit = True

    def heed_signals(self) -> None:
        """Stop on SIGINT and SIGTERM also before the server heeds them itself, and when it raises them once more after it has stopped."""
        if threading.current_thread() is threading.main_thread():
            for asked in (signal.SIGINT, signal.SIGTERM):
                signal.signal(asked, lambda _number, _frame: self.stop())

    def wait(self) -> None:
        """Serve until stopped."""
        self.learning.start()
        try:
            with copied_back(self.home.database):
                self.server.run(sockets=[self.listening])
        finally:
            self.learning.stop()
            self.home.database.close()
            gc.unfreeze()  # what `settle` set aside is garbage like any other again


def serve(home: Path, *, host: str = "127.0.0.1", port: int = 8470, now: Callable[[], datetime] = clock.now) -> RunningServer:
    """Open, check and listen, in this process. Port 0 takes a free one; `now` is the service's clock.

    ContractError, PolicyError, ModelMismatchError, SourceUnavailableError: what to put right.
    """
    return start(home, read_settings(os.environ), partial(listen, host, port), now)


def start(home: Path, settings: Settings, listening: Callable[[], socket.socket], now: Callable[[], datetime] = clock.now) -> RunningServer:
    """The same with these settings, on the socket that `listening` opens. Errors as `serve`."""
    configure_logs(settings.log_level)
    with compiling_told(partial(_log.info, "compiling", why=COMPILING)):
        return _start(home, settings, listening, now)


def _start(home: Path, settings: Settings, listening: Callable[[], socket.socket], now: Callable[[], datetime]) -> RunningServer:
    checked = check_startup(home, settings, listening)
    opened = open_home(home, settings)
    try:
        learn(opened.database, StoredDiscounts(opened.folder), now())
        made_key, latest = first_key(opened.database, now()), newest(opened.database, now())
        app, model = build(opened, checked.champion, clock.Steady(now, latest))
    except RiskError:
        opened.database.close()
        checked.listening.close()
        raise
    rehearse(checked.champion, opened.policy, opened.currency)
    settle()
    note = " ".join(_notes(opened, model, latest - now())) or None
    started = Started(address_of(checked.listening), made_key, str(home), model, opened.policy.version, note)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    running = RunningServer(started, Announcing(config), checked.listening, opened, LearnDiscounts(opened.folder, settings, now))
    running.heed_signals()
    return running


def _notes(home: Home, model: str, behind: timedelta) -> Iterator[str]:
    """What an operator should know though the service starts."""
    if model == "none":
        yield f"no model in {home.model_folder}: every decision is a review; `refund-risk train DIR --out {home.model_folder}`"
    if behind > timedelta(seconds=1):
        yield f"the clock is {behind} behind the newest record: set it; until it has caught up, moments go on from there by microseconds"


def build(home: Home, champion: Scorer | None, now: Callable[[], datetime]) -> tuple[ASGIApp, str]:
    """The application over an open home, and the version of the model that decides (`none`: there is none yet)."""
    history = History(home.database)
    ledger = Ledger(history)
    ledger.keep_policy(home.policy.version, home.policy_text)
    components = LiveGraph(history)
    intake = open_intake(home, now)
    seen = SeenEvidence(intake.rows, intake.versions, intake.again)
    slow = FeatureStore(home.folder, home.settings)
    source = Gatherer(history, slow, components, home.currency, seen, StoredDiscounts(home.folder))
    about = {
        "code": code_version(),
        "catalogue": CATALOGUE,
        "features": str(len(FEATURES)),
        "model": champion.version if champion else "none",
        "policy": home.policy.version,
    }
    service = Service(
        engine=Engine(source, champion, home.policy, ledger),
        ingest=Ingest(history, home.currency),
        edge=Edge(
            Identifiers(home.pseudonym, home.settings.phone_region, home.scheme),
            timedelta(seconds=home.settings.clock_skew_s),
            live_templates(home.database),
        ),
        gate=Gate(partial(all_keys, home.database), now, home.settings.body_limit_bytes, home.settings.calls_per_second),
        clock=now,
        about=about,
        intake=intake,
        evidence_wait_s=home.settings.evidence_wait_ms / 1000,
        checks=Checks(home.settings.check_workers),
        drift=drift_of(champion, ledger) if champion else None,
        webhook_secret=partial(secret_of, home.identity_key),
        ready=Parts(home.folder, home.database, slow, intake.files, about["model"]).tried,
    )
    return create_app(service), about["model"]


def settle() -> None:
    """Make this process one that answers evenly.

    Small matrices on several threads wait for each other (5 ms instead of 2 for the features of a request), and going through everything that was
    loaded at the start once more, for garbage, takes 50 ms in the middle of a call. Nearly all garbage goes by itself, a call
    leaves none: to look for the rest as often as Python does takes 5% of all time and up to 30 ms at once.
    """
    threadpool_limits(1, user_api="blas")
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLING, OLD)
