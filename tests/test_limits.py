"""What one key may use: buckets and quotas shared by processes, true waits, nothing lost by a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.http.errors import Refusal
from service.keys.limits import Limits
from service.keys.register import Key, digest
from tests.fakes_service import ROOT

DAY = 86_400
NOON = 20_000 * DAY + DAY / 2


class Clock:
    """Stands still until told."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def key(secret: str = "a", **limits: int) -> Key:
    return Key(sha256=digest(secret), **limits)  # type: ignore[arg-type]


def refused(limits: Limits, one: Key, **wanted: int) -> tuple[str, int]:
    with pytest.raises(Refusal) as caught:
        limits.take(one, **wanted)
    assert caught.value.status == 429
    return caught.value.code, int(caught.value.headers["Retry-After"])


def test_requests_run_out_and_come_back_as_the_refusal_said(tmp_path: Path) -> None:
    clock, one = Clock(), key(requests_per_minute=6)
    limits = Limits(tmp_path, clock)
    for _ in range(6):
        limits.take(one, requests=1)
    code, wait = refused(limits, one, requests=1)
    assert (code, wait) == ("rate_limited", 10)
    clock.now += wait - 0.5
    assert refused(limits, one, requests=1)[1] == 1
    clock.now += 0.5
    limits.take(one, requests=1)


def test_texts_have_a_bucket_of_their_own_and_a_large_request_is_not_shut_out_for_ever(tmp_path: Path) -> None:
    clock, one = Clock(), key(texts_per_minute=60)
    limits = Limits(tmp_path, clock)
    limits.take(one, requests=1000, texts=150)  # a full bucket lets it go, and it leaves a debt
    assert refused(limits, one, texts=1) == ("rate_limited", 91)
    clock.now += 91
    limits.take(one, texts=1)
    limits.take(one, requests=5)


def test_what_is_given_back_may_be_used_again_also_while_in_debt(tmp_path: Path) -> None:
    one = key(texts_per_minute=60, texts_per_day=200)
    limits = Limits(tmp_path, Clock())
    limits.take(one, texts=150)
    limits.take(one, texts=-150)
    limits.take(one, texts=150)
    assert refused(limits, one, texts=1) == ("rate_limited", 91)


def test_the_quota_ends_at_midnight_utc_and_is_whole_or_not_at_all(tmp_path: Path) -> None:
    clock, one = Clock(), key(texts_per_day=10)
    limits = Limits(tmp_path, clock)
    limits.take(one, texts=8)
    assert refused(limits, one, texts=3) == ("quota_used", DAY // 2)
    limits.take(one, texts=2)
    clock.now += DAY // 2
    limits.take(one, texts=10)


def test_workers_and_restarts_share_one_count(tmp_path: Path) -> None:
    one = key(texts_per_day=10)
    first, second = Limits(tmp_path, Clock()), Limits(tmp_path, Clock())
    first.take(one, texts=6)
    refused(second, one, texts=5)
    second.take(one, texts=4)
    first.close()
    refused(Limits(tmp_path, Clock()), one, texts=1)


def test_keys_do_not_share(tmp_path: Path) -> None:
    limits = Limits(tmp_path, Clock())
    limits.take(key("a", texts_per_day=5), texts=5)
    limits.take(key("b", texts_per_day=5), texts=5)


def test_a_key_without_limits_leaves_no_file(tmp_path: Path) -> None:
    Limits(tmp_path / "limits", Clock()).take(key(), requests=1, texts=10**9)
    assert not (tmp_path / "limits").exists()


@pytest.mark.parametrize("content", [b"", b"x" * 7, b"\xff" * 40, b"\xff" * 400])
def test_a_damaged_count_begins_anew(tmp_path: Path, content: bytes) -> None:
    one = key(texts_per_minute=60, texts_per_day=100)
    (tmp_path / one.sha256[:16]).write_bytes(content)
    limits = Limits(tmp_path, Clock())
    limits.take(one, texts=60)
    refused(limits, one, texts=30)


def test_a_count_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    one = key(texts_per_day=5)
    (victim := tmp_path / "victim").write_text("precious")
    (tmp_path / "limits").mkdir()
    (tmp_path / "limits" / one.sha256[:16]).symlink_to(victim)
    with pytest.raises(Refusal) as caught:
        Limits(tmp_path / "limits", Clock()).take(one, texts=1)
    assert (caught.value.status, caught.value.code) == (503, "state_unwritable")
    assert victim.read_text() == "precious"


def test_a_clock_set_back_gives_nothing(tmp_path: Path) -> None:
    clock, one = Clock(), key(requests_per_minute=1)
    limits = Limits(tmp_path, clock)
    limits.take(one, requests=1)
    clock.now -= 3600
    refused(limits, one, requests=1)


def test_processes_that_take_at_once_take_no_more_than_there_is(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from service.http.errors import Refusal\n"
        "from service.keys.register import Key, digest\n"
        "from service.keys.limits import Limits\n"
        "limits, key, taken = Limits(Path(sys.argv[1])), Key(sha256=digest('a'), texts_per_day=2000), 0\n"
        "try:\n"
        "    while True: limits.take(key, texts=1); taken += 1\n"
        "except Refusal: print(taken)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ}) for _ in range(3)]
    taken = [int(one.communicate(timeout=60)[0]) for one in running]
    assert sum(taken) == 2000


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 40), st.integers(1, 30)), min_size=1, max_size=60),
    st.integers(1, 120),
)
def test_never_more_than_the_bucket_and_its_rate(tmp_path_factory: pytest.TempPathFactory, steps, rate: int) -> None:  # type: ignore[no-untyped-def]
    clock, one = Clock(), key(texts_per_minute=rate)
    limits = Limits(tmp_path_factory.mktemp("limits"), clock)
    taken, largest, begun = 0, 0, clock.now
    for pause, texts in steps:
        clock.now += pause
        try:
            limits.take(one, texts=texts)
        except Refusal as refusal:
            clock.now += int(refusal.headers["Retry-After"])
            limits.take(one, texts=texts)  # what it said was true
        taken, largest = taken + texts, max(largest, texts)
        assert taken <= rate * (1 + (clock.now - begun) / 60) + largest
    limits.close()
