"""Starts the worker processes on one listening socket, replaces one that dies at once, and ends them in order.

BentoML's own supervisor looks after its workers every ten seconds only, restarts a worker that cannot start for
ever, keeps the socket open while it shuts down and leaves orphans when it is killed. A worker is `service.worker`.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from service.metrics_files import bury
from service.models import absolute, folders
from service.scratch import scratch
from service.settings import TEMPORARY, Settings, process_environment

log = logging.getLogger("babelproof.supervisor")
ROOT = Path(__file__).resolve().parent.parent
_EARLY_S = 5.0
_EARLY_DEATHS = 5
_BACKLOG = 2048
_HOME = "babelproof-home-"
"""What the folder of a service that runs begins with, in the temporary folder; tests look for it."""


class StartError(RuntimeError):
    """The service cannot start, or its workers cannot stay up."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; StartError when the address cannot be used."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    return listener


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process: the number it keeps when it is replaced, and when it started (time.monotonic)."""

    process: subprocess.Popen[bytes]
    number: int
    started: float


@dataclass(slots=True)
class Supervisor:
    """Worker processes that share a listening socket."""

    settings: Settings
    listener: socket.socket
    home: Path
    lock: int
    """Of the home: it is in use as long as a worker is there, its supervisor killed or not."""
    workers: dict[int, Worker] = field(default_factory=dict)
    """By process id."""
    stopping: bool = False
    _early_deaths: int = 0
    _gone: list[int] = field(default_factory=list)
    """Whose metrics are still to be added up."""

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; the exit status."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGALRM, self._kill)
        try:
            for number in range(1, self.settings.workers + 1):
                self._start(number)
            while self.workers:
                self._reap(*os.waitpid(-1, 0))
        finally:
            self._kill()
        return 0

    def _start(self, number: int) -> None:
        command = [sys.executable, "-m", "service.worker", "--fd", str(self.listener.fileno()), "--number", str(number)]
        try:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=process_environment(self.settings, self.home),
                pass_fds=[self.listener.fileno(), self.lock],
                stdin=subprocess.DEVNULL,
                # a Ctrl+C in the terminal is for the supervisor, which ends its workers in order
                start_new_session=True,
            )
        except (OSError, ValueError):
            if self.stopping:  # told to just now, so the socket is closed
                return
            raise
        self.workers[process.pid] = Worker(process, number, time.monotonic())
        if self.stopping:  # told to while this one was starting
            process.terminate()

    def _reap(self, pid: int, status: int) -> None:
        worker = self.workers.pop(pid, None)
        if worker is None:  # as process 1 of a container it also inherits others
            return
        worker.process.returncode = ended = os.waitstatus_to_exitcode(status)
        self._bury(pid)
        if self.stopping:
            return
        self._early_deaths = self._early_deaths + 1 if time.monotonic() - worker.started < _EARLY_S else 0
        if self._early_deaths >= _EARLY_DEATHS:
            raise StartError(f"{_EARLY_DEATHS} workers in a row ended within {_EARLY_S:g} s; see their lines above")
        log.warning("worker %d (process %d) ended with status %d; starting it again", worker.number, pid, ended)
        self._start(worker.number)

    def _bury(self, pid: int) -> None:
        """What a worker has counted stays in the sums; where somebody reads them, its turn is with the next."""
        self._gone.append(pid)
        while self._gone and self.settings.metrics_dir is not None:
            try:
                bury(self.settings.metrics_dir, self._gone[0], replaced=not self.stopping)
            except BlockingIOError:
                return
            except Exception as error:  # whatever a dying worker has written, the others go on
                log.warning("what process %d has counted cannot be added up: %r", self._gone[0], error)
            del self._gone[0]

    def _stop(self, *_: object) -> None:
        if self.stopping:
            return
        self.stopping = True
        # the workers go on listening until each stops; left open here, the kernel would take connections for nobody
        self.listener.close()
        for worker in self.workers.values():
            worker.process.terminate()
        signal.alarm(self.settings.drain_s + math.ceil(self.settings.lame_duck_s))

    def _kill(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.process.kill()


def serve(settings: Settings, host: str, port: int) -> int:
    """Serve the settings' model on an address until told to stop; the exit status."""
    signal.signal(signal.SIGTERM, _leave)  # what is begun below is then put away, until there are workers to end
    with scratch(Path(tempfile.gettempdir()), _HOME) as (home, lock):
        metrics = home / "metrics"
        for folder in (metrics, home / TEMPORARY):
            folder.mkdir()
        settings = absolute(replace(settings, demo=settings.demo.resolve(), state=settings.state.resolve()))
        settings = replace(settings, metrics_dir=metrics, supervisor=os.getpid())
        kept = {name: path.resolve() for name in ("keys", "tls_cert", "tls_key") if (path := getattr(settings, name))}
        settings = replace(settings, **kept)
        listener = listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        served = ", ".join(str(folder) for folder in folders(settings).values())
        scheme = "https" if settings.tls_cert else "http"
        log.info("serving %s on %s://%s:%d", served, scheme, shown, listener.getsockname()[1])
        return Supervisor(settings, listener, home, lock).run()


def _leave(*_: object) -> None:
    raise SystemExit(0)
