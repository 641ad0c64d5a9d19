"""Live probing: what is sampled, what is counted, what is told, and that no text stays anywhere."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from scipy import stats

from probes.types import Item, Probabilities
from runtime.classifier import OnnxClassifier
from service.http.errors import Refusal
from service.live.counts import BINS, BLOCKS, FILE, Counts, Tally, read
from service.live.drift import mix, shift
from service.live.observer import Observer
from service.live.plan import MOST_CHARS, label, plan
from service.live.report import LiveMetrics, drifts, live
from service.live.sampler import Sampler
from service.live.watching import Watching
from service.probing.opened import Opened, Served
from service.settings import Settings, SettingsError
from tests.fakes_interface import SETTINGS, client
from tests.fakes_service import eventually

MODEL = ("keywords", "a" * 64)
ENGLISH = "The minister of the small country spoke about the weather for a very long time yesterday evening"
GERMAN = "Der Arzt sprach gestern Abend sehr lange über das Wetter und über die Gesundheit der Bevölkerung"
SWAPS = Settings(live_probes="swap,drop")


class Keyword:
    """politics while the word minister stands there, whole; sure of it or not."""

    labels = ("sports", "politics")

    def __init__(self, sure: float = 0.9) -> None:
        self.sure = sure
        self.asked = 0

    def __call__(self, items: Sequence[Item]) -> Probabilities:
        self.asked += len(items)
        found = np.array([self.sure if "minister" in item.text else 1 - self.sure for item in items])
        return np.stack([1 - found, found], axis=1).astype(np.float32)


def observed(path: Path, texts: Sequence[str], settings: Settings = SWAPS, lang: str | None = None) -> Keyword:
    model = Keyword()
    observer = Observer(plan(settings), path, 100)
    for text in texts:
        observer.observe(MODEL, model, Item(text), lang)
    observer.flush()
    observer.close()
    return model


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(live_probes="swap,swpa"), "swpa"),
        (Settings(live_probes=""), "LIVE_PROBES"),
        (Settings(live_probes="attacks"), "attack"),
        (Settings(live_probes="swap,swap"), "swap"),
        (Settings(live_probes="../battery.toml"), "LIVE_PROBES"),
        (Settings(live_languages="de,xx"), "xx"),
        (Settings(live_rate=1.5), "LIVE_RATE"),
    ],
)
def test_settings_that_cannot_be_are_named(settings: Settings, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        plan(settings)


def test_a_battery_may_be_named_and_costs_what_it_draws() -> None:
    quick = plan(Settings(live_probes="quick"))
    assert quick.families == ("typos", "look-alikes", "invisible", "spacing", "words")
    assert quick.cost == 1 + sum(step.draws for step in quick.battery.steps)


def test_flips_are_counted_by_language_and_family(tmp_path: Path) -> None:
    path = tmp_path / FILE
    observed(path, [ENGLISH] * 60)
    observed(path, [GERMAN] * 10)
    [counted] = read(path, MODEL)
    assert (counted.name, counted.sha256, counted.total) == (*MODEL, 70)
    trials, flips = counted.tally.trials, counted.tally.flips
    assert set(trials) == {("en", "swap"), ("en", "drop"), ("de", "swap"), ("de", "drop")}
    assert trials["en", "swap"] == 60 and trials["de", "drop"] == 10
    # a swap somewhere in the word flips the English text, and nothing the German one; not every draw is the same
    assert 0 < flips["en", "swap"] < 60
    assert flips["de", "swap"] == flips["de", "drop"] == 0


def test_no_more_is_asked_of_the_model_than_the_plan_says(tmp_path: Path) -> None:
    assert observed(tmp_path / FILE, [ENGLISH] * 20).asked <= 20 * plan(SWAPS).cost


def test_languages_that_are_not_wanted_and_long_texts_are_counted_but_not_probed(tmp_path: Path) -> None:
    settings = replace(SWAPS, live_languages="de")
    assert observed(tmp_path / FILE, [ENGLISH, "minister " * MOST_CHARS], settings).asked == 2
    observed(tmp_path / FILE, [GERMAN], settings)
    [counted] = read(tmp_path / FILE, MODEL)
    assert counted.total == 3 and {lang for lang, _ in counted.tally.trials} == {"de"}


def test_labels_come_from_a_list_known_in_advance(tmp_path: Path) -> None:
    for lang in ("de", "zh", "und"):
        assert label(lang) == lang
    assert {label(lang) for lang in ("xx", "tlh", "../etc", "en\n", "")} == {"other"}
    observed(tmp_path / FILE, [ENGLISH] * 3, lang="tlh")
    [counted] = read(tmp_path / FILE, MODEL)
    assert {lang for lang, _ in counted.tally.trials} == {"other"}


def test_no_text_is_in_the_file(tmp_path: Path) -> None:
    observed(tmp_path / FILE, [ENGLISH] * 5)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for word in ENGLISH.split():
        if len(word) > 5:
            assert word.encode() not in content


def texts(lang: str, n: int, part: int = BINS - 1) -> Tally:
    return Tally(texts=Counter({(lang, part): n}))


def test_probers_add_to_one_file_and_windows_slide(tmp_path: Path) -> None:
    first, second = Counts(tmp_path / FILE, 100), Counts(tmp_path / FILE, 100)
    for _ in range(10):
        first.add(MODEL, texts("en", 6))
        second.add(MODEL, texts("de", 4))
    [counted] = read(tmp_path / FILE, MODEL)
    assert counted.total == counted.first.total() == 100 and not counted.latest
    assert drifts(counted) == (None, {})
    for _ in range(300):
        second.add(MODEL, texts("hi", 10))
    [counted] = read(tmp_path / FILE, MODEL)
    assert counted.total == 3100
    assert counted.first == {("en", BINS - 1): 60, ("de", BINS - 1): 40}
    assert counted.latest == {("hi", BINS - 1): 100}
    # what lies between the windows is forgotten: the file does not grow
    rows = first._connection.execute("SELECT COUNT(*) FROM texts").fetchone()[0]
    assert rows <= 2 * BLOCKS * 3


def test_another_model_under_the_name_begins_at_nothing(tmp_path: Path) -> None:
    now = [1000.0]
    counts = Counts(tmp_path / FILE, 100, lambda: now[0])
    counts.add(MODEL, texts("en", 10))
    now[0] += 1
    new = (MODEL[0], "b" * 64)
    counts.add(new, texts("en", 1))
    assert [(c.sha256, c.total) for c in read(tmp_path / FILE, MODEL)] == [("b" * 64, 1)]
    now[0] += 60
    counts.add(new, texts("en", 1))
    counts.add(MODEL, texts("en", 3))  # rolled back: a new beginning too
    now[0] += 1
    counts.add(MODEL, texts("en", 3))
    assert [(c.sha256, c.total) for c in read(tmp_path / FILE, MODEL)] == [("a" * 64, 6)]


def test_a_damaged_file_costs_the_counts_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    observed(tmp_path / FILE, [ENGLISH])
    assert "is lost" in caplog.text and "minister" not in caplog.text
    assert list(LiveMetrics(tmp_path / FILE, MODEL).collect()) == []


def test_drift_agrees_with_scipy() -> None:
    first, latest = {"en": 700, "de": 300}, {"en": 500, "de": 300, "hi": 200}
    found = mix(first, latest)
    assert found is not None
    table = [[first.get(lang, 0), latest.get(lang, 0)] for lang in ("en", "de", "hi")]
    assert found.p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-6)
    shares = np.array(table) / 1000
    assert found.distance == pytest.approx(stats.entropy(shares.mean(1), base=2) - stats.entropy(shares, base=2).mean())
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, BINS, 400), rng.integers(3, BINS, 300)
    moved = shift(*(np.bincount(values, minlength=BINS).astype(float) for values in (one, other)))
    assert moved is not None
    told = stats.ks_2samp(one, other, method="asymp")
    assert moved.distance == pytest.approx(told.statistic)
    # scipy's asymptotic form rounds the effective size another way
    assert moved.p == pytest.approx(told.pvalue, rel=0.2) and moved.p < 0.01


def test_no_drift_is_found_where_there_is_none() -> None:
    rng, small = np.random.default_rng(1), 0
    for _ in range(200):
        one, other = (Counter(rng.choice(["en", "de", "hi"], 500, p=[0.5, 0.3, 0.2]).tolist()) for _ in range(2))
        found = mix(one, other)
        assert found is not None
        small += found.p < 0.05
    assert 2 <= small <= 20
    assert mix({}, {"en": 1}) is None and shift(np.zeros(3), np.ones(3)) is None
    assert mix({"en": 5}, {"en": 9}) == mix({"en": 5}, {"en": 9}) and mix({"en": 5}, {"en": 9}).p == 1  # type: ignore[union-attr]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_share_is_sampled_within_the_budget() -> None:
    clock, sent = Clock(), list[str]()
    settings = replace(SWAPS, live_rate=0.5, live_budget=600, workers=2)  # 3 calls a text: 100 texts a minute each
    sampler = Sampler(settings, lambda name, text, pair: sent.append(text), rng=random.Random(1), clock=clock)
    sampler.offer("keywords", [Item(str(n)) for n in range(100)])
    assert 30 <= len(sent) <= 70
    for _ in range(60):
        clock.now += 1
        sampler.offer("keywords", [Item("a")] * 1000)
    assert len(sent) <= 200  # a saved minute, and the minute itself
    Sampler(SWAPS, lambda *_: sent.append("never"), clock=clock).offer("keywords", [Item("a")] * 1000)
    assert "never" not in sent


def test_the_prober_observes_when_nobody_waits_and_drops_the_oldest(served_folder: Path, tmp_path: Path) -> None:
    settings = replace(SWAPS, state=tmp_path)
    classifier, busy = OnnxClassifier(served_folder, threads=1), threading.Event()
    models, digest = Opened(lambda _: classifier), classifier.manifest.sha256
    models.serve({"keywords": Served(str(served_folder), digest)})
    watching = Watching(settings, models, busy)
    busy.set()
    for _ in range(1000):
        watching.take({"model": "keywords", "text": ENGLISH, "pair": None, "lang": None})
    watching.take({"model": "gone", "text": "secret", "pair": None, "lang": None})
    time.sleep(0.3)
    assert not (tmp_path / FILE).exists()
    busy.clear()
    eventually(lambda: read(tmp_path / FILE, MODEL) and read(tmp_path / FILE, MODEL)[0].total == 255, 30)
    watching.close()
    assert read(tmp_path / FILE, MODEL)[0].sha256 == digest


def test_a_text_the_model_fails_on_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def never(folder: Path) -> OnnxClassifier:
        raise AssertionError(folder)

    class Failing(Opened):
        def get(self, name: str) -> OnnxClassifier:
            if name == "keywords":
                raise ValueError("un" + "told")
            raise Refusal(404, "unknown_model", "There is no such model.")

    watching = Watching(replace(SWAPS, state=tmp_path), Failing(never), threading.Event())
    for name in ("keywords", "other"):
        watching.take({"model": name, "text": "a", "pair": None, "lang": None})
    eventually(lambda: "ValueError" in caplog.text, 10)
    watching.close()
    assert "untold" not in caplog.text


def test_metrics_and_json_tell_the_same(tmp_path: Path) -> None:
    counts = Counts(tmp_path / FILE, 200)
    cell = ("en", "swap")
    counts.add(MODEL, Tally(Counter({cell: 200}), Counter({cell: 50}), Counter({("en", 19): 200})))
    for _ in range(20):
        counts.add(MODEL, texts("en", 5, 12))
        counts.add(MODEL, texts("hi", 5))
    [counted] = read(tmp_path / FILE, MODEL)
    said = live(counted)
    [flips] = said["flips"]
    assert (flips["n"], flips["flips"], flips["rate"]) == (200, 50, 0.25)
    assert flips["low"] < 0.25 < flips["high"]
    assert said["language_drift"]["p"] < 1e-6 and said["confidence_drift"]["en"]["distance"] == 1
    registry = CollectorRegistry()
    registry.register(LiveMetrics(tmp_path / FILE, MODEL))
    text = generate_latest(registry).decode()
    for line in (
        'babelproof_live_trials_total{family="swap",lang="en",model="keywords"} 200.0',
        'babelproof_live_flips_total{family="swap",lang="en",model="keywords"} 50.0',
        'babelproof_live_flip_rate{family="swap",lang="en",model="keywords"} 0.25',
        f'babelproof_live_model_info{{model="keywords",sha256="{MODEL[1]}"}} 1.0',
        'babelproof_live_texts_total{model="keywords"} 400.0',
        'babelproof_live_confidence_drift{lang="en",model="keywords"} 1.0',
    ):
        assert line in text
    assert f'babelproof_live_language_drift{{model="keywords"}} {said["language_drift"]["distance"]}' in text


async def test_get_live_says_what_is_set_and_what_was_found(served: OnnxClassifier, tmp_path: Path) -> None:
    settings = replace(SETTINGS, state=tmp_path, live_probes="swap", live_languages="de,en")
    async with client(served, settings) as http:
        empty = {"rate": 0.0, "families": ["swap"], "languages": ["de", "en"], "models": []}
        assert (await http.get("/live")).json() == empty
        observed(tmp_path / FILE, [ENGLISH] * 3, settings)
        Counts(tmp_path / FILE, 100).add(("gone", MODEL[1]), texts("en", 2))  # which is served no more
        [found] = (await http.get("/live")).json()["models"]
        assert found["texts"] == 3 and [row["lang"] for row in found["flips"]] == ["en"]
        assert 'babelproof_live_texts_total{model="keywords"} 3.0' in (await http.get("/metrics")).text
