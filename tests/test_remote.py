"""A classifier behind an address, against a real server on this machine."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest

from probes.battery import load, run
from probes.types import Item
from runtime.client import Patience
from runtime.remote import CHUNK, HttpClassifier, RemoteError
from tests.fakes_probes import EXAMPLES, FakeServer, make_topics, serving

TRIES = Patience().tries
ITEMS = [Item("team"), Item("x", "doctor"), Item("nothing")]


@pytest.fixture
def fake():
    return FakeServer(make_topics())


@pytest.fixture
def model(fake):
    with serving(fake) as url:
        classifier = HttpClassifier(url + "/", patience=0.01)
        yield classifier
        classifier.close()


def test_probabilities_come_in_the_order_of_the_labels(model):
    assert model.labels == ("other", "sports", "health")
    assert np.allclose(model(ITEMS), make_topics()(ITEMS))
    assert model([]).shape == (0, 3)


def test_singles_and_pairs_are_sent_as_they_are(fake, model):
    model(ITEMS)
    assert fake.requests[-1] == {"inputs": [["team"], ["x", "doctor"], ["nothing"]], "raw_scores": False}


def test_many_items_go_in_chunks(fake, model):
    many = [Item(f"{i} team" if i % 3 else f"{i}") for i in range(2 * CHUNK + 1)]
    assert np.allclose(model(many), make_topics()(many))
    assert sorted(len(request["inputs"]) for request in fake.requests) == [1, CHUNK, CHUNK]


def test_chunks_are_asked_at_once(fake, model):
    assert model.labels
    together = threading.Barrier(3, timeout=5)
    inner = fake.classifier

    class Waiting:
        labels = inner.labels

        def __call__(self, items):
            together.wait()
            return inner(items)

    fake.classifier = Waiting()
    assert model([Item(str(i)) for i in range(2 * CHUNK + 1)]).shape == (2 * CHUNK + 1, 3)


def test_labels_are_learned_from_an_answer_where_there_is_no_about():
    with serving(FakeServer(make_topics(), about=False)) as url:
        model = HttpClassifier(url)
        assert model.labels == ("health", "other", "sports")
        assert model([Item("team")]).argmax() == 2 and model.identity == {"url": url}
        model.close()


def test_a_busy_server_is_asked_again(fake, model):
    assert model.labels
    fake.script = [(429, {"Retry-After": "0"}, {}), (503, {"Retry-After": "soon"}, {}), (502, {}, b"<html>")]
    assert model(ITEMS).shape == (3, 3)
    assert fake.script == []


@pytest.mark.parametrize("date", [False, True])
def test_the_server_says_how_long_to_wait(fake, model, date):
    assert model.labels
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    fake.script = [(429, {"Retry-After": until if date else "0.4"}, {})]
    start = time.monotonic()
    model(ITEMS)
    assert time.monotonic() - start >= 0.35


def test_the_digest_is_that_of_the_model_behind_the_address(fake, model):
    assert model.digest is None, "a service that does not say it has no answer store"
    fake.script = [(200, {}, {"model": {"labels": ["a", "b"], "sha256": "abc"}})]
    other = HttpClassifier(model.url)
    assert other.digest == "abc"
    other.close()


def test_a_server_that_stays_busy_is_given_up(fake, model):
    assert model.labels
    fake.script = [(503, {}, {})] * (TRIES + 1)
    with pytest.raises(RemoteError, match=rf"could not be reached in {TRIES} tries \(status 503\)"):
        model(ITEMS)
    assert len(fake.script) == 1


def test_nobody_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = HttpClassifier(f"http://127.0.0.1:{port}", patience=0.001)
    with pytest.raises(RemoteError, match=r"could not be reached .*ConnectError"):
        model.labels  # noqa: B018
    model.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((413, {}, {"error": "The text is too long.", "code": "too_long"}), "status 413: The text is too long."),
        ((500, {}, b"oops"), "POST .*/predict answered status 500: no JSON"),
        ((200, {}, b"<html>"), "no JSON"),
        ((200, {}, [[{"label": "a"}]]), r"answered something else: 0\.0\.score: Field required"),
        ((200, {}, []), "did not answer 3 lists"),
        ((200, {}, [[{"label": "sports", "score": 1.0}]] * 3), r"answered the labels \['sports'\], not"),
    ],
)
def test_an_answer_that_is_none_is_told(fake, model, answer, said):
    assert model.labels
    fake.script = [answer]
    with pytest.raises(RemoteError, match=said):
        model(ITEMS)


def test_a_report_names_the_remote_model(fake, model):
    far, near = run(load("quick"), model, EXAMPLES), run(load("quick"), make_topics(), EXAMPLES)
    assert far.outcomes == near.outcomes
    said = far.provenance["classifier"]
    assert said["url"] == model.url and said["model"]["name"] == "fake"
