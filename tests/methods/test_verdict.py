"""What a reader is warned of, and what not."""

from keras_prune.methods.verdict import verdict
from keras_prune.plan import PruningPlan
from keras_prune.training.objective import Objective

ACCURACY = Objective("accuracy")
WHOLE = PruningPlan({"a": tuple(range(32))}, "", {"a": 32})


def test_what_is_fine_is_not_told():
    ten = PruningPlan({"a": (0, 1, 2, 3), "b": (0,)}, "", {"a": 32, "b": 10})  # b: just a tenth
    assert verdict(ACCURACY, 86.5, 81.5, 10, ten) == ()
    assert verdict(Objective("loss"), 0.2, 99.0, None, WHOLE) == ()
    assert verdict(ACCURACY, 10.2, 9.8, 10, WHOLE) == ()  # it was at chance before


def test_a_network_at_chance_is_destroyed():
    (told,) = verdict(ACCURACY, 86.5, 7.4, 10, WHOLE)
    assert told.startswith("The network is destroyed: its accuracy is 7.40 %, and was 86.50 %")
    assert "one of 10 classes gives 10 %" in told


def test_a_drop_of_more_than_five_points_is_told():
    (told,) = verdict(ACCURACY, 86.5, 81.25, 10, WHOLE)
    assert told == "The accuracy is 5.25 points down: it is 81.25 %, and was 86.50 %."


def test_groups_under_a_tenth_are_named():
    wide = {f"g{number}": 100 for number in range(7)} | {"a": 32}
    plan = PruningPlan({**{name: tuple(range(9)) for name in wide}, "a": (0, 1, 2, 3)}, "", wide)
    (told,) = verdict(ACCURACY, 86.5, 86.5, 10, plan)
    assert "is left of g0 (9 of 100), g1 (9 of 100)," in told
    assert "g4 (9 of 100), 2 more. To keep more: min_channels" in told
