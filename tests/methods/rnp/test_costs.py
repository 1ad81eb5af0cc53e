"""Multiplications by image."""

import numpy as np
import pytest

from keras_prune import PruningPlan, profile, prune, zoo
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.costs import Costs
from keras_prune.methods.rnp.decisions import find_decisions
from keras_prune.methods.rnp.tables import action_shares, by_class, multiplications

from .small import chain, decided, residual


@pytest.mark.parametrize("build", [chain, residual])
def test_an_image_costs_what_the_pruned_network_costs(build):
    model = build()
    decisions = decided(model)
    actions = (0, 1, 2)[: len(decisions.steps)]
    kept = {s.name: range(s.bounds[a]) for s, a in zip(decisions.steps, actions, strict=True)}
    small = prune(model, PruningPlan.for_graph(decisions.graph, kept))
    rows = {row.name: row.macs for row in profile(small).layers if "conv" in row.kind.lower()}
    found = Costs(decisions, 0).layers(np.array([actions]))["pruned"]
    assert found.to_dict() == rows


def test_the_published_network_at_one_set():
    costs = Costs(find_decisions(ChannelGraph(zoo.conv4())), overhead=1000)
    frame = multiplications(costs, np.zeros((4, 3), int)).set_index("layer")
    assert frame["original"].to_dict() == {
        "conv1": 451_584, "conv2": 57_802_752, "conv3": 57_802_752, "conv4": 14_450_688,
        "decisions": 0, "total": 130_507_776,
    }  # fmt: skip
    assert frame["pruned"].to_dict() == {
        "conv1": 451_584, "conv2": 14_450_688, "conv3": 3_612_672, "conv4": 903_168,
        "decisions": 1000, "total": 19_419_112,
    }  # fmt: skip


def test_images_are_averaged_and_not_their_actions():
    costs = Costs(decided(), overhead=0)
    least, most = costs.images(np.array([[0, 0, 0], [2, 2, 2]]))
    assert most == costs.original
    share = costs.share(np.array([[0, 0, 0], [2, 2, 2]]))
    assert share == pytest.approx((least + most) / 2 / costs.original)
    assert share > costs.share(np.array([[1, 1, 1]]))


def test_tables_count_images():
    decisions = decided()
    costs = Costs(decisions, overhead=0)
    actions = np.array([[0, 0, 2], [0, 1, 2], [2, 1, 2], [0, 1, 2]])
    shares = action_shares(decisions, actions).set_index("layer")
    assert shares.loc["conv1"].tolist() == [75, 0, 25]
    assert shares.loc["conv2"].tolist() == [25, 75, 0]
    labels, right = np.array([1, 0, 1, 1]), np.array([True, True, False, False])
    frame = by_class(decisions, costs, actions, labels, right, ["cat", "dog"]).set_index("class")
    assert frame["images"].to_dict() == {"cat": 1, "dog": 3}
    assert frame.loc["dog", "accuracy"] == pytest.approx(100 / 3)
    assert frame.loc["dog", "conv1"] == pytest.approx((1 + 3 + 1) / 3)
    assert frame.loc["cat", "multiplications"] == pytest.approx(100 * costs.share(actions[1:2]))
