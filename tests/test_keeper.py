"""The keeper of a prober: the models are told first, and no error ends it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service.probing.channel import Channel, ChannelClosed, Message
from service.probing.keeper import Keeper
from service.settings import Settings
from tests.fakes_service import eventually


class Listener:
    """A prober that only notes what it hears."""

    pid = 0

    def __init__(self, end: socket.socket, heard: list[str]) -> None:
        self._channel = Channel(end.dup())
        self._heard = heard
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        self._thread.join(timeout)

    def kill(self) -> None:
        self._channel.end()

    def _listen(self) -> None:
        try:
            while (head := self._channel.receive()[0])["kind"] != "stop":
                self._heard.append(head["kind"])
        except ChannelClosed:
            pass
        self._channel.close()


class Troubled:
    """A worker's side: another thread speaks before the prober was told anything, and its end is an error."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ends = 0
        start = lambda settings, end, holder: Listener(end, self.heard)  # noqa: E731
        self.keeper = Keeper(Settings(), start, lambda head, body: None, self.began, self.gone)

    def began(self) -> Message:
        other = threading.Thread(target=self.keeper.say, args=({"kind": "jobs"},))
        other.start()
        other.join()
        return {"kind": "models"}, b"{}"

    def gone(self, holder: str) -> None:
        self.ends += 1
        raise ValueError("a database of another version")


@contextmanager
def kept() -> Iterator[Troubled]:
    troubled = Troubled()
    troubled.keeper.start()
    try:
        yield troubled
    finally:
        troubled.keeper.close()


def test_the_models_are_what_a_prober_hears_first() -> None:
    with kept() as troubled:
        eventually(lambda: troubled.keeper.say({"kind": "jobs"}))
        eventually(lambda: troubled.heard)
        assert troubled.heard[0] == "models"


def test_no_error_leaves_a_worker_without_a_prober() -> None:
    with kept() as troubled:
        eventually(lambda: troubled.heard)
        troubled.keeper.kill()
        eventually(lambda: troubled.ends == 1 and troubled.heard.count("models") == 2)
