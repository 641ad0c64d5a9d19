"""Abuse by mass: floods of names, bombs of Unicode and of tokens, large and packed bodies, silent connections, junk."""

from __future__ import annotations

import random
import re
import socket
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

import runtime
from probes import battery as batteries
from probes.detect import detect
from probes.types import Example, Item
from tests.fakes_service import Server

JSON = {"Content-Type": "application/json"}
SECRET = "Unaussprechlich"


def series(abused: Server) -> set[str]:
    """The names and labels of every series."""
    lines = httpx.get(f"{abused.url}/metrics").text.splitlines()
    return {line.rpartition(" ")[0] for line in lines if line and not line.startswith("#")}


def test_a_flood_of_paths_methods_and_ids_makes_no_series(abused: Server) -> None:
    rng = random.Random(0)

    def flood() -> None:
        with httpx.Client(base_url=abused.url) as http:
            for _ in range(50):
                name = "x" + "".join(rng.choices("abcdefgh/%?.-_", k=12))
                method = rng.choice(["GET", "POST", "BREW", "PROPFIND", "".join(rng.choices("ABCDEF", k=6))])
                http.request(method, f"/{name}", headers={"X-Request-Id": name.replace("/", "")})
                http.get(f"/batteries/{rng.getrandbits(60)}")
                http.post(f"/models/{rng.getrandbits(60)}/predict", json={"inputs": "a"})
            http.request("BREW", "/predict")

    flood()
    before = series(abused)  # whose own route is among them by the next time
    flood()
    assert {one for one in series(abused) - before if 'route="/metrics"' not in one} == set()
    methods = set(re.findall(r'method="(\w+)"', "\n".join(before)))
    assert methods <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}


BOMBS = {
    "marks": "a" + "\u0301" * 19_999,
    "zalgo": "".join(letter + "\u0335\u0321\u034f" * 20 for letter in "election" * 40),
    "ligature": "\ufdfa" * 20_000,
    "bidi": "\u202e\u2066\u202d" * 6_000,
    "joined": "\U0001f468\u200d" * 9_000,
    "flags": "\U0001f1e6" * 20_000,
    "controls": "".join(map(chr, range(1, 32))) * 600,
    "nul": "\0" * 20_000,
    "noncharacters": "\uffff\ufffe\U0010ffff" * 6_000,
    "word": "a" * 20_000,
    "hangul": "\u1100\u1161\u11a8" * 6_000,
    "spaces": " " * 20_000,
    "lines": "\r\n" * 10_000,
    "thai": "ก" * 20_000,
    "tags": "\U000e0061" * 20_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_of_unicode_and_of_tokens_are_answered(abused: Server, bomb: str) -> None:
    """A bomb that went off would take minutes; what is usual is a fraction of a second."""
    text = BOMBS[bomb]
    for path, body in (("/predict", {"inputs": text}), ("/detect", {"texts": [text]})):
        assert httpx.post(abused.url + path, json=body, timeout=30).status_code == 200, path
    assert abused.ready()


@pytest.mark.parametrize("bomb", ["marks", *(pytest.param(name, marks=pytest.mark.slow) for name in BOMBS)])
def test_a_probe_of_a_bomb_ends(abused_folder: Path, bomb: str) -> None:
    lang, _ = detect(BOMBS[bomb])
    with closing(runtime.load(abused_folder, threads=1)) as classifier:
        report = batteries.run(
            batteries.load("quick"), classifier, [Example("0", Item(BOMBS[bomb]), lang)], deadline=30
        )
    assert len(report.outcomes) == 5


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_a_compressed_body_is_not_unpacked(abused: Server, posts: list[str], encoding: str) -> None:
    body = b"\x1f\x8b" + b"\0" * 1_000
    for path in posts:
        response = httpx.post(abused.url + path, content=body, headers={**JSON, "Content-Encoding": encoding})
        assert response.json()["code"] == "encoded_body", path


def test_every_address_refuses_a_body_of_60_megabytes_before_it_is_read(abused: Server, posts: list[str]) -> None:
    port = int(abused.url.rpartition(":")[2])
    for path in posts:
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            raw.sendall(head.encode() + b"{")
            assert raw.recv(4096).startswith(b"HTTP/1.1 413"), path


def test_ranges_of_a_file_are_no_bomb(abused: Server) -> None:
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(2_000))
    response = httpx.get(f"{abused.url}/static/app.js", headers={"Range": ranges}, timeout=20)
    assert response.status_code in (200, 206, 400, 416)
    assert len(response.content) < 5_000_000


def test_connections_that_say_nothing_keep_nobody_out(abused: Server) -> None:
    address = ("127.0.0.1", int(abused.url.rpartition(":")[2]))
    held = [socket.create_connection(address) for _ in range(200)]
    try:
        for one in held[::2]:
            one.sendall(b"POST /predict HTTP/1.1\r\nHo")
        assert httpx.post(f"{abused.url}/predict", json={"inputs": "a vote"}).status_code == 200
        held[0].settimeout(10)
        assert b" 408 " in held[0].recv(4096)
    finally:
        for one in held:
            one.close()


# residual (5): a traceback for every bad request
def test_bad_requests_leave_no_tracebacks_and_no_words_in_the_log(abused: Server, posts: list[str]) -> None:
    before = abused.log.stat().st_size
    with httpx.Client(base_url=abused.url) as http:
        for path in posts:
            for body in (b"{", b'{"%s": 1}' % SECRET.encode(), b'{"inputs": [[["%s"]]]}' % SECRET.encode(), b"\xff"):
                for _ in range(5):
                    assert http.post(path, content=body, headers=JSON).status_code < 500
    time.sleep(1.2)  # lines of requests are written every second
    said = abused.log.read_bytes()[before:].decode()
    assert "Traceback" not in said and "File " not in said and SECRET not in said
    assert len(said) < 200 * 20 * len(posts)


def test_junk_instead_of_http_does_not_flood_the_log(abused: Server) -> None:
    before = abused.log.read_text().count("Invalid HTTP request")
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", int(abused.url.rpartition(":")[2])), timeout=10) as raw:
            raw.sendall(b"\x16\x03\x01 no http\r\n\r\n")
            assert b" 400 " in raw.recv(4096)
    assert abused.log.read_text().count("Invalid HTTP request") - before <= 2
