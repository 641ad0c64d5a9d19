"""The OpenAPI document is whole, its examples are true, and what it says holds for whatever schemathesis sends."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi import checks

from runtime.classifier import OnnxClassifier
from service.http.openapi import EXAMPLES
from service.settings import Settings
from tests.fakes_interface import client, interface
from tests.fakes_server import listening

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]
JSON = {"Content-Type": "application/json"}
ENDS = ("/promote", "/rollback")
"""What answers 409 or 503 where there is nothing to change: these have their own tests."""


@pytest.fixture
async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    return (await http.get("/openapi.json")).json()  # type: ignore[no-any-return]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method in methods.keys() - {"parameters"}:
            yield f"{method.upper()} {path}", methods[method]


def media(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return next(iter(content["content"].items()))


async def test_every_route_has_examples_that_follow_their_schemas(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    for route, operation in operations(document):
        given_ = [media(one) for status, one in operation["responses"].items() if status < "300" and "content" in one]
        sent = [media(operation["requestBody"])] if "requestBody" in operation else []
        for kind, said in (*sent, *given_):
            if kind in ("application/json", "text/event-stream", "text/plain") and route != "GET /openapi.json":
                assert "example" in said, f"{route}; python -m tests.record_examples"
            if "schema" in said:
                jsonschema.validate(said["example"], said["schema"] | components)


async def test_no_example_is_of_a_route_that_is_gone(document: dict[str, Any]) -> None:
    routes = {route for route, _ in operations(document)}
    assert set(json.loads(EXAMPLES.read_text(encoding="utf-8"))) <= routes


async def test_every_refusal_that_can_come_is_declared(document: dict[str, Any]) -> None:
    for route, operation in operations(document):
        declared = set(operation["responses"])
        assert {"400", "408", "431", "500", "503"} <= declared, route
        assert ("security" in operation) == ({"401", "403", "429"} <= declared), route
        assert ("{" in route) <= ("404" in declared), route
        if "requestBody" in operation:
            assert {"413", "415", "422", "429"} <= declared, route
    keyless = {route for route, operation in operations(document) if "security" not in operation}
    assert {"GET /livez", "GET /v2/health/live"} <= keyless
    assert not {"POST /predict", "POST /certify", "POST /batteries"} & keyless


async def test_the_examples_of_the_page_are_answered(served: OnnxClassifier) -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "api.md").read_text(encoding="utf-8")
    found = re.findall(
        r"^curl '?localhost:3000(/[^' ]+)'? -H 'Content-Type: application/json' -d '(.*?)'", page, re.M | re.S
    )
    async with client(served, Settings()) as http:
        table = (await http.get("/openapi.json")).json()["paths"]
        for path, body in found:
            response = await http.post(path.replace("topics", "keywords"), content=body, headers=JSON)
            assert response.status_code == 200, response.text
    assert len(found) == 3
    for path in re.findall(r"`(?:GET|POST) (/[\w./{}]*)`", page):
        assert path in table, path


@pytest.fixture(scope="module")
def address(served: OnnxClassifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in a thread of this process: its prober has no priority to wait for."""
    limits = Settings(
        state=tmp_path_factory.mktemp("state"), default_deadline_ms=500, max_deadline_ms=1000, max_certify_samples=300
    )
    with listening(interface(served, limits)) as found:
        yield found


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_what_the_document_says_holds(address: str, mode: GenerationMode) -> None:
    conform(address, mode, examples=6)


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_what_the_document_says_holds_for_much_more(address: str, mode: GenerationMode) -> None:
    conform(address, mode, examples=300)


def conform(address: str, mode: GenerationMode, examples: int) -> None:
    """Send so many requests to every operation with a body or a query, and one to each of the others."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    names = {"name": "keywords", "version": httpx.get(f"{address}/v2/models/keywords").json()["versions"][0]}
    failures = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith(ENDS) or operation.path.startswith("/static/"):
            continue
        much = bool(operation.body or operation.query)
        if mode is GenerationMode.NEGATIVE and not much:  # there is no wrong name in a path, only an unknown one
            continue

        @settings(
            max_examples=examples if much else 1,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: Any) -> None:
            path = case.meta.components.get(ParameterLocation.PATH)
            if path is not None and path.mode is GenerationMode.POSITIVE:  # as good as any, and there
                case.path_parameters |= {name: names[name] for name in case.path_parameters if name in names}
            case.call_and_validate(checks=CHECKS, timeout=30)

        try:
            holds()
        except (Exception, BaseExceptionGroup) as error:  # every failure is told, not the first one alone
            failures.append(f"{operation.label}: {''.join(traceback.format_exception_only(error))}")
            failures += [str(one) for one in getattr(error, "exceptions", ())]
    assert not failures, "\n\n".join(failures)
