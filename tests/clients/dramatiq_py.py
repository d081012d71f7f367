"""Dramatiq over Redis: messages, retries, delays, results, groups, pipelines and the dead."""

import logging

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from dramatiq.results import Results
from dramatiq.results.backends.redis import RedisBackend

from steps import URL, step, until

logging.disable(logging.CRITICAL)
broker = RedisBroker(url=URL)
broker.client.flushall()
broker.add_middleware(Results(backend=RedisBackend(url=URL)))
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)
tries = []


@dramatiq.actor(store_results=True)
def add(one, other):
    return one + other


@dramatiq.actor(max_retries=2, min_backoff=1, max_backoff=2)
def fail():
    tries.append(1)
    raise ValueError("boom")


messages = [add.send(n, 1) for n in range(5)]
step("queued", broker.client.llen("dramatiq:default"))
worker = dramatiq.Worker(broker, worker_timeout=50)
worker.start()
step("results", [message.get_result(block=True, timeout=20000) for message in messages])
step("delayed", add.send_with_options(args=(3, 4), delay=50).get_result(block=True, timeout=20000))
step("group", list(dramatiq.group([add.message(n, n) for n in range(3)]).run().get_results(block=True, timeout=20000)))
pipe = add.message(1, 2) | add.message(10) | add.message(100)
step("pipeline", pipe.run().get_result(block=True, timeout=20000))
fail.send()
until("the dead", lambda: broker.client.zcard("dramatiq:default.XQ") == 1)
step("tries", len(tries))
broker.join(add.queue_name, timeout=20000)
step("left", broker.client.llen("dramatiq:default"))
worker.stop()
broker.flush_all()
step("flushed", broker.client.exists("dramatiq:default"))
