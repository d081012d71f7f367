"""rq: jobs with results, failures and retries, dependencies, schedules and registries."""

import logging
from datetime import timedelta

import redis
from rq import Queue, Retry, SimpleWorker

import tasks
from steps import PORT, step

logging.disable(logging.CRITICAL)
client = redis.Redis(port=PORT)
client.flushall()
queue = Queue("jobs", connection=client)
first = queue.enqueue(tasks.add, 2, 3, job_id="first")
second = queue.enqueue(tasks.add, 1, 1, job_id="second", depends_on=first)
fails = queue.enqueue(tasks.fail, job_id="fails", retry=Retry(max=2))
later = queue.enqueue_in(timedelta(hours=1), tasks.add, 1, 2, job_id="later")
step("queued", [len(queue), queue.job_ids, queue.deferred_job_registry.get_job_ids(), queue.scheduled_job_registry.get_job_ids()])
worker = SimpleWorker([queue], connection=client)
step("worked", worker.work(burst=True))
step("results", [first.return_value(), second.return_value()])
step("statuses", [str(job.get_status(refresh=True)) for job in (first, second, fails, later)])
step("failed", [queue.failed_job_registry.get_job_ids(), "boom" in fails.latest_result().exc_string])
step("finished", sorted(queue.finished_job_registry.get_job_ids()))
queue.failed_job_registry.requeue("fails")
step("requeued", queue.job_ids)
step("position", queue.get_job_position("fails"))
queue.empty()
step("emptied", len(queue))
later.cancel()
step("cancelled", [str(later.get_status(refresh=True)), queue.scheduled_job_registry.get_job_ids()])
first.delete()
step("deleted", queue.finished_job_registry.get_job_ids())
many = queue.enqueue_many([Queue.prepare_data(tasks.add, (n, n), job_id=f"m{n}") for n in range(5)])
step("many", queue.job_ids)
worker.work(burst=True, max_jobs=3)
step("left", queue.job_ids)
