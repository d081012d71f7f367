"""What the programs share: steps with a line each, and waiting for what comes."""

import json
import sys
import time

PORT = int(sys.argv[1])
URL = f"redis://127.0.0.1:{PORT}/0"


def step(name, value):
    print(f"{name}: {json.dumps(value, default=lambda one: one.decode('latin-1') if isinstance(one, bytes) else repr(one))}", flush=True)


def until(name, holds):
    """Asks until it holds, for twenty seconds at most."""
    end = time.monotonic() + 20
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"{name} does not come")
        time.sleep(0.005)
