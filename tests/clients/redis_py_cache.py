"""redis-py with a cache of its own, which the server keeps up to date: hits, and what another client has changed."""

import redis
from redis.cache import CacheConfig

from steps import PORT, step, until

cached = redis.Redis(port=PORT, protocol=3, cache_config=CacheConfig(max_size=4))
other = redis.Redis(port=PORT)
other.flushall()
other.set("a", 1)
other.hset("h", "f", 1)
step("first", [cached.get("a"), cached.hgetall("h"), cached.get_cache().size])
step("again", [cached.get("a"), cached.hgetall("h"), cached.get_cache().size])
other.set("a", 2)
until("a change", lambda: cached.get("a") == b"2")
step("changed", cached.get("a"))
other.hset("h", "f", 2)
until("a field", lambda: cached.hgetall("h") == {b"f": b"2"})
step("field", cached.hgetall("h"))
other.delete("a")
until("an end", lambda: cached.get("a") is None)
step("gone", cached.get("a"))
other.set("e", 1, px=20)
cached.get("e")
until("expiry", lambda: cached.get("e") is None)
step("expired", cached.get("e"))
for at in range(10):
    other.set(f"k{at}", at)
    cached.get(f"k{at}")
step("bounded", cached.get_cache().size)
other.flushall()
until("a flush", lambda: cached.get("k9") is None)
step("flushed", [cached.get(f"k{at}") for at in range(10)])
step("own write", [cached.set("mine", 1), cached.get("mine"), cached.set("mine", 2)])
until("own change", lambda: cached.get("mine") == b"2")
step("own", cached.get("mine"))
