"""What the service benchmark asks about: a home with a trained model, buyers with a past, measured evidence, and the bodies of the questions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from os import environ
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from data_contracts.link import EntityType
from data_contracts.tables import schema
from features.streams import micros
from risk import clock
from risk.home import Home, open_home
from risk.identity import Identifiers
from risk.jobs.build_features import write_features
from risk.jobs.load_history import load_tables
from risk.jobs.read_tables import write_tables
from risk.jobs.remeasure import open_intake
from risk.jobs.train import train
from risk.settings import read_settings
from risk.simulator.simulate import simulate
from risk.stores.evidence_rows import EvidenceRows, Look, Prints, Said
from risk.stores.history import History

KINDS = (EntityType.DEVICE, EntityType.ADDRESS, EntityType.CARD, EntityType.PHONE, EntityType.IP)
PAST = 9
"""Requests that each buyer made before; with their orders and links, and what is asked about him meanwhile, about 200 events that a question sees."""
PAST_DAYS = 342
"""From the newest to the oldest of them; a month more, by chance, and all lie within a year."""
TRAINED_ON = 60_000
"""Simulated orders of the model that is trained when none is given."""
STRIDE = 7_919
"""Buyers between one question and the next when they ask in turn; a prime."""
TOGETHER = 10_000
"""Buyers whose past is loaded at once: a gigabyte while it is made."""

WORDS = tuple(
    f"{one}{other}" for one in ("ba", "ke", "li", "mo", "nu", "pra", "sto", "ver") for other in ("cket", "ddle", "ffer", "llow", "mmer", "rrel")
)
"""What buyers write: each what he wrote before, nobody what another one wrote."""


@dataclass(frozen=True)
class World:
    """Who asks: so many buyers, eight of them to a seller; evidence is numbered on from one question to the next.

    `in_turn`: each buyer asks once before any of them asks again, in an order in which neighbours are strangers; else chance says who asks.
    """

    buyers: int
    now: datetime
    in_turn: bool = False
    past: int = PAST

    def asking(self, number: int, random: Random) -> int:
        """Who asks that question."""
        return number * STRIDE % self.buyers if self.in_turn else random.randrange(self.buyers)

    def article(self, buyer: int) -> str:
        """What a buyer always buys: as many articles to a buyer in a small world as in a large one."""
        return f"sku-{buyer % max(1, self.buyers // 4)}"

    def wording(self, buyer: int) -> str:
        """What a buyer always writes."""
        return " ".join(Random(buyer).choices(WORDS, k=9))  # noqa: S311  # a benchmark, not a secret

    def raw(self, kind: EntityType, buyer: int) -> str:
        """An identifier as a shop would send it."""
        return {
            EntityType.DEVICE: f"device-{buyer:08d}-a81f",
            EntityType.ADDRESS: f"{buyer} Long Street, Flat 3, 200000 Shanghai",
            EntityType.CARD: f"tok_{buyer:012d}",
            EntityType.PHONE: f"+86 138{buyer:08d}",
            EntityType.IP: f"20.{buyer // 65536 % 250}.{buyer // 256 % 256}.{buyer % 256}",
        }[kind]

    def body(self, number: int, random: Random) -> dict[str, Any]:
        """One question: an order with a line and a delivery, a photo that was measured, five identifiers; one in ten claims the whole amount."""
        buyer = self.asking(number, random)
        asked = self.now - timedelta(minutes=5)
        amount = random.randrange(2_000, 10_000)
        claimed = amount if random.random() < 0.1 else amount // 4  # noqa: PLR2004  # the share of dear claims
        return {
            "request_id": f"ask-{number}",
            "account_id": f"buyer-{buyer}",
            "seller_id": f"shop-{buyer // 8}",
            "occurred_at": asked.isoformat(),
            "claim_type": random.choice(("damaged", "missing", "not_as_described", "quality")),
            "amount_minor": claimed,
            "currency": "CNY",
            "text": self.wording(buyer),
            "order": {
                "order_id": f"order-ask-{number}",
                "occurred_at": (asked - timedelta(days=3)).isoformat(),
                "amount_minor": amount,
                "currency": "CNY",
                "lines": [{"line_no": 1, "sku_id": self.article(buyer), "quantity": 4, "unit_price_minor": amount // 4}],
                "deliveries": [{"status": "delivered", "occurred_at": (asked - timedelta(days=1)).isoformat()}],
            },
            "claim_lines": [{"line_no": 1, "quantity": 1}],
            "evidence": [{"sha256": photo(number), "kind": "photo"}],
            "links": [{"entity_type": kind.value, "entity_id": self.raw(kind, buyer)} for kind in KINDS],
        }

    def bodies(self, first: int, count: int) -> Iterator[bytes]:
        """The questions of a run, as bytes."""
        random = Random(first)  # noqa: S311  # as above
        return (json.dumps(self.body(number, random)).encode() for number in range(first, first + count))

    def tables(self, identifiers: Identifiers, buyers: range) -> dict[str, pl.DataFrame]:
        """What these buyers did in the year before."""
        random = Random(buyers.start)  # noqa: S311  # as above
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("refund_requests", "orders", "order_lines", "deliveries", "links", "accounts")}
        for buyer in buyers:
            account = f"buyer-{buyer}"
            links = [(kind.value, identifiers.of(kind, self.raw(kind, buyer), account).id) for kind in KINDS]
            opened = self.now - timedelta(days=400, minutes=buyer)
            rows["accounts"].append({"account_id": account, "occurred_at": opened, "known_at": opened})
            for past in range(self.past):
                self._past(rows, (buyer, past), links, random)
        return {name: pl.DataFrame(some, schema=dict(schema(name))) for name, some in rows.items()}

    def _past(self, rows: dict[str, list[dict[str, Any]]], which: tuple[int, int], links: list[tuple[str, str | None]], random: Random) -> None:
        buyer, past = which
        name, account, seller = f"past-{buyer}-{past}", f"buyer-{buyer}", f"shop-{random.randrange(self.buyers // 8)}"
        asked = self.now - timedelta(days=10 + PAST_DAYS / self.past * past, seconds=random.randrange(3_000_000))
        ordered, delivered, amount = asked - timedelta(days=4), asked - timedelta(days=2), random.randrange(2_000, 30_000)
        order = {"order_id": f"order-{name}", "account_id": account}
        rows["orders"].append({**order, "seller_id": seller, "amount_minor": amount, "currency": "CNY", "occurred_at": ordered, "known_at": ordered})
        rows["order_lines"].append({"order_id": order["order_id"], "line_no": 1, "sku_id": self.article(buyer), "quantity": 4})
        rows["deliveries"].append({"order_id": order["order_id"], "status": "delivered", "occurred_at": delivered, "known_at": delivered})
        text = None if past else self.wording(buyer)
        asking = {
            "request_id": name,
            "text": text,
            **order,
            "seller_id": seller,
            "claim_type": "damaged",
            "amount_minor": amount // 4,
            "currency": "CNY",
        }
        rows["refund_requests"].append({**asking, "occurred_at": asked, "known_at": asked})
        for kind, entity in links:
            link = {"entity_type": kind, "entity_id": entity, "account_id": account, "request_id": name}
            rows["links"].append({**link, "occurred_at": asked, "known_at": asked})


def photo(number: int) -> str:
    """The name of a question's picture."""
    return sha256(f"photo {number}".encode()).hexdigest()


