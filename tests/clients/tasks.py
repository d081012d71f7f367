"""What rq's worker runs."""


def add(one, other):
    return one + other


def fail():
    raise ValueError("boom")
