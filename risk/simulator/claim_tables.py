"""Requests, evidence, links, labels, refunds and the truth as tables of the contract."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from data_contracts.label import LabelSource
from data_contracts.link import EntityType
from data_contracts.request import EvidenceKind, Observer, Party
from risk.simulator import rates
from risk.simulator.archetypes import ABUSE, REASONS, RINGS
from risk.simulator.arrays import NONE, Ints, Rng, chance, digests, opaque, pick
from risk.simulator.claimed import Claimed
from risk.simulator.claims import BATCH, Bought, Claims
from risk.simulator.evidence import Pieces
from risk.simulator.frames import ATTRIBUTES, PLAIN, counts_column, none_to_null, table, words
from risk.simulator.images import VERSION
from risk.simulator.labels import Labels, ring_numbers
from risk.simulator.links import Names, Uses, link_frame
from risk.simulator.observations import Observed
from risk.simulator.refunds import Refunds


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests with everything that belongs to them; `account` is NONE where a guest bought."""

    claims: Claims
    account: Ints
    claimed: Claimed
    text: pl.Series
    same_items: Ints
    pieces: Pieces
    observed: Observed
    measured: pl.DataFrame
    labels: Labels


def request_tables(bought: Bought, asked: Asked, names: Names, known: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """refund_requests and claim_lines."""
    claims, claimed, orders, lines = asked.claims, asked.claimed, bought.orders, bought.lines
    same = pl.Series([False, True, None]).gather(pl.Series(np.where(asked.same_items == NONE, 2, asked.same_items)))
    stated = np.flatnonzero(claimed.stated[claimed.claim])
    line = claimed.line[stated]
    amount = none_to_null(claimed.amount)
    return {
        "refund_requests": table(
            "refund_requests",
            {
                "request_id": names.request,
                "account_id": pick(names.account, asked.account),
                "order_id": pick(names.order, claims.order),
                "seller_id": pick(known["sellers"]["seller_id"], orders.seller[claims.order]),
                "claim_type": words([one.value for one in REASONS], claims.reason),
                "amount_minor": amount,
                "currency": pl.Series([rates.CURRENCY]).new_from_index(0, len(claims)),
                "text": asked.text,
                "same_items": same,
                "occurred_at": claims.occurred_us,
                "known_at": claims.known_us,
            },
        ),
        "claim_lines": table(
            "claim_lines",
            {
                "request_id": pick(names.request, claimed.claim[stated]),
                "line_no": line - orders.line_start[lines.order[line]] + 1,
                "sku_id": pick(known["skus"]["sku_id"], lines.sku[line]),
                "quantity": claimed.quantity[stated],
                "counts": counts_column(claimed.counts[stated], bought.world.category[orders.seller[lines.order[line]]]),
            },
        ),
    }


def evidence_tables(seed: int, bought: Bought, asked: Asked, names: Names) -> dict[str, pl.DataFrame]:
    """evidence, observations and measurements."""
    pieces, observed, measured = asked.pieces, asked.observed, asked.measured
    piece = opaque("evd", seed, np.arange(len(pieces), dtype=np.int64))
    sha = digests(seed, pieces.file)
    of_piece = measured["piece"].to_numpy().astype(np.int64)
    seen = np.flatnonzero(observed.known_us < bought.when.end_us)
    category = bought.world.category[bought.orders.seller[asked.claims.order[pieces.claim]]]
    attribute = np.where(observed.attribute == NONE, len(ATTRIBUTES), category[observed.piece] * rates.WIDTH + observed.attribute)
    return {
        "evidence": table(
            "evidence",
            {
                "evidence_id": piece,
                "request_id": pick(names.request, pieces.claim),
                "sha256": sha,
                "kind": words([one.value for one in EvidenceKind], pieces.kind),
                "sent_by": words([one.value for one in Party], pieces.sender),
                "occurred_at": pieces.occurred_us,
                "known_at": pieces.known_us,
            },
        ),
        "observations": table(
            "observations",
            {
                "evidence_id": pick(piece, observed.piece[seen]),
                "request_id": pick(names.request, pieces.claim[observed.piece[seen]]),
                "observer": words([one.value for one in Observer], observed.observer[seen]),
                "attribute": words([*ATTRIBUTES, PLAIN], attribute[seen]),
                "count": observed.count[seen],
                "occurred_at": observed.occurred_us[seen],
                "known_at": observed.known_us[seen],
            },
        ),
        "measurements": table(
            "measurements",
            {
                "evidence_id": pick(piece, of_piece),
                "request_id": pick(names.request, pieces.claim[of_piece]),
                "sha256": pick(sha, of_piece),
                "signal": measured["signal"],
                "version": np.full(len(measured), VERSION),
                "value": measured["value"],
                "unavailable": measured["unavailable"],
                "known_at": pieces.known_us[of_piece],
            },
        ),
    }


def link_table(seed: int, asked: Asked, names: Names, traces: tuple[list[Uses], pl.Series], end_us: int) -> pl.DataFrame:
    """Every use (first of `traces`), the pictures of requests, and their texts (second of `traces`: the ids)."""
    uses, texts = traces
    frames = [link_frame(use, names) for use in uses]
    pieces, claims = asked.pieces, asked.claims
    frames.append(
        pl.DataFrame(
            {
                "entity_type": pl.Series([EntityType.IMAGE.value]).new_from_index(0, len(pieces)),
                "entity_id": opaque("img", seed, pieces.picture),
                "request_row": pieces.claim,
                "occurred_us": pieces.occurred_us,
                "known_us": pieces.known_us,
            },
        ).pipe(_with_request, asked, names),
    )
    frames.append(
        pl.DataFrame(
            {
                "entity_type": pl.Series([EntityType.TEXT.value]).new_from_index(0, len(claims)),
                "entity_id": texts,
                "request_row": np.arange(len(claims), dtype=np.int64),
                "occurred_us": claims.occurred_us,
                "known_us": claims.known_us,
            },
        )
        .drop_nulls("entity_id")
        .pipe(_with_request, asked, names),
    )
    joined = pl.concat(frames).filter(pl.col("known_us") < end_us).rename({"occurred_us": "occurred_at", "known_us": "known_at"})
    return table("links", {name: joined[name] for name in joined.columns})


def _with_request(frame: pl.DataFrame, asked: Asked, names: Names) -> pl.DataFrame:
    """The account and request ids behind a row's request."""
    row = frame["request_row"].to_numpy()
    return frame.select(
        "entity_type",
        "entity_id",
        pl.Series("account_id", pick(names.account, asked.account[row])),
        pl.Series("request_id", pick(names.request, row)),
        pl.lit(None, dtype=pl.String).alias("order_id"),
        "occurred_us",
        "known_us",
    )


def label_table(asked: Asked, names: Names) -> pl.DataFrame:
    """The labels that came."""
    labels = asked.labels
    return table(
        "labels",
        {
            "request_id": pick(names.request, labels.claim),
            "value": words(["honest", "abuse"], labels.abuse),
            "source": words([one.value for one in LabelSource], labels.source),
            "occurred_at": labels.occurred_us,
            "known_at": labels.known_us,
        },
    )


def refund_table(seed: int, asked: Asked, names: Names, paid: Refunds) -> pl.DataFrame:
    """What was paid back."""
    return table(
        "refunds",
        {
            "refund_id": opaque("rfd", seed, paid.claim),
            "request_id": pick(names.request, paid.claim),
            "order_id": pick(names.order, asked.claims.order[paid.claim]),
            "amount_minor": none_to_null(paid.amount),
            "currency": pl.Series([rates.CURRENCY]).new_from_index(0, len(paid.claim)),
            "occurred_at": paid.occurred_us,
            "known_at": paid.known_us,
        },
    )


def truth_table(seed: int, bought: Bought, asked: Asked, names: Names) -> pl.DataFrame:
    """What nobody but the evaluation may read."""
    claims, people = asked.claims, bought.people
    honest = [*(one.name for one in rates.SEGMENTS), "honest_heavy_returner", "honest_bad_batch", "honest_resold_device"]
    code = people.segment[claims.account]
    resold = (people.swap_us[claims.account] < claims.occurred_us) & (code == 0)
    code = np.where(resold, len(rates.SEGMENTS) + 2, code)
    code = np.where(people.heavy[claims.account], len(rates.SEGMENTS), code)
    code = np.where(claims.cause == BATCH, len(rates.SEGMENTS) + 1, code)
    code = np.where(claims.abusive, len(honest) + claims.role, code)
    is_ring = np.array([*(one.name in RINGS for one in ABUSE), False])
    groups = opaque("ring", seed, np.arange(int(claims.group.max(initial=0)) + 1, dtype=np.int64))
    return table(
        "truth",
        {
            "request_id": names.request,
            "abuse": pl.Series(claims.abusive),
            "archetype": words([*honest, *(one.name for one in ABUSE)], code),
            "ring_id": pick(groups, ring_numbers(claims, is_ring)),
        },
    )


def attribute_table(rng: Rng, asked: Asked, names: Names) -> pl.DataFrame:
    """Two columns of the shop's own: where the request came in, and how often the buyer wrote to the support before it."""
    claims = asked.claims
    app = np.where(claims.abusive, 0.52, 0.58)
    draw = rng.random(len(claims))
    channel = np.where(draw < app, 0, np.where(draw < app + 0.26, 1, 2))
    channel = np.where(chance(rng, 0.03, len(claims)), NONE, channel)
    return pl.DataFrame(
        {
            "request_id": names.request,
            "channel": words(["app", "web", "chat"], channel),
            "contacts_before": pl.Series(rng.poisson(np.where(claims.abusive, 0.75, 0.6)).astype(np.float64)),
        },
    )