def a_model(folder: Path) -> Path:
    """A model trained on a small simulated market."""
    write_tables(simulate(TRAINED_ON, 365, 5, clock.now()), folder / "market")
    write_features(folder / "market", folder / "features.parquet")
    train(folder / "market", folder / "model", features=folder / "features.parquet", test_share=0.0)
    return folder / "model"


def fill(folder: Path, model: Path, world: World, photos: int, environment: dict[str, str]) -> None:
    """A home with that model, the buyers' past in its store, and so many pictures measured."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model").symlink_to(model.absolute())
    home = open_home(folder, read_settings({**environ, **environment}))
    try:
        identifiers = Identifiers(home.pseudonym, "", home.scheme)
        for first in range(0, world.buyers, TOGETHER):
            load_tables(world.tables(identifiers, range(first, min(first + TOGETHER, world.buyers))), home.database, home.currency)
        _measure(home, photos, world.now)
    finally:
        home.database.close()


def _measure(home: Home, photos: int, now: datetime) -> None:
    """Looks at pictures that were made an hour ago: every signal answered, each picture is its own."""
    intake = open_intake(home, clock.now)
    versions = dict(intake.versions)
    intake.close()
    rows, known_us = EvidenceRows(History(home.database)), micros(now - timedelta(hours=1))
    prints = Prints()
    with home.database.writing() as connection:
        for number in range(photos):
            name = photo(number)
            said = tuple(Said(signal, version, 0.02) for signal, version in versions.items())
            rows.add_file(connection, name, 200_000, None, known_us)
            rows.add_look(connection, Look(name, 1, "photo", "jpeg", None, prints, said), f"sha_{name}", (), known_us)


def the_moment() -> datetime:
    """When the world is made."""
    return clock.now().astimezone(UTC)
