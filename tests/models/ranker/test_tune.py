from models.ranker.train import train
from models.ranker.tune import tune
from tests.models.ranker.market import QUICK, Market


def test_tuning_never_ends_below_the_settings_it_began_with(market: Market) -> None:
    found = tune(market.frame, market.labels, market.middle, QUICK, 3, market.features)
    start, end = (train(market.frame, market.labels, market.middle, each, market.features).card.held_out["ap"] for each in (QUICK, found))
    assert end >= start
    assert found.seed == QUICK.seed


def test_tuning_twice_with_one_seed_finds_the_same(market: Market) -> None:
    one, two = (tune(market.frame, market.labels, market.middle, QUICK, 2, market.features) for _ in range(2))
    assert one == two
