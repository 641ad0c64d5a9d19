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
_POLICIES = {"low": "SCHED_BATCH", "idle": "SCHED_IDLE"}


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
    policy = _POLICIES.get(settings.prober_priority)
    if policy is not None:  # opening a model is work as well; not at the back yet, or it might never be ready
        os.nice(_OPENING)
    logs.set_up(settings.log_format)
    opener = partial(open_model, settings, threads=1)
    prober = Prober(settings, channel, holder, opener, Watching if settings.live_rate else None, limit)
    prober.serve(ready=lambda: None if policy is None else _step_back(policy))
    # a thread in the middle of a run of the model is not waited for
    os._exit(0)


def limit(seconds: float) -> None:
    """Have the kernel end this process when it has used so much more processor time, whatever it is stuck in then."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _step_back(policy: str) -> None:
    """Run when nobody else wants to: by their weights low still gets a seventieth of what another gets, idle less."""
    os.nice(19)
    with suppress(OSError, AttributeError):
        os.sched_setscheduler(0, getattr(os, policy), os.sched_param(0))
    # where sessions are scheduled as groups, the nice value counts within the group alone
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("19", encoding="ascii")


if __name__ == "__main__":
    typer.run(main)
