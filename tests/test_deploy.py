"""deploy/: every rule, query, manifest and setting in it is checked, by a real Prometheus over a real service."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import pytest
import yaml

from service.http.openapi import DEADLINE
from service.keys.register import Key, digest, write
from service.settings import PREFIX, Settings
from tests.fakes_model import build_model_folder
from tests.fakes_service import ROOT, Server, eventually, serving

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "babelproof.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
TEXTS = [f"The minister of country {number} won the election with nearly every vote" for number in range(40)]
IDLE_S = 150.0
"""Seconds a prober, which runs when nobody else wants to, may take on a busy machine."""
here = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")), reason="Debian's package prometheus is not installed"
)


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def expressions() -> Iterator[tuple[str, str]]:
    """Every query there is, and where."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for group in read(RULES)["groups"]:
        for rule in group["rules"]:
            yield rule.get("alert") or rule["record"], rule["expr"]


@here
def test_the_rules_do_what_their_tests_say() -> None:
    promtool("check", "config", "--syntax-only", DEPLOY / "prometheus" / "prometheus.yml")
    promtool("check", "rules", RULES)
    promtool("test", "rules", DEPLOY / "prometheus" / "alerts_test.yml")


def test_every_alert_is_tested_and_explained() -> None:
    alerts = {rule["alert"] for group in read(RULES)["groups"] for rule in group["rules"] if "alert" in rule}
    tested = [
        case for test in read(DEPLOY / "prometheus" / "alerts_test.yml")["tests"] for case in test["alert_rule_test"]
    ]
    assert {case["alertname"] for case in tested if case.get("exp_alerts")} == alerts
    operations = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"\| `(Babelproof\w+)` \|", operations)) == alerts


@dataclass(frozen=True)
class Watched:
    """A service under the eyes of a Prometheus."""

    server: Server
    prometheus: str

    def get(self, path: str, **query: str) -> Any:
        answer = httpx.get(f"{self.prometheus}/api/v1/{path}", params=query, timeout=20).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def ask(self, expression: str) -> list[Any]:
        return list(self.get("query", query=expression.replace("$__rate_interval", "1m"))["result"])


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    home = tmp_path_factory.mktemp("watched")
    keys = {
        "probing": Key(sha256=digest("use"), roles=("use", "jobs")),
        "prometheus": Key(sha256=digest("look"), roles=("metrics",)),
    }
    write(home / "keys.toml", keys)
    settings = {"KEYS": str(home / "keys.toml"), "LIVE_RATE": "1", "LIVE_PROBES": "swap,case", "LIVE_BUDGET": "100000"}
    folder = build_model_folder(home / "keywords")
    with (
        serving(folder, home / "log.txt", LOG_FORMAT="json", **settings) as server,
        watching(server, home) as prometheus,
    ):
        _use(server)
        yield Watched(server, prometheus)


