"""Which channels of a model hang together."""

from keras_prune.graph.bindings import Binding, Pin, Role, Unsupported
from keras_prune.graph.groups import ChannelGraph, ChannelGroup, Member
from keras_prune.graph.rules import Rule, register, rule_for
from keras_prune.graph.split import Split, split
from keras_prune.graph.summary import GraphSummary
from keras_prune.graph.trace import Call, Trace, execute, trace

__all__ = [
    "Binding",
    "Call",
    "ChannelGraph",
    "ChannelGroup",
    "GraphSummary",
    "Member",
    "Pin",
    "Role",
    "Rule",
    "Split",
    "Trace",
    "Unsupported",
    "execute",
    "register",
    "rule_for",
    "split",
    "trace",
]
