"""A classifier behind an address: the text-classification API of Hugging Face, spoken with patience."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import httpx
import numpy as np

from probes.types import Item, Probabilities

CHUNK = 32
TRIES = 6
LONGEST_WAIT = 30.0
_BUSY = frozenset({429, 502, 503, 504})


class RemoteError(RuntimeError):
    """The address did not answer as a classifier does; the message says what it did."""


class HttpClassifier:
    """POST {url}/predict for probabilities; labels from GET {url}/about, else from a first answer.

    Busy answers (429, 502-504) and broken connections are tried again, after Retry-After seconds where that is given.
    timeout and patience (the first wait, doubled each time) are in seconds. Raises RemoteError.
    """

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

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        """Probabilities of shape (len(items), len(labels)), asked in chunks of 32."""
        answers = np.zeros((len(items), len(self.labels)), dtype=np.float32)
        for start in range(0, len(items), CHUNK):
            for row, scores in enumerate(self._scores(items[start : start + CHUNK]), start):
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
            wait = self._patience * 2**attempt
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
                wait = _retry_after(response, wait)
            if attempt + 1 < TRIES:
                time.sleep(min(wait, LONGEST_WAIT))
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
    try:
        return max(0.0, float(response.headers.get("Retry-After", otherwise)))
    except ValueError:
        return otherwise
