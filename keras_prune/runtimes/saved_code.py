"""What a SavedModel does beside computing: TensorFlow runs it with the rights of the user."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from keras_prune.errors import ModelError

_OUTSIDE = re.compile(
    "PyFunc|File|Reader|Record|Dataset|Save|Restore|Checkpoint|Snapshot|Summary|Sql|LMDB|Vocab|"
    "LoadAndRemap|Skipgram|FixedUnigram|Proto|Rpc|Remote|Send|Recv|Server|Debug|Dump|Print|Custom|"
    "HostCompute"
)
"""In names of TensorFlow's operations that read or write files, reach out, print or run Python."""


def check_computes_only(path: Path) -> None:
    """Refuses a SavedModel that does more than compute when it is loaded or called.

    Args:
        path: the directory.

    Raises:
        ModelError: it reads or writes files, reaches other processes, prints or runs Python.
    """
    content = SavedModel()
    content.ParseFromString((path / "saved_model.pb").read_bytes())
    found = sorted({name for graph in content.meta_graphs for name in _outside(graph)})
    if found:
        raise ModelError(
            f"{path} does more than compute: it holds {', '.join(found)}, which may read or write "
            "files, reach other machines, print or run Python. If you trust it, let it do so "
            "(--allow-code, trusted=True)."
        )


def _outside(meta: MetaGraphDef) -> Iterator[str]:
    """The operations that are no mere computing, of all that may be run."""
    functions = {each.signature.name: each for each in meta.graph_def.library.function}
    nodes = {node.name: node for node in meta.graph_def.node}
    for node in _reached(_first(meta, nodes, functions), nodes, functions):
        if _OUTSIDE.search(node.op):
            yield node.op


def _first(
    meta: MetaGraphDef, nodes: Mapping[str, NodeDef], functions: Mapping[str, FunctionDef]
) -> list[NodeDef]:
    """Where running begins: signatures, what is run on loading, and the functions of objects.

    What saves and restores variables is none of these: it is TensorFlow's own, and is not run.
    """
    ends = [end.name for each in meta.signature_def.values() for end in each.outputs.values()]
    for collection in meta.collection_def.values():
        ends += collection.node_list.value
    called = meta.object_graph_def.concrete_functions
    found = [nodes[name] for name in map(_node_of, ends) if name in nodes]
    for name in filter(functions.__contains__, called):
        found += functions[name].node_def
    return found


def _reached(
    first: Iterable[NodeDef], nodes: Mapping[str, NodeDef], functions: Mapping[str, FunctionDef]
) -> Iterator[NodeDef]:
    """All nodes that these depend on, and all in the functions that any of them calls."""
    waiting, seen, entered = deque(first), set[str](), set[str]()
    while waiting:
        node = waiting.popleft()
        yield node
        for name in map(_node_of, node.input):
            if name in nodes and name not in seen:
                seen.add(name)
                waiting.append(nodes[name])
        for name in (*_called(node), node.op):
            if name in functions and name not in entered:
                entered.add(name)
                waiting += functions[name].node_def


def _called(node: NodeDef) -> Iterator[str]:
    for value in node.attr.values():
        yield value.func.name
        for each in value.list.func:
            yield each.name


def _node_of(end: str) -> str:
    """The node of `^node` or `node:0`."""
    return end.removeprefix("^").partition(":")[0]
