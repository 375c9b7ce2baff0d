"""The way through an ONNX graph from its input over one tree operator to its scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shortlist.models.importers.onnx_graph import (
    DOUBLE,
    FLOAT,
    Graph,
    Node,
    Tensor,
    Value,
)
from shortlist.models.importers.onnx_operators import TREE_OPERATORS

__all__ = ["TreePath", "find_tree_path"]

_ML_DOMAIN = "ai.onnx.ml"
_PLAIN_DOMAINS = ("", "ai.onnx")
_MOST_STEPS = 64


@dataclass(frozen=True)
class TreePath:
    """What stands before and behind the tree operator.

    ``steps`` are the nodes behind it in order that compute: ("Mul" | "Div" | "Add" | "Sub", the
    constant beside the scores).
    """

    source: Value
    operator: Node
    rounded: bool  # the input is rounded to float32 before the trees
    dtype: int  # of what the trees compare
    steps: tuple[tuple[str, Tensor], ...]


def find_tree_path(graph: Graph) -> TreePath | None:
    """Find the way that leads to the graph's scores, or None where it is not one of trees alone."""
    if graph.has_functions or len(graph.inputs) != 1:
        return None
    found = []
    for output in graph.outputs:
        steps: list[tuple[str, Tensor]] = []
        operator = _walk_back(graph, output.name, steps)
        if operator is not None:
            found.append((operator, steps))
        elif output.dtype in (FLOAT, DOUBLE):
            return None  # scores of another kind
    if len(found) != 1:
        return None
    operator, steps = found[0]
    source = _walk_to_input(graph, operator)
    if source is None:
        return None
    value, rounded, dtype = source
    return TreePath(value, operator, rounded, dtype, tuple(reversed(steps)))


def _walk_back(graph: Graph, name: str, steps: list[tuple[str, Tensor]]) -> Node | None:
    """Return the tree operator whose scores become ``name``; the last step comes first."""
    for _ in range(_MOST_STEPS):
        node = graph.producers.get(name)
        if node is None:
            return None
        if node.domain == _ML_DOMAIN and node.op_type in TREE_OPERATORS:
            scores = 1 if node.op_type == "TreeEnsembleClassifier" else 0
            return node if len(node.outputs) > scores and node.outputs[scores] == name else None
        step = _step_before(graph, node)
        if step is None:
            return None
        name, constant = step
        if constant is not None:
            steps.append((node.op_type, constant))
    return None


def _step_before(graph: Graph, node: Node) -> tuple[str, Tensor | None] | None:
    if node.domain == _ML_DOMAIN:
        return (node.inputs[0], None) if node.op_type == "ZipMap" and node.inputs else None
    if node.domain not in _PLAIN_DOMAINS or not node.inputs:
        return None
    if node.op_type == "Identity":
        return node.inputs[0], None
    if node.op_type == "Cast":
        return (node.inputs[0], None) if node.attributes().integer("to", 0) == FLOAT else None
    if node.op_type in ("Mul", "Div", "Add", "Sub") and len(node.inputs) == 2:
        scores, other = node.inputs
        constant = _constant(graph, other)
        if constant is None and node.op_type in ("Mul", "Add"):
            scores, other = other, scores
            constant = _constant(graph, other)
        return None if constant is None else (scores, constant)
    return None


def _constant(graph: Graph, name: str) -> Tensor | None:
    """Return a float initializer or the value of a Constant node."""
    node = graph.producers.get(name)
    if node is None:
        tensor = graph.constant(name)
    elif node.op_type == "Constant" and node.domain in _PLAIN_DOMAINS:
        attributes = node.attributes()
        number = attributes.number("value_float")
        if number is None:
            tensor = attributes.tensor("value")
        else:
            tensor = Tensor(FLOAT, (), np.array([number], np.float32))
    else:
        return None
    if tensor is None or tensor.values is None or tensor.dtype != FLOAT:
        return None
    return tensor


def _walk_to_input(graph: Graph, operator: Node) -> tuple[Value, bool, int] | None:
    """Return the graph's input, whether its values are rounded to float32, and the last type."""
    if len(operator.inputs) != 1:
        return None
    name = operator.inputs[0]
    casts: list[int] = []
    for _ in range(_MOST_STEPS):
        if name in graph.inputs:
            break
        node = graph.producers.get(name)
        if node is None or node.domain not in _PLAIN_DOMAINS or len(node.inputs) != 1:
            return None
        if node.op_type == "Cast":
            casts.append(node.attributes().integer("to", 0))
        elif node.op_type not in ("Identity", "Concat"):  # a Concat of one tensor
            return None
        name = node.inputs[0]
    else:
        return None
    value = graph.inputs[name]
    types = [value.dtype, *reversed(casts)]
    if any(dtype not in (FLOAT, DOUBLE) for dtype in types):
        return None
    return value, FLOAT in types, types[-1]
