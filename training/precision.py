"""Which arithmetic a machine is best at."""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["auto", "bf16", "fp32"]


def bf16_works(precision: Precision) -> bool:
    """Whether to compute in bf16: as asked, or (auto) where the hardware multiplies in it."""
    if precision != "auto":
        return precision == "bf16"
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
