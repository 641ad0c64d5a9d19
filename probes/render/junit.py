"""A report as JUnit XML: a suite per language, a case per step; fragile fails, what is not decided is skipped."""

from __future__ import annotations

from collections import defaultdict
from xml.etree import ElementTree as xml

from probes.render.findings import Finding, findings
from probes.render.grid import language_name, summary
from probes.render.letters import visible
from probes.report import Report


def junit(report: Report) -> str:
    """The report as JUnit XML; characters that XML cannot hold stand as their pictures (␈)."""
    whole, by_language = findings(report), defaultdict[str, list[Finding]](list)
    for finding in whole:
        by_language[finding.verdict.lang].append(finding)
    battery = visible(report.provenance["battery"]["name"])
    root = xml.Element("testsuites", {"name": f"babelproof {battery}", **_counts(whole)})
    for lang, found in by_language.items():
        suite = xml.SubElement(root, "testsuite", {"name": visible(f"{lang} {language_name(lang)}"), **_counts(found)})
        properties = xml.SubElement(suite, "properties")
        xml.SubElement(properties, "property", {"name": "summary", "value": visible(summary(report))})
        for finding in found:
            _case(suite, visible(f"{battery}.{lang}"), finding)
    xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml.tostring(root, encoding="unicode")}\n'


def _case(suite: xml.Element, name: str, finding: Finding) -> None:
    case = xml.SubElement(suite, "testcase", {"classname": name, "name": visible(finding.verdict.step)})
    flips = "\n".join(finding.flips)
    if finding.verdict.ruling == "fragile":
        xml.SubElement(case, "failure", {"type": "fragile", "message": finding.said}).text = flips
    elif finding.verdict.ruling != "robust":
        xml.SubElement(case, "skipped", {"message": finding.said})
    if finding.verdict.ruling != "fragile":
        xml.SubElement(case, "system-out").text = "\n".join((finding.said, *finding.flips))


def _counts(found: list[Finding]) -> dict[str, str]:
    rulings = [finding.verdict.ruling for finding in found]
    skipped = sum(ruling in ("undecided", "not measured") for ruling in rulings)
    return {
        "tests": str(len(found)),
        "failures": str(rulings.count("fragile")),
        "errors": "0",
        "skipped": str(skipped),
    }
