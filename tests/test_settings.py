"""Settings nobody meant: misspelt ones, keys that are empty; and what others say under the same prefix."""

from __future__ import annotations

import pytest

from service.settings import Settings, SettingsError, read_settings


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("BABELPROOF_KEYZ", "keys.toml", "BABELPROOF_KEYZ is no setting; BABELPROOF_KEYS is one"),
        ("BABELPROOF_MAX_TEXT", "", "BABELPROOF_MAX_TEXTS is one"),
        ("BABELPROOF_keys", "keys.toml", "is no setting"),
        ("BABELPROOF_KEYS", "", "BABELPROOF_KEYS is empty"),
        ("BABELPROOF_KEYS_INLINE", "", "BABELPROOF_KEYS_INLINE is empty"),
    ],
)
def test_what_nobody_can_have_meant_stops_the_start(name: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_settings({name: text})


def test_what_others_say_under_the_prefix_is_let_be() -> None:
    """Kubernetes tells every pod of a service called babelproof; CI names a folder for screenshots."""
    address = {"BABELPROOF_SERVICE_HOST": "10.0.0.1", "BABELPROOF_SERVICE_PORT_HTTP": "80"}
    linked = {"BABELPROOF_PORT": "tcp://10.0.0.1:80", "BABELPROOF_PORT_80_TCP_ADDR": "10.0.0.1"}
    empty = {"BABELPROOF_JOBS_URL": "", "BABELPROOF_SCREENSHOTS": "x"}
    assert read_settings(address | linked | empty) == Settings()
    assert read_settings(Settings().environment()) == Settings(), "a worker without keys reads what there is"
