"""What the programs share: steps with a line each, and waiting for what comes."""

import json
import sys
import time

PORT = int(sys.argv[1])
URL = f"redis://127.0.0.1:{PORT}/0"


def plain(value):
    """The same without bytes, which JSON does not know."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {str(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def step(name, value):
    print(f"{name}: {json.dumps(plain(value), default=repr)}", flush=True)


def until(name, holds):
    """Asks until it holds, for twenty seconds at most."""
    end = time.monotonic() + 20
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"{name} does not come")
        time.sleep(0.005)
