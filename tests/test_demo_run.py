"""What `make run` does, on a small model and a few texts: serve, probe through the service, write the report."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

from tests.fakes_model import build_model_folder

ROOT = Path(__file__).resolve().parent.parent


def test_the_demonstration_serves_probes_and_reports(tmp_path: Path) -> None:
    model = build_model_folder(tmp_path / "model", labels=("sports", "health"))
    texts = [
        ("en", "a sports story", "sports"),
        ("de", "eine health Nachricht", "health"),
        ("th", "ข่าว sports", "sports"),
    ]
    data = tmp_path / "texts.jsonl"
    rows = [{"id": str(i), "lang": lang, "text": text, "label": label} for i, (lang, text, label) in enumerate(texts)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "examples/demo.py", "--once", "--model", str(model), "--data", str(data)]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out"), "--port", str(port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "German" in done.stdout
    assert (tmp_path / "out" / "report.html").as_uri() in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert {row["lang"] for row in report["rows"]} == {"en", "de", "th"}
