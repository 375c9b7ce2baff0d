"""The part of ONNX's ModelProto that a graph of trees needs: nodes, attributes, constants.

Source: onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shortlist.errors import FormatError
from shortlist.models.importers.protobuf import Message, read_message

__all__ = [
    "DOUBLE",
    "FLOAT",
    "UINT8",
    "Attributes",
    "Graph",
    "Node",
    "Tensor",
    "Value",
    "read_graph",
]

FLOAT, UINT8, INT64, DOUBLE = 1, 2, 7, 11  # TensorProto.DataType
_RAW = {FLOAT: "<f4", UINT8: "u1", INT64: "<i8", DOUBLE: "<f8"}
_MOST_AXES = 64
_EXTERNAL = 1  # TensorProto.DataLocation


@dataclass(frozen=True)
class Tensor:
    """A constant: its type, its shape, and its numbers in one row.

    ``values`` is None where the type is another than float, double, int64 and uint8, or where the
    numbers lie in another file.
    """

    dtype: int
    shape: tuple[int, ...]
    values: NDArray[np.generic] | None


@dataclass(frozen=True)
class Value:
    """An input or output of the graph; ``shape`` is None where it says none, a size 0 where any."""

    name: str
    dtype: int  # 0: no tensor
    shape: tuple[int, ...] | None


class Attributes:
    """A node's attributes by name; each may be taken as one type only."""

    def __init__(self, node: Message):
        self._messages: dict[str, Message] = {}
        self._node = node
        for message in node.messages(5, f"{node.name}: an attribute"):
            name = message.text(1)
            message.name = f"{node.name}: {name}"
            if name in self._messages:
                raise node.reject(f"attribute {name!r} stands there twice")
            self._messages[name] = message

    def names(self) -> set[str]:
        """Return the names of all attributes."""
        return set(self._messages)

    def reject(self, name: str, what: str) -> FormatError:
        """Return the error that says what is wrong with an attribute."""
        return self._node.reject(f"{name} {what}")

    def integer(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        message = self._messages.get(name)
        return message.integer(3, 0) if message else default

    def number(self, name: str) -> float | None:
        """Return a float attribute, or None where it is absent."""
        message = self._messages.get(name)
        if message is None or 2 not in message:
            return None
        return float(message.float32s(2)[-1])

    def text(self, name: str, default: str) -> str:
        """Return a string attribute."""
        message = self._messages.get(name)
        return message.text(4) if message else default

    def integers(self, name: str) -> NDArray[np.int64]:
        """Return a list of integers, empty where it is absent."""
        message = self._messages.get(name)
        return message.integers(8) if message else np.zeros(0, np.int64)

    def floats(self, name: str) -> NDArray[np.float32]:
        """Return a list of floats, empty where it is absent."""
        message = self._messages.get(name)
        return message.float32s(7) if message else np.zeros(0, np.float32)

    def strings(self, name: str) -> Iterator[bytes]:
        """Return a list of strings, empty where it is absent."""
        message = self._messages.get(name)
        return message.chunks(9) if message else iter(())

    def tensor(self, name: str) -> Tensor | None:
        """Return a tensor attribute, or None where it is absent."""
        message = self._messages.get(name)
        tensor = message.message(5, f"{message.name}: the tensor") if message else None
        return _tensor(tensor) if tensor else None


@dataclass(frozen=True)
class Node:
    """One operator of the graph."""

    domain: str
    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    message: Message

    def attributes(self) -> Attributes:
        """Return the attributes, read anew."""
        return Attributes(self.message)


@dataclass(frozen=True)
class Graph:
    """Nodes by the names of what they make, the graph's own inputs and outputs, its constants."""

    producers: dict[str, Node] = field(default_factory=dict)
    inputs: dict[str, Value] = field(default_factory=dict)
    outputs: list[Value] = field(default_factory=list)
    constants: dict[str, Message] = field(default_factory=dict)
    has_functions: bool = False  # operators may mean what the file says

    def constant(self, name: str) -> Tensor | None:
        """Return an initializer, or None where there is none of that name."""
        message = self.constants.get(name)
        return _tensor(message) if message else None


def read_graph(data: bytes) -> Graph | None:
    """Read a model's graph, or return None where it has none.

    Raises
    ------
    FormatError
        No protobuf, or no ModelProto.
    """
    model = read_message(data, "model")
    message = model.message(7, "the graph")
    if message is None:
        return None
    graph = Graph(has_functions=25 in model)
    for i, node_message in enumerate(message.messages(1, "a node")):
        op_type = node_message.text(4)
        node_message.name = f"node {i} ({op_type})"
        node = Node(
            domain=node_message.text(7),
            op_type=op_type,
            inputs=_names(node_message, 1),
            outputs=_names(node_message, 2),
            message=node_message,
        )
        for name in node.outputs:
            if name and name in graph.producers:
                raise message.reject(f"{name!r} is made by two nodes")
            graph.producers[name] = node
    for tensor in message.messages(5, "an initializer"):
        tensor.name = f"initializer {tensor.text(8)!r}"
        graph.constants[tensor.text(8)] = tensor
    for value in (_value(part) for part in message.messages(11, "an input")):
        if value.name not in graph.constants:
            graph.inputs[value.name] = value
    graph.outputs.extend(_value(part) for part in message.messages(12, "an output"))
    return graph


def _names(message: Message, number: int) -> tuple[str, ...]:
    try:
        return tuple(chunk.decode("utf-8") for chunk in message.chunks(number))
    except UnicodeDecodeError:
        raise message.reject("a name is not UTF-8") from None


def _value(message: Message) -> Value:
    name = message.text(1)
    kind = message.message(2, "the type")
    tensor = kind.message(1, "the tensor type") if kind else None
    if tensor is None:
        return Value(name, 0, None)
    shape = tensor.message(2, "the shape")
    sizes = None
    if shape is not None:
        sizes = tuple(size.integer(1) for size in shape.messages(1, f"the shape of {name!r}"))
    return Value(name, tensor.integer(1), sizes)


def _tensor(message: Message) -> Tensor:
    dtype = message.integer(2)
    shape = tuple(message.integers(1).tolist())
    if dtype not in _RAW or message.integer(14) == _EXTERNAL or 13 in message:
        return Tensor(dtype, shape, None)
    values: NDArray[np.generic]
    if 9 in message:
        raw = message.raw(9)
        kind = np.dtype(_RAW[dtype])
        if raw.size % kind.itemsize != 0:
            raise message.reject(f"raw_data has {raw.size} bytes, no multiple of {kind.itemsize}")
        values = np.frombuffer(raw, kind)
    elif dtype == FLOAT:
        values = message.float32s(4)
    elif dtype == DOUBLE:
        values = message.float64s(10)
    else:
        values = message.integers(7 if dtype == INT64 else 5)
    if len(shape) > _MOST_AXES:
        raise message.reject(f"has {len(shape)} axes, {_MOST_AXES} are read")
    size = 1
    for extent in shape:  # as Python integers, which do not overflow
        size *= extent
    if size != values.size or any(extent < 0 for extent in shape):
        raise message.reject(f"has {values.size} values, its shape {list(shape)} says otherwise")
    return Tensor(dtype, shape, values)
