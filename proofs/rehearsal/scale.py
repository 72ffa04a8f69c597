"""The numbers of rows, runs and kills of the full and the short rehearsal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    rows: int
    orders: tuple[str, ...]
    runs: int  # of the ten migrations under load, for each order
    kills: int  # of `db upgrade`, at random moments
    index_kills: int
    single_kills: int
    races: int
    readers: int
    reader_slack: float  # Seconds; with few rounds, the median may be a disturbed one.
    workers: tuple[int, ...]
    baseline: bool
    filled: int  # Rows of the backfill that is killed five times.


FULL = Scale(
    rows=200_000,
    orders=("A", "B"),
    runs=3,
    kills=50,
    index_kills=6,
    single_kills=20,
    races=20,
    readers=5,
    reader_slack=0.1,
    workers=(1, 4, 16),
    baseline=True,
    filled=1_000_000,
)
SHORT = Scale(
    rows=50_000,
    orders=("A",),
    runs=1,
    kills=3,
    index_kills=1,
    single_kills=1,
    races=1,
    readers=1,
    reader_slack=0.3,
    workers=(1, 4),
    baseline=False,
    filled=60_000,
)
