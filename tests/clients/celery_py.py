"""Celery over Redis, broker and results: tasks, chains, groups, chords, retries, revoked ones."""

import logging

from celery import Celery, chain, chord, group
from celery.contrib.testing.worker import start_worker

from steps import URL, step

logging.disable(logging.CRITICAL)
app = Celery("clients", broker=URL, backend=URL)
app.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True, result_expires=60)


@app.task
def add(one, other):
    return one + other


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=2, default_retry_delay=0)
def stubborn(self):
    if self.request.retries < 2:
        raise self.retry()
    return self.request.retries


@app.task
def fail():
    raise ValueError("boom")


app.connection().default_channel.client.flushall()
with start_worker(app, perform_ping_check=False, pool="solo", shutdown_timeout=30):
    step("add", add.delay(2, 3).get(timeout=20))
    step("chain", chain(add.s(1, 2), add.s(10), add.s(100))().get(timeout=20))
    step("group", group(add.s(n, n) for n in range(5))().get(timeout=20))
    step("chord", chord((add.s(n, 1) for n in range(4)), total.s())().get(timeout=20))
    step("retried", stubborn.delay().get(timeout=20))
    failed = fail.delay()
    step("failed", [repr(failed.get(timeout=20, propagate=False)), failed.state])
    step("countdown", add.apply_async((7, 8), countdown=0.1).get(timeout=20))
    done = add.delay(1, 1)
    done.get(timeout=20)
    step("state", [done.state, done.successful()])
    done.forget()
    step("forgotten", done.state)
