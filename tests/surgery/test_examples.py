"""Networks as the examples of keras.io build them: what leaves is counted by hand, and exact."""

import keras
import pytest

from keras_prune.errors import ModelError
from keras_prune.graph import ChannelGraph
from tests.networks.examples import EXAMPLES
from tests.surgery.invariant import assert_invariant, half_plan, randomise

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # of layers without a `build`
]

FAST = {
    "digits_convnet", "super_resolution", "decoder_of_vae", "neural_collaborative_filtering",
    "text_classification_from_scratch", "actor_critic",
}  # fmt: skip

# Models whose call does not run on symbolic tensors, and what is said of it.
REFUSED = {"real_nvp": "cannot be traced: its call fails on symbolic tensors"}

# What ought to leave, and does not.
WRONG = {
    "mixture_of_experts": "a gate along a stacked axis pins what it weighs",
    "translation_with_masks": "layers that take or make masks are not opened",
    "perceiver": "a subclassed model must not have weights of its own",
    "attention_of_channels_and_places": "softmax over a stack pins what its products unite",
}


def _cases():
    for name, found in EXAMPLES.items():
        if name in REFUSED:
            continue
        for admitted in (False, True) if found.admitted is not None else (False,):
            wrong = WRONG.get(name)
            marks = [pytest.mark.xfail(strict=True, reason=wrong)] if wrong else []
            marks += [] if name in FAST else [pytest.mark.slow]
            yield pytest.param(name, admitted, id=f"{name}{'-admitted' * admitted}", marks=marks)


def built(name: str) -> keras.Model:
    """The example with random weights; its layers are named as in a process of its own."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    return randomise(EXAMPLES[name].build())


@pytest.mark.parametrize(("name", "admitted"), _cases())
def test_what_ought_to_leave_leaves(name, admitted, tmp_path):
    model, found = built(name), EXAMPLES[name]
    graph = ChannelGraph(model, admit_norms=admitted)
    leave = {row.name: row.channels for row in graph.summary().groups}
    assert leave == found.outcome(admitted)
    reasons = {pin.name: pin.reason for pin in graph.barriers}
    for call, part in found.stays.items():
        assert part in reasons[call]
    assert str(graph.summary()).startswith(model.name)
    if graph.groups:
        assert_invariant(model, half_plan(graph), tmp_path / "small.keras")


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_told_in_one_line(name):
    with pytest.raises(ModelError, match=REFUSED[name]) as error:
        ChannelGraph(built(name))
    assert "\n" not in str(error.value)
