"""valkey-py, coredis and valkey-glide: how they connect, and a little of everything."""

import asyncio

import coredis
import glide
import valkey

from steps import PORT, step

plain = valkey.Valkey(port=PORT, client_name="v", db=2)
plain.flushall()
step("valkey-py", [plain.set("a", 1), plain.get("a"), plain.client_getname(), plain.client_info()["db"]])
step("pipeline", plain.pipeline().incr("n").hset("h", "f", 1).hgetall("h").execute())
third = valkey.Valkey(port=PORT, protocol=3)
step("RESP3", [third.zadd("z", {"a": 1.5}), third.zrange("z", 0, -1, withscores=True), third.acl_whoami()])


async def with_coredis():
    client = coredis.Redis(port=PORT, decode_responses=True, client_name="c")
    async with client:
        step("coredis", [await client.set("a", 1), await client.get("a"), await client.incr("a"), await client.client_getname()])
        step("coredis types", [await client.hset("ch", {"f": "v"}), await client.hgetall("ch"), await client.zadd("cz", {"a": 1.5}), await client.zrange("cz", 0, -1, withscores=True)])
        async with client.pipeline(transaction=True) as pipe:
            one, other = pipe.incr("cn"), pipe.get("cn")
        step("coredis pipeline", [await one, await other])


async def with_glide():
    configuration = glide.GlideClientConfiguration([glide.NodeAddress("127.0.0.1", PORT)], client_name="g", request_timeout=5000)
    client = await glide.GlideClient.create(configuration)
    step("glide", [await client.set("a", "1"), await client.get("a"), await client.incr("a"), await client.client_getname()])
    step("glide types", [await client.hset("gh", {"f": "v"}), await client.hgetall("gh"), await client.zadd("gz", {"a": 1.5}), await client.zscore("gz", "a")])
    batch = glide.Batch(is_atomic=True)
    batch.incr("gn")
    batch.get("gn")
    step("glide batch", await client.exec(batch, raise_on_error=True))
    await client.close()


asyncio.run(with_coredis())
asyncio.run(with_glide())
