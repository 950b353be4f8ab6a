"""The job behind `refund-risk simulate`: a marketplace as a folder of tables."""

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from risk.jobs.read_tables import write_tables
from risk.simulator.simulate import simulate


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """Rows by table, and how many seconds it took to make and write them."""

    tables: dict[str, int]
    seconds: float


def simulate_folder(*, orders: int, days: int, seed: int, end: datetime, out: Path) -> SimulationReport:
    """Simulate and write; the folder then holds exactly these tables. ContractError: an argument is out of range, or the folder not writable."""
    begin = time.perf_counter()
    tables = simulate(orders, days, seed, end)
    write_tables(tables, out)
    return SimulationReport({name: len(frame) for name, frame in tables.items()}, round(time.perf_counter() - begin, 3))
