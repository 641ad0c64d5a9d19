"""Who may call from where and how: origins, TLS, and settings that stop the start."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from runtime.classifier import OnnxClassifier
from service.preflight import check
from service.settings import Settings, SettingsError, read_settings
from tests.fakes_interface import SETTINGS, client
from tests.fakes_model import build_model_folder
from tests.fakes_service import ROOT, eventually

OURS, OTHER = "https://app.example.org", "https://example.org.evil.test"


def allowed(response: httpx.Response) -> str | None:
    return response.headers.get("Access-Control-Allow-Origin")


async def test_no_origin_is_allowed_unless_it_is_listed(served: OnnxClassifier) -> None:
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    async with client(served) as http:
        assert allowed(await http.get("/livez", headers={"Origin": OURS})) is None
        assert allowed(await http.options("/predict", headers={"Origin": OURS, **ask})) is None
    async with client(served, replace(SETTINGS, cors_origins=f"{OURS}, http://localhost:8080")) as http:
        for origin, answer in ((OURS, OURS), ("http://localhost:8080", "http://localhost:8080"), (OTHER, None)):
            assert allowed(await http.get("/livez", headers={"Origin": origin})) == answer
            asked = await http.options("/predict", headers={"Origin": origin, **ask})
            assert (allowed(asked), asked.status_code == 200) == (answer, answer is not None)
        refused = await http.post(
            "/predict", content=b"{", headers={"Origin": OURS, "Content-Type": "application/json"}
        )
        assert allowed(refused) == OURS and "X-Request-Id" in refused.headers
        assert "Access-Control-Allow-Credentials" not in refused.headers
        assert "Origin" in refused.headers["Vary"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(cors_origins="*"), "CORS_ORIGINS.*'\\*'"),
        (Settings(cors_origins="https://a.org/path"), "CORS_ORIGINS"),
        (Settings(cors_origins="null"), "CORS_ORIGINS"),
        (Settings(log_format="xml"), "LOG_FORMAT"),
        (Settings(keys=Path("no/such/keys.toml")), "no file of keys"),
        (Settings(live_probes="nothing"), "LIVE_PROBES"),
        (Settings(tls_cert=Path("a.pem")), "go together"),
        (Settings(tls_cert=Path("a.pem"), tls_key=Path("b.pem")), "no TLS with a.pem"),
    ],
)
def test_settings_no_worker_could_serve_with_stop_the_start(settings: Settings, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        check(settings, "127.0.0.1")


@pytest.mark.parametrize(
    ("host", "settings", "said"),
    [
        ("127.0.0.1", Settings(), ""),
        ("::1", Settings(), ""),
        ("localhost", Settings(), ""),
        ("0.0.0.0", Settings(), "everybody who reaches 0.0.0.0"),
        ("::", Settings(), "everybody"),
        ("example.org", Settings(), "everybody"),
    ],
)
def test_what_is_open_to_everybody_is_said(
    host: str, settings: Settings, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    check(settings, host)
    assert (said in caplog.text) if said else not caplog.text


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("metrics_open", "true", True),
        ("metrics_open", "No", False),
        ("live_rate", "0.25", 0.25),
        ("live_rate", "0", 0.0),
        ("keys", "k.toml", Path("k.toml")),
        ("metrics_open", "perhaps", None),
        ("live_rate", "nan", None),
        ("live_rate", "-1", None),
        ("live_budget", "0", None),
        ("live_budget", "2.5", None),
    ],
)
def test_settings_are_read_by_their_kind(name: str, text: str, value: object) -> None:
    variables = {f"BABELPROOF_{name.upper()}": text}
    if value is None:
        with pytest.raises(SettingsError, match=name.upper()):
            read_settings(variables)
    else:
        found = read_settings(variables)
        assert getattr(found, name) == value
        assert read_settings(found.environment()) == found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate with")
def test_it_speaks_tls_of_this_decade(tmp_path: Path) -> None:
    cert, key, log = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "log.txt"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    command = [sys.executable, "-m", "service", "--model", str(build_model_folder(tmp_path / "model")), "--port", "0"]
    command += ["--workers", "1", "--tls-cert", str(cert), "--tls-key", str(key)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)
    try:
        eventually(lambda: process.poll() is not None or re.search(r"https://\S+", log.read_text()))
        url = re.findall(r"serving .* on (https://\S+)", log.read_text())[0]
        trusted = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(verify=trusted, base_url=url) as http:
            eventually(lambda: _ready(http))
            assert http.post("/predict", json={"inputs": "a vote"}).json()[0]["label"] == "politics"
        for old in ({"maximum_version": ssl.TLSVersion.TLSv1_1}, {"ciphers": "AES128-SHA"}):
            context = ssl.create_default_context(cafile=str(cert))
            context.maximum_version = old.get("maximum_version", ssl.TLSVersion.TLSv1_2)  # type: ignore[assignment]
            context.set_ciphers(f"{old.get('ciphers', 'ALL')}:@SECLEVEL=0")
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{url}/livez", verify=context)
        with pytest.raises(httpx.HTTPError):
            httpx.get(url.replace("https", "http") + "/livez")
    finally:
        process.terminate()
        process.wait(30)


def _ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False
