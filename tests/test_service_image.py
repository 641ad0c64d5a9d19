"""What the Dockerfile, .dockerignore and bentofile.yaml promise, read from their text."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent


def stages() -> list[list[str]]:
    """The instructions of the Dockerfile, by stage, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    starts = [at for at, line in enumerate(lines) if line.startswith("FROM ")]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def test_the_image_is_built_in_two_slim_stages() -> None:
    build, final = stages()
    assert "-slim AS build" in build[0] and final[0].endswith("-slim")
    assert any(line.startswith("COPY --from=build") for line in final)


def test_the_last_stage_installs_nothing_and_runs_as_nobody_special() -> None:
    final = stages()[1]
    text = "\n".join(final)
    assert not re.search(r"pip |apt|gcc|build-essential|curl|git", text)
    users = [line for line in final if line.startswith("USER ")]
    assert users and users[-1] not in ("USER root", "USER 0")
    assert final.index(users[-1]) > max(at for at, line in enumerate(final) if line.startswith(("COPY", "RUN")))
    assert final[-1].startswith("CMD ") and "service" in final[-1]


def test_the_image_checks_its_health() -> None:
    (check,) = [line for line in stages()[1] if line.startswith("HEALTHCHECK")]
    assert "/readyz" in check


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_check_asks_over_tls_where_the_service_speaks_it(scheme: str) -> None:
    """What it asks first: a request, or the hello of TLS."""
    (check,) = [line for line in stages()[1] if line.startswith("HEALTHCHECK")]
    _, option, code = json.loads(check.split("CMD ")[1])
    said = {"BABELPROOF_TLS_CERT": "cert.pem"} if scheme == "https" else {}
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = code.replace(":3000/", f":{server.getsockname()[1]}/")
        with subprocess.Popen([sys.executable, option, code], env=said, stderr=subprocess.DEVNULL) as asking:
            connection = server.accept()[0]
            with connection:
                asked = connection.recv(4)
        assert asking.returncode != 0, "it was not answered"
    assert asked[:3] == (b"GET" if scheme == "http" else b"\x16\x03\x01")


def test_the_image_holds_pinned_serving_dependencies_and_the_model() -> None:
    build, final = stages()
    text = "\n".join(build + final)
    assert "--constraint constraints.txt ." in text
    assert not re.search(r"torch|\.\[|training", text)
    assert "COPY models/topics models/topics" in final


def test_everything_copied_is_let_through_and_nothing_else() -> None:
    sources = [line.split()[1:-1] for stage in stages() for line in stage if line.startswith("COPY ")]
    copied = {name for names in sources for name in names if not names[0].startswith("--")}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert copied <= allowed and allowed - copied == {"models", "examples"}


def test_the_bento_names_what_it_holds() -> None:
    bento = yaml.safe_load((ROOT / "bentofile.yaml").read_text())
    assert bento["service"] == "service.app:Babelproof"
    assert bento["python"]["lock_packages"] is False
    assert {"name": "BENTOML_DO_NOT_TRACK", "value": "True"} in bento["envs"]
    assert all(pattern.split("/")[0] not in ("*", "**", "tests", "training") for pattern in bento["include"])
    for folder in ("service", "runtime", "probes", "models", "examples"):
        assert any(pattern.startswith(f"{folder}/") for pattern in bento["include"])


def test_the_bento_pins_what_the_constraints_pin() -> None:
    packages = yaml.safe_load((ROOT / "bentofile.yaml").read_text())["python"]["packages"]
    constraints = (ROOT / "constraints.txt").read_text().lower().replace("_", "-").splitlines()
    missing = [package for package in packages if package.lower().replace("_", "-") not in constraints]
    assert missing == []
    assert not any(package.startswith(("torch", "transformers")) for package in packages)
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    held = {package.partition("==")[0] for package in packages}
    assert {re.match(r"[\w-]+", one)[0].lower().replace("_", "-") for one in needed} <= held  # type: ignore[index]
