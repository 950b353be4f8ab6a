"""The simulated world against public figures (README.md of the simulator names them); the bands are wide on purpose."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from risk.simulator.archetypes import ABUSE, RINGS
from risk.simulator.people import build_network, build_people, build_pools
from risk.simulator.season import period

Tables = Mapping[str, pl.DataFrame]


def test_base_rates_are_those_of_the_trade(market: Tables, judged: pl.DataFrame) -> None:
    assert 0.015 < len(judged) / len(market["orders"]) < 0.03
    assert 0.09 < judged["abuse"].mean() < 0.15
    assert 0.14 < judged.filter("abuse")["amount_minor"].sum() / judged["amount_minor"].sum() < 0.33


def test_reason_value_and_timing_lift_only_weakly(market: Tables, judged: pl.DataFrame) -> None:
    base = judged["abuse"].mean()
    reasons = judged.group_by("claim_type").agg(pl.len(), lift=pl.col("abuse").mean() / base).filter(pl.col("len") > 150)
    assert reasons["lift"].max() < 1.7
    scans = market["deliveries"].filter(pl.col("status") == "delivered").group_by("order_id").agg(pl.col("occurred_at").min().alias("scanned"))
    scanned = judged.join(scans, on="order_id")
    early = scanned.filter((pl.col("occurred_at") - pl.col("scanned")).dt.total_days() < 7)
    assert 0.95 < early["abuse"].mean() / scanned["abuse"].mean() < 1.4
    dear = judged.filter(pl.col("order_amount") > pl.col("order_amount").quantile(0.9))
    assert 1.0 < dear["abuse"].mean() / base < 2.2


def test_people_find_fault_as_customers_of_a_real_shop_do() -> None:
    # UCI Online Retail: top 1, 5, 10% of customers hold 18.6, 43.6, 61.2% of cancellations;
    # cancellations an order of customers with 5+ orders: p50 .16, p75 .33, p90 .50, p95 .63, p99 .90
    rng = np.random.default_rng(3)
    when = period(365, datetime(2026, 11, 1, tzinfo=UTC))
    pools = build_pools()
    people = build_people(rng, pools, build_network(pools, 20_000), 20_000, when)
    orders = 1 + rng.poisson(4.0 * people.weight / people.weight.mean())
    cancelled = rng.binomial(orders, people.complaint)
    ranked = np.sort(cancelled)[::-1]
    top = [ranked[: int(len(ranked) * share)].sum() / ranked.sum() for share in (0.01, 0.05, 0.10)]
    assert np.allclose(top, (0.186, 0.436, 0.612), atol=0.09)
    steady = orders >= 5
    ratios = np.quantile(cancelled[steady] / orders[steady], (0.5, 0.75, 0.9, 0.95, 0.99))
    assert np.allclose(ratios, (0.16, 0.33, 0.50, 0.63, 0.90), atol=0.1)


def test_some_honest_people_claim_often(market: Tables, judged: pl.DataFrame) -> None:
    honest = judged.filter(~pl.col("abuse")).group_by("account_id").len().drop_nulls().sort("len", descending=True)
    assert honest["len"].max() >= 6
    share = honest.head(len(market["accounts"]) // 100)["len"].sum() / honest["len"].sum()
    assert 0.15 < share < 0.4
    assert judged.filter(pl.col("archetype") == "honest_heavy_returner").height > 100


@pytest.mark.parametrize(("kind", "accounts"), [("address", 60), ("ip", 60), ("device", 10), ("card", 3)])
def test_honest_people_share_things_too(market: Tables, kind: str, accounts: int) -> None:
    abusers = market["refund_requests"].join(market["truth"].filter("abuse"), on="request_id").select("account_id").unique()
    links = market["links"].filter(pl.col("entity_type") == kind).join(abusers, on="account_id", how="anti")
    assert links.group_by("entity_id").agg(pl.col("account_id").n_unique())["account_id"].max() >= accounts


def test_a_sold_device_serves_a_stranger_after_its_owner(market: Tables) -> None:
    uses = market["links"].filter((pl.col("entity_type") == "device") & pl.col("order_id").is_not_null()).sort("occurred_at")
    of_two = uses.group_by("entity_id").agg(
        pl.col("account_id").drop_nulls().n_unique(), pl.col("account_id").drop_nulls().rle_id().max().alias("changes")
    )
    assert of_two.filter((pl.col("account_id") == 2) & (pl.col("changes") == 1)).height > 50


def test_every_way_of_abuse_is_there_and_all_kinds_of_honest_people(judged: pl.DataFrame) -> None:
    found = set(judged["archetype"])
    assert {one.name for one in ABUSE} <= found
    assert {"honest", "honest_household", "honest_dormitory", "honest_office", "honest_courier_point", "honest_bad_batch"} <= found


def test_rings_and_only_they_carry_a_ring(judged: pl.DataFrame) -> None:
    ringed = judged.filter(pl.col("ring_id").is_not_null())
    assert set(ringed["archetype"]) <= set(RINGS)
    assert judged.filter(pl.col("archetype").is_in(RINGS))["ring_id"].null_count() == 0
    sizes = ringed.filter(pl.col("archetype") == "amateur_ring").group_by("ring_id").agg(pl.col("account_id").n_unique())["account_id"]
    assert sizes.max() <= 12


def test_a_professionals_customers_share_script_and_ip_and_no_device(market: Tables, judged: pl.DataFrame) -> None:
    customers = judged.filter(pl.col("archetype") == "professional_customer").select("request_id", "ring_id", "account_id")
    links = market["links"].drop("account_id").join(customers, on="request_id")

    def largest(kind: str) -> float:
        of_kind = links.filter(pl.col("entity_type") == kind)
        top = of_kind.group_by("ring_id", "entity_id").len().group_by("ring_id").agg(pl.col("len").max() / pl.col("len").sum())["len"]
        return float(top.median() or 0.0)

    assert largest("text") > 0.15
    assert largest("ip") > 0.2
    assert customers["account_id"].n_unique() > 0.7 * len(customers)


def test_campaigns_start_late(judged: pl.DataFrame) -> None:
    first, last = judged["known_at"].min(), judged["known_at"].max()
    late = first + (last - first) * 0.6
    starts = judged.drop_nulls("ring_id").group_by("ring_id").agg(pl.col("known_at").min())["known_at"]
    assert (starts > late).sum() >= 2
    fakers = judged.filter(pl.col("archetype") == "ai_faker")["known_at"]
    assert (fakers > late).mean() > 0.5


def test_a_bad_lot_makes_honest_claims_burst(market: Tables, judged: pl.DataFrame) -> None:
    lots = market["order_lines"].drop_nulls("lot").select("order_id", "lot")
    batch = judged.filter(pl.col("archetype") == "honest_bad_batch")
    assert 0.02 < len(batch) / len(judged) < 0.12
    burst = batch.join(lots, on="order_id").group_by("lot").len()["len"].max()
    usual = judged.join(lots, on="order_id").group_by("lot").len()["len"].median()
    assert burst >= 5 * usual


def test_the_season_is_that_of_the_trade(judged: pl.DataFrame) -> None:
    gifts = judged.filter(pl.col("ordered_at").dt.month() >= 11)
    assert 0.22 < len(gifts) / len(judged) < 0.4
    assert 0.4 < (gifts["occurred_at"].dt.month() == 1).mean() < 0.65


def test_evidence_contradicts_itself_mostly_where_it_is_false(market: Tables, judged: pl.DataFrame) -> None:
    seen = (
        market["observations"]
        .filter(pl.col("observer") == "claim_form")
        .join(judged.filter("same_items").select("request_id", "abuse"), on="request_id")
    )
    union = seen.group_by("request_id", "abuse", "attribute").agg(pl.col("count").max()).group_by("request_id", "abuse").agg(pl.col("count").sum())
    claimed = market["claim_lines"].group_by("request_id").agg(pl.col("quantity").sum())
    over = union.join(claimed, on="request_id").with_columns(over=pl.col("count") > pl.col("quantity")).group_by("abuse").agg(pl.col("over").mean())
    share = dict(over.iter_rows())
    assert share[False] < 0.08
    assert 0.18 < share[True] < 0.7


def test_most_requests_are_never_judged_and_some_judgements_are_wrong(market: Tables, judged: pl.DataFrame) -> None:
    labels = market["labels"].join(judged.select("request_id", "abuse"), on="request_id")
    assert 0.15 < labels["request_id"].n_unique() / len(judged) < 0.45
    assert set(labels["source"]) == {"verdict", "return_inspection", "chargeback", "appeal"}
    wrong = ((labels["value"] == "abuse") != labels["abuse"]).mean()
    assert 0.002 < wrong < 0.08
    again = labels.sort("known_at").group_by("request_id", maintain_order=True).agg(pl.col("value"))
    assert again.filter((pl.col("value").list.first() == "abuse") & (pl.col("value").list.last() == "honest")).height >= 1


def test_scans_are_missing_late_and_before_or_after_the_claim(market: Tables, judged: pl.DataFrame) -> None:
    scans = market["deliveries"].group_by("order_id").agg(pl.col("occurred_at").min().alias("scanned"))
    honest = judged.filter(~pl.col("abuse")).join(scans, on="order_id", how="left")
    assert 0.1 < honest["scanned"].null_count() / len(honest) < 0.4
    assert 0.01 < (honest["occurred_at"] < honest["scanned"]).sum() / len(honest) < 0.2
    late = (market["deliveries"]["known_at"] - market["deliveries"]["occurred_at"]).dt.total_hours() >= 6
    assert 0.01 < late.mean() < 0.08


def test_prices_are_log_normal(market: Tables) -> None:
    logs = np.log(market["orders"]["amount_minor"].to_numpy())
    standard = (logs - logs.mean()) / logs.std()
    assert abs(float((standard**3).mean())) < 0.6