@contextmanager
def watching(server: Server, home: Path) -> Iterator[str]:
    """A Prometheus with our configuration and rules, at a quicker pace."""
    config = read(DEPLOY / "prometheus" / "prometheus.yml")
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(RULES)]
    (home / "metrics.key").write_text("look\n")
    [job] = config["scrape_configs"]
    job["authorization"]["credentials_file"] = str(home / "metrics.key")
    job["static_configs"] = [{"targets": [server.url.removeprefix("http://")]}]
    (home / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ["prometheus", f"--config.file={home / 'prometheus.yml'}", f"--storage.tsdb.path={home / 'data'}"]
    with (home / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        eventually(lambda: process.poll() is not None or _answers(f"http://{address}/-/ready"), 30)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(30)


@here
def test_a_real_prometheus_scrapes_the_service_and_sees_it_break(watched: Watched) -> None:
    assert httpx.get(f"{watched.server.url}/metrics").status_code == 401
    eventually(lambda: watched.ask('up{job="babelproof"} == 1'), 30)
    eventually(lambda: _value(watched, "babelproof_live_texts_total") == len(TEXTS), IDLE_S)
    eventually(lambda: watched.ask('babelproof_jobs_ended_total{state="done"} == 1'), IDLE_S)
    assert _value(watched, 'babelproof_requests_total{route="/predict",status="200"}') == len(TEXTS)
    trials = {row["metric"]["lang"]: row for row in watched.ask("sum by (lang) (babelproof_live_trials_total)")}
    assert set(trials) == {"en"} and float(trials["en"]["value"][1]) >= len(TEXTS)
    low, rate, high = (
        float(watched.ask(f'babelproof_live_flip_rate{end}{{family="swap"}}')[0]["value"][1])
        for end in ("_low", "", "_high")
    )
    assert 0 <= low < rate < high <= 1
    words = (watched.server.log.parent / "log.txt").read_text()
    assert "minister" not in words
    for line in words.splitlines():
        assert json.loads(line)["message" if "status" not in line else "route"]


@here
def test_every_rule_and_every_query_of_the_dashboard_is_understood_by_it(watched: Watched) -> None:
    eventually(lambda: all(rule["lastEvaluation"] > "0002" for rule in _rules(watched)), 30)
    assert {rule["health"] for rule in _rules(watched)} == {"ok"}
    recorded = {rule["name"] for rule in _rules(watched) if rule["type"] == "recording"}
    text = httpx.get(f"{watched.server.url}/metrics", headers={"X-API-Key": "look"}).text
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    told |= {f"{name}_bucket" for name in told} | recorded | {"up"}
    [scaling] = read(DEPLOY / "kubernetes" / "autoscaling.yaml")["spec"]["metrics"]
    metric = scaling["pods"]["metric"]
    assert metric["name"] in told and watched.ask(f'{metric["name"]}{{priority="live"}}')
    for where, expression in expressions():
        watched.ask(expression)
        unlabelled = re.sub(r"\{[^}]*(\{\w+\}[^}]*)*\}|\[[^]]*\]|by \([^)]*\)", "", expression)
        used = set(re.findall(r"\b(?:babelproof[:\w]*|up)\b", unlabelled))
        assert used and used <= told, (where, used - told)


@here
def test_what_the_documentation_says_is_measured_is_measured(watched: Watched) -> None:
    text = httpx.get(f"{watched.server.url}/metrics", headers={"X-API-Key": "look"}).text
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    table = (ROOT / "docs" / "operations.md").read_text().split("## Metrics")[1].split("\n## ")[0]
    listed = set(re.findall(r"`(babelproof_\w+)`", table))
    assert told == listed


def test_the_dashboard_is_whole() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    [source] = read(DEPLOY / "grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        assert panel["targets"] and panel["datasource"]["uid"] == source["uid"]
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    [provider] = read(DEPLOY / "grafana/provisioning/dashboards/babelproof.yaml")["providers"]
    mounts = read(DEPLOY / "compose.yaml")["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in mounts


def test_the_compose_file_names_what_is_there() -> None:
    compose = read(DEPLOY / "compose.yaml")
    named = {*compose["volumes"], *compose["secrets"]}
    for service in compose["services"].values():
        assert set(service.get("secrets", ())) <= named
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in named
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "what others may reach is for whoever runs it to decide"
        assert set(service.get("depends_on", ())) <= set(compose["services"])
    own = compose["services"]["babelproof"]
    assert own["read_only"] and own["cap_drop"] == ["ALL"] and "no-new-privileges:true" in own["security_opt"]
    _settings(own["environment"])
    target = read(DEPLOY / "prometheus/prometheus.yml")["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target == [f"babelproof:{own['command'][-1]}"]


def test_the_keys_of_compose_lie_in_a_folder_that_is_mounted_whole() -> None:
    own = read(DEPLOY / "compose.yaml")["services"]["babelproof"]
    keys = PurePosixPath(own["environment"]["BABELPROOF_KEYS"])
    [source] = [mount.split(":")[0] for mount in own["volumes"] if mount.split(":")[1] == str(keys.parent)]
    assert (DEPLOY / source).is_dir(), "a mounted file stays the one it was when keys are written anew"
    said = (ROOT / "docs" / "operations.md").read_text()
    assert set(re.findall(r"--file (\S+)", said)) == {f"deploy/{source.removeprefix('./')}/{keys.name}"}


async def test_a_prediction_is_timed_by_whatever_route_it_came(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    predicting = {path for path, said in paths.items() if DEADLINE in said.get("post", {}).get("parameters", ())}
    timed = [expression for _, expression in expressions() if "babelproof_request_seconds" in expression]
    assert len(timed) == 4 and {"/predict", "/v2/models/{name}/infer"} < predicting
    for expression in timed:
        [routes] = re.findall(r'route=~"([^"]*)"', expression)
        assert set(routes.split("|")) == predicting, "Prometheus takes a { of no number for itself"


def test_kubernetes_manifests_fit_its_schemas() -> None:
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    kinds = set()
    for path in MANIFESTS:
        for document in yaml.safe_load_all(path.read_text()):
            kinds.add(document["kind"])
            if document["kind"] != "Kustomization":
                validator.validate(document, "1.30", strict=True)
    listed = read(DEPLOY / "kubernetes" / "kustomization.yaml")["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == [path.name for path in MANIFESTS]
    assert kinds >= {"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy"}


def test_pods_run_with_as_little_as_they_need() -> None:
    deployment = read(DEPLOY / "kubernetes" / "deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    rights = pod["securityContext"] | container["securityContext"]
    assert rights["runAsNonRoot"] and rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
    assert rights["capabilities"] == {"drop": ["ALL"]} and pod["automountServiceAccountToken"] is False
    user = re.findall(r"^USER (\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user == [str(rights["runAsUser"])]
    assert pod["terminationGracePeriodSeconds"] > Settings().drain_s
    assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert probes == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/livez"}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    _settings({entry["name"]: entry.get("value", "") for entry in container["env"]})
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    for name, *where in (
        ("service", "selector"),
        ("disruption", "selector", "matchLabels"),
        ("network", "podSelector", "matchLabels"),
    ):
        found = read(DEPLOY / "kubernetes" / f"{name}.yaml")["spec"]
        for part in where:
            found = found[part]
        assert found.items() <= labels, name


def _use(server: Server) -> None:
    """Something of everything that is counted."""
    with httpx.Client(base_url=server.url, headers={"X-API-Key": "use"}, timeout=IDLE_S) as http:
        for text in TEXTS:
            assert http.post("/predict", json={"inputs": text}).status_code == 200
        steps = [{"name": "swaps", "perturbations": ["swap"]}]
        assert http.post("/batteries", json={"texts": TEXTS[:1], "steps": steps}).status_code == 202
        assert http.post("/probe", json={"texts": TEXTS[:1], "steps": steps}).status_code == 200


def _settings(environment: dict[str, str]) -> None:
    """Every variable is a setting."""
    known = {PREFIX + field.name.upper() for field in fields(Settings)}
    assert {name for name in environment if name.startswith(PREFIX)} <= known


def _rules(watched: Watched) -> list[Any]:
    return [rule for group in watched.get("rules")["groups"] for rule in group["rules"]]


def _value(watched: Watched, expression: str) -> float:
    return sum(float(row["value"][1]) for row in watched.ask(expression))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        time.sleep(0.05)
        return False
