"""Which labels are one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.graph.unions import STAYS, Unions

PAIRS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40)


def naive(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    """The smallest member of every label's class, by merging sets."""
    classes = [{label} for label in range(count)]
    for a, b in pairs:
        merged = next(c for c in classes if a in c) | next(c for c in classes if b in c)
        classes = [c for c in classes if not c & merged] + [merged]
    return [min(next(c for c in classes if label in c)) for label in range(count)]


@given(PAIRS)
@settings(deadline=None, max_examples=200)
def test_resolve_finds_the_smallest_of_every_class(pairs):
    unions = Unions()
    unions.fresh(19)
    for a, b in pairs:
        unions.unite(np.array([a]), np.array([b]))
    assert unions.resolve().tolist() == naive(20, pairs)


def test_fresh_labels_are_new_and_never_the_one_that_stays():
    unions = Unions()
    a, b = unions.fresh(3), unions.fresh(2)
    assert STAYS not in a and not set(a) & set(b)
    assert unions.resolve().tolist() == [0, 1, 2, 3, 4, 5]


def test_what_meets_the_one_that_stays_stays():
    unions = Unions()
    a, b = unions.fresh(3), unions.fresh(3)
    unions.unite(b, a)
    unions.unite(a[1:], STAYS)
    assert unions.resolve()[b].tolist() == [a[0], STAYS, STAYS]


def test_labels_broadcast():
    unions = Unions()
    rows = unions.fresh(6).reshape(2, 3)
    unions.unite(rows, rows[:1])
    assert unions.resolve()[rows].tolist() == [[1, 2, 3], [1, 2, 3]]


def test_a_long_chain_in_the_worst_order():
    unions = Unions()
    labels = unions.fresh(20_000)
    unions.unite(labels[1:], labels[:-1])
    assert (unions.resolve()[labels] == labels[0]).all()


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.booleans()), max_size=20))
def test_asking_in_between_changes_nothing(pairs):
    asked, once = Unions(), Unions()
    for unions in (asked, once):
        unions.fresh(5)
    for number, (a, b, ask) in enumerate(pairs):
        if number == len(pairs) // 2:
            for unions in (asked, once):
                unions.fresh(6)
        bound = once.count
        for unions in (asked, once):
            unions.unite(np.array([a % bound]), np.array([b % bound]))
        if ask:
            asked.resolve()
    np.testing.assert_array_equal(asked.resolve(), once.resolve())
    np.testing.assert_array_equal(asked.resolve(pinned=False), once.resolve(pinned=False))
