"""What fixes a result: the model, the data and the versions, as every report says them; no clock, no host."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from probes import perturbations
from probes.steps import Step
from probes.types import Classifier, Example

_PACKAGES = ("babelproof", "anyascii", "numpy", "py3langid", "regex", "scipy")


def identity(classifier: Classifier) -> dict[str, Any]:
    """What is known of the model: labels, the digest of its manifest, or what it says of itself."""
    known: dict[str, Any] = {"labels": list(classifier.labels), "type": type(classifier).__name__}
    found = getattr(getattr(classifier, "manifest", None), "sha256", None)
    return known | ({"manifest_sha256": found} if found else {}) | dict(getattr(classifier, "identity", {}))


def dataset(examples: Sequence[Example]) -> dict[str, Any]:
    """Digest of the examples, whatever their order, and how many there are of each language."""
    whole = [[e.id, e.lang, e.item.text, e.item.pair, e.label] for e in sorted(examples, key=lambda e: (e.id, e.lang))]
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    return {"sha256": digest, "languages": dict(sorted(Counter(e.lang for e in examples).items()))}


def versions(also: Iterable[str] = ()) -> dict[str, str]:
    """Of what every result depends on, and of these packages."""
    found = {name: _version(name) for name in (*_PACKAGES, *also)}
    return found | {"python": ".".join(platform.python_version_tuple()[:2])}


def packages(steps: Iterable[Step]) -> list[str]:
    """The packages that need not be there on which the steps of a battery depend."""
    return ["nlpaug"] if any(name.startswith("nlpaug:") for step in steps for name in step.perturbations) else []


def files(steps: Iterable[Step]) -> dict[str, dict[str, str]]:
    """Digests of the files that the perturbations of a battery read, by perturbation and path."""
    names = dict.fromkeys(name for step in steps for name in step.perturbations)
    return {
        name: {str(path): digest(path) for path in found} for name in names if (found := perturbations.get(name).files)
    }


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return _digest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _digest(path: Path, changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
