"""Keeps a prober going for a worker: starts it, hears it, starts it again when it is gone."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from service.http.logs import failure
from service.probing.channel import Channel, ChannelClosed, Message
from service.settings import Settings, child_environment

log = logging.getLogger("babelproof.service")
ROOT = Path(__file__).resolve().parent.parent.parent
_BACKOFF_S = (0.1, 5.0)
_SETTLED_S = 5.0
_END_S = 5.0
_MOST_SEEN = 256
"""Texts of live traffic that wait for the prober; beyond that the oldest go."""


class Child(Protocol):
    """A prober that was started."""

    pid: int

    def wait(self, timeout: float | None = None) -> object:
        """Until it has ended; TimeoutExpired where it has not by then."""

    def kill(self) -> None:
        """End it at once."""


Start = Callable[[Settings, socket.socket, str], Child]
"""Starts a prober at its end of a socket pair, holding jobs under a name."""


def start_process(settings: Settings, end: socket.socket, holder: str) -> Child:
    """A prober in a process of its own."""
    command = [sys.executable, "-m", "service.probing", "--fd", str(end.fileno())]
    command += ["--holder", holder, "--parent", str(os.getpid())]
    environment = child_environment(settings)
    # a session of its own, so that it steps back without taking the worker's session with it
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, pass_fds=[end.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
    )


class Keeper:
    """A prober, as long as it is wanted; two threads, one that starts and hears it and one that speaks to it."""

    def __init__(
        self,
        settings: Settings,
        start: Start,
        heard: Callable[[dict[str, Any], bytes], None],
        began: Callable[[], Message],
        gone: Callable[[str], None],
    ) -> None:
        """Called back, in the keeper's thread: heard with every message, began and gone with every prober.

        What began gives is the first that a prober is told, whoever else speaks.
        """
        self._settings = settings
        self._start = start
        self._heard = heard
        self._began = began
        self._gone = gone
        self._ready = threading.Condition()
        self._said: deque[tuple[dict[str, Any], bytes]] = deque()
        self._seen: deque[bytes] = deque(maxlen=_MOST_SEEN)
        self._channel: Channel | None = None
        self._child: Child | None = None
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=f"prober-{name}", daemon=True)
            for name, target in (("keeper", self._keep), ("speaker", self._speak))
        ]

    @property
    def pid(self) -> int | None:
        """Process id of the prober, while there is one."""
        return self._child.pid if self._child is not None else None

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def say(self, head: dict[str, Any], body: bytes = b"") -> bool:
        """Send a message as soon as may be; False while there is no prober."""
        with self._ready:
            if self._channel is None:
                return False
            self._said.append((head, body))
            self._ready.notify()
            return True

    def mention(self, body: bytes) -> None:
        """A text of live traffic, to be sent when nothing else is; the oldest go where there are too many."""
        with self._ready:
            if self._channel is not None:
                self._seen.append(body)
                self._ready.notify()

    def cancel(self, name: int) -> None:
        """Nobody waits for this request any more; one that a starved prober has not even taken is taken back."""
        with self._ready:
            for place, (head, _) in enumerate(self._said):
                if head["kind"] == "probe" and head["id"] == name:
                    del self._said[place]
                    return
        self.say({"kind": "cancel", "id": name})

    def kill(self) -> None:
        """End the prober at once; another is started."""
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """End the prober; the job it works on is handed back."""
        if self._closing.is_set() or not self._threads[0].is_alive():
            return
        self._closing.set()
        self.say({"kind": "stop"})
        self._threads[0].join(_END_S)
        self.kill()
        with self._ready:
            self._ready.notify_all()
        for thread in self._threads:
            thread.join(_END_S)

    def _keep(self) -> None:
        wait, most = _BACKOFF_S
        while not self._closing.is_set():
            started = time.monotonic()
            try:
                self._live()
            except OSError as error:
                log.error("the prober cannot be started: %s", error)
            except Exception as error:  # without this thread there would never be a prober again
                failure(log, "to keep a prober", error)
            if self._closing.is_set():
                return
            wait = _BACKOFF_S[0] if time.monotonic() - started > _SETTLED_S else min(2 * wait, most)
            log.warning("the prober ended; starting it again in %.1f s", wait)
            self._closing.wait(wait)

    def _live(self) -> None:
        """One prober from its start to its end."""
        holder = f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(6)}"
        ours, theirs = socket.socketpair()
        with theirs:
            child = self._child = self._start(self._settings, theirs, holder)
        channel = Channel(ours)
        try:
            first = self._began()
            with self._ready:
                self._said.append(first)
                self._channel = channel
                self._ready.notify()
            if self._closing.is_set():  # told to end while this one was starting
                channel.send({"kind": "stop"})
            while True:
                self._heard(*channel.receive())
        except ChannelClosed:
            pass
        finally:
            with self._ready:
                self._channel = None
                self._said.clear()
                self._seen.clear()
            channel.close()
            self._end(child)
            self._child = None
            self._gone(holder)

    def _end(self, child: Child) -> None:
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _speak(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._said or self._seen or self._closing.is_set())
                if not self._said and self._closing.is_set():
                    return
                head, body = self._said.popleft() if self._said else ({"kind": "seen"}, self._seen.popleft())
                channel = self._channel
            with suppress(ChannelClosed):  # the keeper hears of it too
                if channel is not None:
                    channel.send(head, body)
