"""redis-py around the data, in both protocols: pipelines, transactions, pub/sub, scans, users, TLS, blocking commands."""

import os
import socket
import threading

import redis
from redis.exceptions import NoPermissionError, RedisError, WatchError

from steps import PORT, step, until


def failing(name, act):
    try:
        act()
        step(name, "no error")
    except NoPermissionError as error:
        # In words that Redis 7.2 has changed.
        step(name, type(error).__name__)
    except RedisError as error:
        step(name, [type(error).__name__, str(error)])


def data(client):
    step("set", [client.set("a", 1, ex=100), client.set("a", 2, nx=True), client.set("a", 3, get=True), client.ttl("a")])
    step("get", [client.get("a"), client.get("none"), client.mget("a", "none"), client.getrange("a", 0, 0)])
    step("numbers", [client.incrby("n", 5), client.incrbyfloat("n", 0.5), client.append("n", "1"), client.strlen("n")])
    step("hash", [client.hset("h", mapping={"f": 1, "g": "two"}), client.hgetall("h"), client.hmget("h", "g", "none"), client.hincrby("h", "f", 2)])
    step("list", [client.rpush("l", *"abcde"), client.lrange("l", 1, -2), client.lpos("l", "c"), client.lmpop(1, "l", direction="LEFT", count=2)])
    step("set of", [client.sadd("s", *"xyz"), sorted(client.smembers("s")), client.smismember("s", ["x", "q"]), client.sintercard(1, ["s"])])
    step("zset", [client.zadd("z", {"a": 1, "b": 2.5, "c": float("inf")}), client.zrange("z", 0, -1, withscores=True), client.zscore("z", "b"), client.zpopmin("z")])
    step("zset more", [client.zmscore("z", ["b", "no"]), client.zrank("z", "c"), client.zrangestore("to", "z", 0, -1), client.zinter(["z", "to"], withscores=True)])
    step("geo", [client.geoadd("geo", (13.361389, 38.115556, "P", 15.087269, 37.502669, "C")), client.geodist("geo", "P", "C", "km"), client.geosearch("geo", member="P", radius=200, unit="km", withdist=True)])
    step("bits", [client.setbit("bits", 7, 1), client.bitcount("bits"), client.bitpos("bits", 1), client.bitfield("bits").get("u8", 0).execute()])
    step("log", [client.pfadd("hll", "a", "b"), client.pfcount("hll")])
    step("stream", [client.xadd("st", {"k": "v"}, id="1-1"), client.xlen("st"), client.xrange("st"), client.xread({"st": "0"}), client.xgroup_create("st", "g", "0")])
    step("group", [client.xreadgroup("g", "me", {"st": ">"}), client.xpending("st", "g"), client.xack("st", "g", "1-1"), str(client.xinfo_groups("st"))])
    step("keys", [client.type("h"), client.exists("a", "h", "none"), client.rename("a", "b"), client.copy("b", "c"), client.object("encoding", "n"), client.unlink("b", "c")])
    step("dump", client.restore("again", 0, client.dump("h"), replace=True))
    step("sort", [client.sort("to", alpha=True, desc=True), client.dbsize()])


def scans(client):
    pipe = client.pipeline(transaction=False)
    for at in range(1000):
        pipe.set(f"scan:{at}", at)
    step("piped", len(pipe.execute()))
    step("scanned", len(set(client.scan_iter("scan:*", count=50))))
    client.hset("wide", mapping={f"f{at}": at for at in range(1000)})
    client.sadd("many", *range(1000))
    client.zadd("ranks", {f"m{at}": at for at in range(1000)})
    step("scans", [len(dict(client.hscan_iter("wide"))), len(set(client.sscan_iter("many"))), len(dict(client.zscan_iter("ranks")))])


def transactions(client):
    client.set("w", 1)
    with client.pipeline() as pipe:
        step("transaction", pipe.incr("w").lpush("w", 1).get("w").execute(raise_on_error=False).__repr__())
        failing("raises", lambda: pipe.incr("w").lpush("w", 1).execute())
        pipe.watch("w")
        client.set("w", 9)
        pipe.multi()
        pipe.set("w", 10)
        try:
            pipe.execute()
        except WatchError as error:
            step("watch", type(error).__name__)
    step("transaction of", client.transaction(lambda pipe: (pipe.multi(), pipe.incr("w")), "w"))
    failing("unknown", lambda: client.execute_command("NO SUCH", 1))
    failing("wrong type", lambda: client.lpush("w", 1))
    failing("arity", lambda: client.execute_command("GET"))


