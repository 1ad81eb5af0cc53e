"""Which channels of a model hang together."""

from keras_prune.graph.bindings import Binding, Pin, Role, Statistic, Unsupported
from keras_prune.graph.blocks import ResidualBlock
from keras_prune.graph.calls import Call, Trace, execute
from keras_prune.graph.cut import Cut
from keras_prune.graph.cut_costs import CutCosts
from keras_prune.graph.groups import ChannelGraph, ChannelGroup
from keras_prune.graph.labels import LabelWalk
from keras_prune.graph.members import Member
from keras_prune.graph.rules import Rule, register, rule_for
from keras_prune.graph.rules.common import along_channels
from keras_prune.graph.slices import channel_slices
from keras_prune.graph.split import Split, split
from keras_prune.graph.summary import GraphSummary
from keras_prune.graph.tracing import trace

__all__ = [
    "Binding",
    "Call",
    "ChannelGraph",
    "ChannelGroup",
    "Cut",
    "CutCosts",
    "GraphSummary",
    "LabelWalk",
    "Member",
    "Pin",
    "ResidualBlock",
    "Role",
    "Rule",
    "Split",
    "Statistic",
    "Trace",
    "Unsupported",
    "along_channels",
    "channel_slices",
    "execute",
    "register",
    "rule_for",
    "split",
    "trace",
]
