"""What an engine has done so far, for metrics."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    """Counters since the start, and three gauges at the end."""

    requests: int = 0
    """Admitted."""
    rows: int = 0
    tokens: int = 0
    answered: int = 0
    refused: dict[str, int] = field(default_factory=lambda: {"queue": 0, "deadline": 0, "closed": 0})
    """Requests refused on arrival, by reason."""
    shed: int = 0
    """Requests dropped because their deadline passed before they began."""
    late: int = 0
    """Requests answered after their deadline."""
    cancelled: int = 0
    """Requests given up by who asked."""
    failed: int = 0
    skipped_rows: int = 0
    """Rows that never reached the session, because every request that wanted them was cancelled, shed or failed."""
    shared_rows: int = 0
    """Rows that had the same tokens as another one and were not computed again."""
    batches: int = 0
    area: int = 0
    """Padded tokens run."""
    padding: int = 0
    """Of them, padding."""
    wasted: int = 0
    """Of them, tokens of rows whose answer nobody waited for any more."""
    tokenize_s: float = 0.0
    queue_s: float = 0.0
    """Waiting time, summed over rows."""
    compute_s: float = 0.0
    low_s: float = 0.0
    """Of it, for LOW work."""
    held: tuple[int, int] = (0, 0)
    """Requests admitted and not answered, LIVE and LOW."""
    waiting_rows: tuple[int, int] = (0, 0)
    cost_error: float = 0.0
    """Mean relative error of the cost model of late."""

    @property
    def row_s(self) -> float:
        """Seconds to tokenise and run a row, on average; a millisecond before there was one."""
        return (0.001 + self.tokenize_s + self.compute_s) / (1 + self.rows)
