"""The commit that the code was at."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str:
    """The hash of HEAD, with "+changes" if tracked files differ from it; "unknown" outside a checkout."""
    package = Path(__file__).parent.parent
    try:
        _git(package, "ls-files", "--error-unmatch", "__init__.py")  # a checkout of another project is none of ours
        changed = _git(package, "status", "--porcelain", "--untracked-files=no")
        return _git(package, "rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()
