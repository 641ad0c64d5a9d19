"""What `make run` does: serve a model, probe it in every language of the demo set over HTTP, and keep serving.

python examples/demo.py --port 3000          # until interrupted
python examples/demo.py --once               # stop after the report
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60


def wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    """Return when the server answers that it is ready; end the program when it has ended or stays silent."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit("the server stopped before it was ready; what it said is above")
        try:
            if httpx.get(f"{address}/readyz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    sys.exit(f"the server was not ready after {READY_SECONDS} seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "topics", help="model folder")
    parser.add_argument("--data", type=Path, default=ROOT / "examples" / "demo.jsonl", help="texts to probe with")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "demo", help="folder for the report")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--once", action="store_true", help="stop when the report is written")
    options = parser.parse_args()
    address = f"http://127.0.0.1:{options.port}"
    serve = [sys.executable, "-m", "service", "--model", str(options.model), "--port", str(options.port)]
    probe = [sys.executable, "-m", "runtime.cli", "run", "quick", "--model", address]
    server = subprocess.Popen(serve, cwd=ROOT)
    try:
        wait_until_ready(server, address)
        subprocess.run([*probe, "--data", str(options.data), "--out", str(options.out)], cwd=ROOT, check=True)
        print(f"\nReport  {(options.out / 'report.html').as_uri()}", flush=True)
        if not options.once:
            print(f"Page    {address}/\nAPI     {address}/openapi.json\nCtrl-C stops the server.", flush=True)
            server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.terminate()
        server.wait(timeout=30)


if __name__ == "__main__":
    main()