def published(client):
    channel = client.pubsub()
    channel.subscribe("one", "two")
    channel.psubscribe("o*")
    heard = []

    def listen(count):
        until("messages", lambda: (heard.extend(filter(None, [channel.get_message(timeout=0.1)])), len(heard) >= count)[1])

    listen(3)
    step("subscribed", [client.publish("one", "x"), client.publish("two", b"\xff"), client.publish("three", "y")])
    listen(6)
    step("numsub", [client.pubsub_numsub("one", "none"), client.pubsub_numpat(), sorted(client.pubsub_channels())])
    channel.ping()
    listen(7)
    # Of all at once each server lets go in an order of its own.
    channel.unsubscribe("one", "two")
    channel.punsubscribe()
    listen(10)
    step("heard", heard)
    channel.close()
    until("left", lambda: not client.pubsub_channels())
    client.config_set("notify-keyspace-events", "KEA")
    events = client.pubsub()
    events.psubscribe("__key*__:*")
    until("subscription", lambda: events.get_message(timeout=0.1))
    client.set("noted", 1)
    client.expire("noted", 100)
    client.delete("noted")
    told = []
    until("events", lambda: (told.extend(filter(None, [events.get_message(timeout=0.1)])), len(told) >= 6)[1])
    step("events", [[one["channel"], one["data"]] for one in told])
    events.close()
    client.config_set("notify-keyspace-events", "")


def waits(client):
    client.delete("queue")
    taken = []
    waiter = threading.Thread(target=lambda: taken.append(redis.Redis(port=PORT).blpop("queue", timeout=20)))
    waiter.start()
    until("waiting", lambda: client.info("clients")["blocked_clients"] == 1)
    client.rpush("queue", "a")
    waiter.join()
    step("blpop", taken)
    step("timeout", client.blpop("queue", timeout=0.02))


def users(client, protocol):
    client.acl_setuser("carol", enabled=True, passwords=["+secret"], keys=["c:*"], commands=["+get", "+set", "+ping"], categories=["-@dangerous"])
    carol = redis.Redis(port=PORT, protocol=protocol, username="carol", password="secret")
    step("carol", [carol.set("c:1", 1), carol.get("c:1"), carol.ping()])
    failing("key", lambda: carol.get("other"))
    failing("command", lambda: carol.delete("c:1"))
    failing("password", redis.Redis(port=PORT, protocol=protocol, username="carol", password="wrong").ping)
    user = client.acl_getuser("carol")
    step("getuser", [user["flags"][:1], user["keys"], sorted(user["commands"])])
    step("log", [[one["reason"], one["username"]] for one in client.acl_log()][:3])
    step("dryrun", [client.acl_dryrun("carol", "GET", "c:1"), client.acl_deluser("carol"), client.acl_whoami(), client.acl_users()])
    client.acl_log_reset()


def encrypted(client, protocol):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = os.environ["CERTIFICATES"]
    crt, key, ca = (f"{folder}/{name}" for name in ("server.crt", "server.key", "ca.crt"))
    client.execute_command("CONFIG", "SET", "tls-cert-file", crt, "tls-key-file", key, "tls-ca-cert-file", ca, "tls-auth-clients", "optional", "tls-port", port)
    safe = redis.Redis(host="localhost", port=port, protocol=protocol, ssl=True, ssl_ca_certs=ca)
    step("tls", [safe.ping(), safe.set("t", "x" * 100_000), len(safe.get("t"))])
    own = redis.Redis(host="localhost", port=port, protocol=protocol, ssl=True, ssl_ca_certs=ca, ssl_certfile=crt, ssl_keyfile=key)
    step("certificate", [own.ping(), len(own.pipeline().get("t").ping().execute())])
    try:
        redis.Redis(host="localhost", port=port, ssl=True, retry=None).ping()
    except (redis.exceptions.ConnectionError, RedisError) as error:
        step("stranger", type(error).__name__)
    safe.close()
    own.close()
    client.config_set("tls-port", 0)


def self_told(client):
    client.client_setname("me")
    info = client.client_info()
    step("client", [info["name"], client.client_getname()])
    step("lists", [len(client.client_list()) >= 1, client.client_no_evict("ON"), client.client_kill_filter(_id=10**12)])
    step("config", [client.config_get("maxmemory-policy"), client.config_set("slowlog-max-len", 64), sorted(client.config_get("slowlog-*").items())])
    step("info", [client.info("server")["redis_mode"], client.info()["role"], client.info("keyspace")["db0"]["expires"]])
    step("times", [len(client.time()), client.memory_usage("wide") > 1000, client.slowlog_reset(), client.slowlog_len(), client.lastsave() is not None])
    step("commands", [client.command_count() > 200, client.command_getkeys("MSET", "a", 1, "b", 2)])
    failing("off", lambda: client.execute_command("DEBUG", "JMAP"))
    step("select", [client.swapdb(0, 1), client.dbsize(), client.flushdb(), client.swapdb(0, 1), client.dbsize() > 0])


for protocol in (2, 3):
    print(f"RESP{protocol}")
    client = redis.Redis(port=PORT, protocol=protocol)
    client.flushall()
    data(client)
    scans(client)
    transactions(client)
    published(redis.Redis(port=PORT, protocol=protocol))
    waits(client)
    users(client, protocol)
    encrypted(client, protocol)
    self_told(client)
    decoded = redis.Redis(port=PORT, protocol=protocol, decode_responses=True, health_check_interval=1, client_name="decoded", db=3)
    step("decoded", [decoded.set("u", "ü"), decoded.get("u"), decoded.client_getname(), decoded.client_info()["db"]])
