"""The processes of one run, as `accelerate launch` starts them: each trains on its share, the first alone writes."""

from __future__ import annotations

import torch
from accelerate import PartialState


def here() -> PartialState:
    """The present process among the others of its run; the only one where none were started."""
    return PartialState(cpu=not torch.cuda.is_available())


def share(batch: int) -> int:
    """Rows of a batch that each process trains on; ValueError where they cannot be equally many."""
    count = here().num_processes
    if batch % count:
        raise ValueError(f"a batch of {batch} rows cannot be shared evenly by {count} processes; choose a multiple.")
    return int(batch // count)
