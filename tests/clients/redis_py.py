"""redis-py: Lock and register_script, in pipelines and after a flush; functions."""

import redis
from redis.exceptions import LockError, LockNotOwnedError, ResponseError

from steps import PORT, step

for protocol in (2, 3):
    client = redis.Redis(port=PORT, protocol=protocol)
    client.flushall()
    lock = client.lock("lock", timeout=10)
    step("acquired", lock.acquire(blocking=False))
    step("second", client.lock("lock", timeout=10).acquire(blocking=False))
    step("blocking", client.lock("lock", timeout=10, blocking_timeout=0.05).acquire())
    step("owned", [lock.owned(), lock.locked()])
    step("extend", [lock.extend(20), client.pttl("lock") > 10000, lock.extend(30, replace_ttl=True), client.pttl("lock") <= 30000])
    step("reacquire", [lock.reacquire(), client.pttl("lock") <= 10000])
    lock.release()
    step("released", client.exists("lock"))
    try:
        lock.release()
    except LockError as error:
        step("again", str(error))
    lock.acquire()
    client.set("lock", "another")
    for act in (lock.release, lambda: lock.extend(5), lock.reacquire):
        try:
            act()
        except (LockNotOwnedError, LockError) as error:
            step("lost", type(error).__name__)
            lock.local.token = b"kept"
    with client.lock("other", timeout=5) as other:
        step("within", other.owned())

    double = client.register_script("return redis.call('incrby', KEYS[1], ARGV[1]) * 2")
    step("script", double(keys=["n"], args=[4]))
    client.script_flush()
    step("after flush", double(keys=["n"], args=[4]))
    client.script_flush()
    pipe = client.pipeline()
    double(keys=["n"], args=[1], client=pipe)
    pipe.get("n")
    step("pipeline", pipe.execute())
    step("exists", client.script_exists(double.sha, "0" * 40))
    kinds = client.register_script("return {1, 'two', {3, {4}}, true, false, 5.9, {ok='fine'}}")
    step("kinds", kinds())
    for source in ("return redis.error_reply('MY error')", "return redis.call('lpush', KEYS[1], 1)", "error('thrown')", "return {err='x y'}", "return 1 +"):
        try:
            client.eval(source, 1, "n")
        except ResponseError as error:
            step("error", str(error))
    client.function_flush()
    step("load", client.function_load("#!lua name=lib\nredis.register_function{function_name='f', callback=function(k, a) return {k[1], a[1]} end, flags={'no-writes'}}"))
    step("fcall", [client.fcall("f", 1, "k", "a"), client.fcall_ro("f", 1, "k", "b")])
    step("list", str(client.function_list()))
    dump = client.function_dump()
    client.function_flush()
    step("restore", [client.function_restore(dump), client.fcall("f", 1, "k", "c"), client.function_delete("lib")])
