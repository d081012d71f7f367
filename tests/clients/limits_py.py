"""limits: fixed, moving and sliding windows."""

import limits
from limits import strategies

from steps import URL, step

storage = limits.storage.storage_from_string(URL)
storage.reset()
item = limits.parse("3/hour")
for kind in (strategies.FixedWindowRateLimiter, strategies.MovingWindowRateLimiter, strategies.SlidingWindowCounterRateLimiter):
    limiter = kind(storage)
    step(kind.__name__, [limiter.hit(item, kind.__name__, "me") for _ in range(5)])
    step("test", [limiter.test(item, kind.__name__, "me"), limiter.test(item, kind.__name__, "you")])
    step("cost", [limiter.hit(item, kind.__name__, "cost", cost=2), limiter.hit(item, kind.__name__, "cost", cost=2)])
    stats = limiter.get_window_stats(item, kind.__name__, "me")
    step("stats", [stats.remaining, stats.reset_time > 0])
    limiter.clear(item, kind.__name__, "me")
    step("cleared", limiter.hit(item, kind.__name__, "me"))
step("check", storage.check())
step("reset", storage.reset() is not None)
