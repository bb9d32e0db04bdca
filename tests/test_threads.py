"""Batches: in order whoever is done first, few in memory, and gone at once on Ctrl-C. Pools: objects up to a limit."""

import threading
import time

import pytest

from fer_core.threads import Pool, default_workers, in_parallel, kept
from tests.waiting import PATIENCE


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_order_is_kept_whoever_is_done_first(workers):
    def late(item: int) -> int:
        time.sleep(0.03 if item % 3 == 0 else 0)
        return item * item

    assert list(in_parallel(late, range(20), workers=workers)) == [item * item for item in range(20)]
    assert list(in_parallel(late, [], workers=workers)) == []


def test_items_are_taken_only_as_far_as_needed():
    taken = []
    items = (taken.append(item) or item for item in range(1000))
    answers = in_parallel(lambda item: item, items, workers=2)
    assert [next(answers) for _ in range(10)] == list(range(10))
    assert len(taken) <= 10 + 2 * 2
    answers.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_comes_at_its_turn_and_nothing_later_starts(workers):
    begun = []

    def fails(item: int) -> int:
        begun.append(item)
        if item == 5:
            raise KeyboardInterrupt if workers == 1 else ValueError("made up")
        return item

    seen = []
    with pytest.raises((ValueError, KeyboardInterrupt)):
        seen.extend(in_parallel(fails, range(100), workers=workers))
    time.sleep(0.05)
    assert len(begun) <= 6 + 2 * workers


def test_the_caller_leaves_without_waiting_for_what_is_under_way():
    release = threading.Event()
    answers = in_parallel(lambda item: item and release.wait(PATIENCE), range(50), workers=2)
    assert next(answers) == 0
    start = time.monotonic()
    answers.close()
    assert time.monotonic() - start < PATIENCE / 2
    release.set()


def test_a_pool_makes_no_more_objects_than_its_limit_and_replaces_one_after_an_exception():
    made, together = [], threading.Barrier(2, timeout=PATIENCE)

    def use(_: int) -> object:
        with pool.borrow() as item:
            together.wait()  # two threads are inside at once, so neither waits for the other
            return item

    pool = Pool(lambda: made.append(object()) or made[-1], limit=2)
    assert set(in_parallel(use, range(10), workers=10)) == set(made)
    assert len(made) == 2
    with pytest.raises(ValueError, match="made up"), pool.borrow() as broken:
        raise ValueError("made up")
    with pool.borrow() as first, pool.borrow() as second:
        assert broken not in (first, second)
    assert len(made) == 3
    assert 1 <= default_workers() <= 16


def test_kept_results_are_made_once_by_any_number_of_threads_but_exceptions_are_not_kept():
    made = []

    @kept(2)
    def slow(name: str) -> object:
        made.append(name)
        time.sleep(0.05)
        return object()

    assert len(set(in_parallel(slow, ["a"] * 8, workers=8))) == 1
    assert made == ["a"]
    slow("b"), slow("c"), slow("a")
    assert made == ["a", "b", "c", "a"], "only the two newest are kept"
    numbers = iter("x7")
    sometimes = kept()(lambda: int(next(numbers)))
    with pytest.raises(ValueError, match="invalid literal"):
        sometimes()
    assert [sometimes(), sometimes()] == [7, 7], "an exception is not kept"
