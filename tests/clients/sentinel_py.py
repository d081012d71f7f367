"""redis-py: writes to the primary that Sentinels name, and goes on when that is another one."""

import sys
import time

import redis
from redis.sentinel import Sentinel

WAIT = {"socket_timeout": 1, "socket_connect_timeout": 1}

sentinel = Sentinel([("127.0.0.1", int(port)) for port in sys.argv[1:]], sentinel_kwargs=WAIT, **WAIT)
client = sentinel.master_for("mymaster")
reader = sentinel.slave_for("mymaster")
first, end = None, time.monotonic() + 60
while time.monotonic() < end:
    try:
        client.incr("written")
        port = int(client.info("server")["tcp_port"])
        if port != first:
            print(f"writes to {port}", flush=True)
            if first is not None:
                reader.get("written")
                print("done", flush=True)
                sys.exit(0)
            first = port
    except redis.RedisError:
        # As a program does that has nothing else to do: it tries again.
        time.sleep(0.05)
    time.sleep(0.005)
sys.exit("the primary has not changed")
