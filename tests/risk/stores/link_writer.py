"""A worker that writes links until it is killed, each with its event on the timelines; it says which ones are on disk.

python link_writer.py URL FIRST
"""

import sys
from datetime import timedelta
from itertools import count

from data_contracts.link import EntityType, Link
from risk.stores.database import open_database
from risk.stores.history import History
from tests.graph.histories import START


def a_link(number: int) -> Link:
    """The link of that number: every third is of one busy locker, so that marks move and are set while it runs."""
    moment = START + timedelta(seconds=number % 977)
    name = "locker" if number % 3 == 0 else f"d{number // 4}"
    return Link(
        entity_type=EntityType.ADDRESS, entity_id=name, account_id=f"a{number % 501}", order_id=f"o{number}", occurred_at=moment, known_at=moment
    )


def main() -> None:
    """Write two links a transaction."""
    database = open_database(sys.argv[1], 5_000)
    history = History(database)
    for number in count(int(sys.argv[2]), 2):
        links = [a_link(number), a_link(number + 1)]
        with database.writing() as connection:
            history.take(connection, (), links)
        print(number, flush=True)  # noqa: T201  # it speaks to the test


if __name__ == "__main__":
    main()
