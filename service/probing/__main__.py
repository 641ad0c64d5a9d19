"""`python -m service.probing`: the prober of one worker, in a process that has what the others leave of the machine."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from service.http import logs
from service.live.watching import Watching
from service.opening import open_model
from service.probing.channel import Channel
from service.probing.prober import Prober
from service.settings import read_settings

_PR_SET_PDEATHSIG = 1
_OPENING = 10


def main(
    fd: Annotated[int, typer.Option(help="The socket to the worker.")],
    holder: Annotated[str, typer.Option(help="The name under which jobs are held.")],
    parent: Annotated[int, typer.Option(help="Process id of the worker, not to be outlived.")],
) -> None:
    """Probe for one worker; started by it."""
    channel = Channel(socket.socket(fileno=fd))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the supervisor
    signal.signal(signal.SIGTERM, lambda *_: channel.end())
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit("the worker is gone")
    settings = read_settings()
    idle = settings.prober_priority == "idle"
    if idle:  # opening a model is work as well; not idle yet, or it might never be ready
        os.nice(_OPENING)
    logs.set_up(settings.log_format)
    opener = partial(open_model, settings, threads=1)
    prober = Prober(settings, channel, holder, opener, Watching if settings.live_rate else None)
    prober.serve(ready=_step_back if idle else lambda: None)
    # a thread in the middle of a run of the model is not waited for
    os._exit(0)


def _step_back() -> None:
    """Run only when nobody else wants to: as idle as this machine lets a process be."""
    os.nice(19)
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    # where sessions are scheduled as groups, the nice value counts within the group alone
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")


if __name__ == "__main__":
    typer.run(main)
