"""A report as SARIF 2.1.0: a rule per step, a result per fragile cell, a notification per cell that is not decided."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from probes.files import json_text
from probes.render.findings import Finding, findings
from probes.render.grid import language_name
from probes.render.letters import visible
from probes.report import Report

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

# The file results point to: no line of code flips a prediction, and a viewer asks for a place.
REPORT = "report.json"


def sarif(report: Report) -> str:
    """The report as a SARIF log of one run."""
    found = findings(report)
    steps = report.battery.steps
    places = {step.name: place for place, step in enumerate(steps)}
    driver = {
        "name": "babelproof",
        "version": report.provenance["versions"]["babelproof"],
        "rules": [
            {
                "id": visible(step.name),
                "shortDescription": {"text": visible(f"{step.name}: {', '.join(step.perturbations)}")},
                "fullDescription": {
                    "text": f"A small change to a text flips the answer: {', '.join(step.perturbations)}."
                },
                "properties": {"kind": step.kind},
            }
            for step in steps
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not report.truncated,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": finding.said}, "properties": _properties(finding)}
                    for finding in found
                    if finding.verdict.ruling in ("undecided", "not measured")
                ],
            }
        ],
        "results": [
            _result(finding, places[finding.verdict.step]) for finding in found if finding.verdict.ruling == "fragile"
        ],
    }
    log = {"$schema": SCHEMA, "version": VERSION, "runs": [run]}
    return json_text(log, indent=1, sort_keys=False) + "\n"


def _result(finding: Finding, place: int) -> dict[str, Any]:
    lang, step = finding.verdict.lang, visible(finding.verdict.step)
    cell = hashlib.sha256(json.dumps([lang, step]).encode()).hexdigest()
    return {
        "ruleId": step,
        "ruleIndex": place,
        "level": "error",
        "message": {"text": "\n".join((finding.said, *finding.flips))},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": REPORT}, "region": {"startLine": 1}},
                "logicalLocations": [{"name": language_name(lang), "fullyQualifiedName": f"{lang}/{step}"}],
            }
        ],
        "partialFingerprints": {"cell/v1": cell},
        "properties": _properties(finding),
    }


def _properties(finding: Finding) -> dict[str, Any]:
    verdict = finding.verdict
    names = ("lang", "step", "ruling", "tolerated", "n", "flips", "rate", "low", "high", "adjusted")
    return {name: getattr(verdict, name) for name in names}
