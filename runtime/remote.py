"""A classifier behind an address: the text-classification API of Hugging Face, spoken with patience."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import httpx
import numpy as np

from probes.types import Item, Probabilities

CHUNK = 32
CONCURRENT = 4
"""Requests under way for one call."""
TRIES = 6
LONGEST_WAIT, LONGEST_ASKED = 30.0, 600.0
"""Seconds between two tries: by our own reckoning, and at the server's word."""
_BUSY = frozenset({429, 502, 503, 504})


class RemoteError(RuntimeError):
    """The address did not answer as a classifier does; the message says what it did."""


class HttpClassifier:
    """POST {url}/predict for probabilities; labels from GET {url}/about, else from a first answer. Safe in threads.

    Busy answers (429, 502-504) and broken connections are tried again, after Retry-After seconds where that is given.
    timeout and patience (the first wait, doubled each time) are in seconds. Raises RemoteError.
    """

    concurrent = True
    """Whether several threads may ask at once."""

    def __init__(self, url: str, *, timeout: float = 60.0, patience: float = 0.5) -> None:
        self.url = url.rstrip("/")
        self._patience = patience
        self._client = httpx.Client(timeout=timeout)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Label names, in the order of the columns of the answer."""
        said = self._about.get("model", self._about)
        labels = said.get("labels") if isinstance(said, dict) else None
        if labels is None:
            labels = sorted(self._scores([Item("?")])[0])
        return tuple(map(str, labels))

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """What the service says of its model, for a report's provenance."""
        said = self._about.get("model")
        return {"url": self.url} | ({"model": said} if said else {})

    @cached_property
    def digest(self) -> str | None:
        """What names the model behind the address, where the service says it."""
        said = self._about.get("model")
        found = said.get("sha256") if isinstance(said, dict) else None
        return None if found is None else str(found)

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (len(items), len(labels)), asked in chunks of 32, a few at a time."""
        chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
        if len(chunks) < 2:
            found = [self._scores(chunk) for chunk in chunks]
        else:
            with ThreadPoolExecutor(min(CONCURRENT, len(chunks))) as pool:
                found = list(pool.map(self._scores, chunks))
        answers = np.zeros((len(items), len(self.labels)), dtype=np.float32)
        for row, scores in enumerate(scores for chunk in found for scores in chunk):
            if scores.keys() != set(self.labels):
                raise RemoteError(f"{self.url}/predict answered the labels {sorted(scores)}, not {self.labels}")
            answers[row] = [scores[label] for label in self.labels]
        return answers

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @cached_property
    def _about(self) -> dict[str, Any]:
        response = self._patiently("GET", "/about")
        if response.status_code == httpx.codes.NOT_FOUND:
            return {}
        found = self._json(response)
        return found if isinstance(found, dict) else {}

    def _scores(self, items: Sequence[Item]) -> list[dict[str, float]]:
        inputs = [[item.text] if item.pair is None else [item.text, item.pair] for item in items]
        found = self._json(self._patiently("POST", "/predict", {"inputs": inputs, "raw_scores": False}))
        try:
            rows = [{str(one["label"]): float(one["score"]) for one in row} for row in found]
        except (TypeError, KeyError, ValueError):
            rows = []
        if len(rows) != len(items):
            raise RemoteError(f"{self.url}/predict did not answer {len(items)} lists of labels and scores")
        return rows

    def _patiently(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """The first answer that is not 'busy'; gives up after some tries."""
        trouble = ""
        for attempt in range(TRIES):
            wait = min(self._patience * 2**attempt, LONGEST_WAIT)
            try:
                response = self._client.request(method, self.url + path, json=body)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise RemoteError(f"{self.url} is no address: {error}") from error
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__}: {error}"
            else:
                if response.status_code not in _BUSY:
                    return response
                trouble = f"status {response.status_code}"
                wait = min(_retry_after(response, wait), LONGEST_ASKED)
            if attempt + 1 < TRIES:
                time.sleep(wait)
        raise RemoteError(f"{self.url} could not be reached in {TRIES} tries ({trouble})")

    def _json(self, response: httpx.Response) -> Any:
        try:
            found = response.json()
        except ValueError:
            found = None
        if response.is_success and found is not None:
            return found
        said = found.get("error") if isinstance(found, dict) else None
        where = f"{response.request.method} {response.request.url}"
        raise RemoteError(f"{where} answered status {response.status_code}: {said or 'no JSON'}")


def _retry_after(response: httpx.Response, otherwise: float) -> float:
    """Seconds to wait: the header has seconds or a date."""
    said = response.headers.get("Retry-After", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return otherwise
