"""API keys in a variable: the text of a file of keys, refused by entry where it is wrong, never quoting a secret."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.classifier import OnnxClassifier
from service.keys.access import Access
from service.keys.register import KeysError, new, write
from service.preflight import check
from service.settings import Settings, SettingsError, read_settings
from tests.fakes_interface import SETTINGS, client, refused

SECRET, DIGEST = new()
ONE_LINE = f'keys = {{anna = {{sha256 = "{DIGEST}"}}, ben = {{sha256 = "{"1" * 64}", roles = ["metrics"]}}}}'
TABLES = f'[keys.anna]\nsha256 = "{DIGEST}"\ntexts_per_minute = 2\n'


@pytest.mark.parametrize("text", [ONE_LINE, TABLES])
async def test_keys_of_the_environment_are_those_a_file_would_have(
    served: OnnxClassifier, tmp_path: Path, text: str
) -> None:
    found = read_settings({"BABELPROOF_KEYS_INLINE": text})
    assert read_settings(found.environment()).keys_inline == text, "a worker reads what its supervisor read"
    settings = replace(SETTINGS, keys_inline=found.keys_inline, state=tmp_path)
    async with client(served, settings) as http:
        refused(await http.post("/predict", json={"inputs": "a"}), 401, "unauthorized")
        key = {"X-API-Key": SECRET}
        assert (await http.post("/predict", json={"inputs": ["a", "b"]}, headers=key)).status_code == 200
        refused(await http.get("/metrics", headers=key), 403, "forbidden")
        if text == TABLES:
            refused(await http.post("/predict", json={"inputs": ["a", "b"]}, headers=key), 429, "rate_limited")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"keys.anna.sha256 = '{SECRET}'", "keys.anna.sha256"),
        (f"keys.anna = '{SECRET}'", "keys.anna"),
        (f"[keys.anna]\nsha256 = '{DIGEST}'\n{SECRET} = 1", "keys.anna."),
        (f"{SECRET} = 'anna'", "something long"),
        (f"[keys.{SECRET}]\nroles = ['use']", "sha256"),
        (f"[keys.{SECRET}]\n[keys.{SECRET}]\n", "line 2"),
        (f"anna:{SECRET}", "line 1"),
        (f"[keys.anna]\nsha256 = '{DIGEST}'\nroles = ['boss']", "keys.anna.roles"),
        (f"[keys.a]\nsha256 = '{DIGEST}'\n[keys.b]\nsha256 = '{DIGEST}'", "same sha256"),
        ("# none yet", "no key"),
        ("#" * 100_001, "at most 100000"),
    ],
    ids=range(11),
)
def test_what_is_wrong_stops_the_start_and_no_secret_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        check(Settings(state=tmp_path, keys_inline=text), "127.0.0.1")
    message = str(error.value)
    assert message.startswith("BABELPROOF_KEYS_INLINE: ") and said in message
    assert SECRET not in message and SECRET[3:] not in message and DIGEST not in message


def test_keys_come_from_one_place(tmp_path: Path) -> None:
    write(tmp_path / "keys.toml", {})
    with pytest.raises(KeysError, match=r"BABELPROOF_KEYS and BABELPROOF_KEYS_INLINE.*one of them"):
        Access(Settings(state=tmp_path, keys=tmp_path / "keys.toml", keys_inline=ONE_LINE))


def test_keys_in_a_variable_count_as_keys_where_the_start_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    check(Settings(state=tmp_path, keys_inline=ONE_LINE), "0.0.0.0")
    assert "everybody" not in caplog.text and "in the clear" in caplog.text
