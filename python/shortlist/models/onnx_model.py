"""ONNX graphs, run by ONNX Runtime (the extra ``shortlist[onnx]``) on one thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shortlist.errors import ArgumentError, FormatError, UnsupportedError

__all__ = ["OnnxModel"]

_DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}
_SCORES = ("tensor(float)", "tensor(double)")


class _Node(Protocol):
    """An input or output of the graph: a size is a number, or a name where it may vary."""

    name: str
    type: str
    shape: Sequence[int | str | None]


class _Session(Protocol):
    """What is used of onnxruntime.InferenceSession."""

    def get_inputs(self) -> Sequence[_Node]: ...
    def get_outputs(self) -> Sequence[_Node]: ...
    def run(
        self, output_names: Sequence[str], feed: Mapping[str, NDArray[np.generic]]
    ) -> Sequence[ArrayLike]: ...


class OnnxModel:
    """A graph with one or several inputs; its scores are the last output of floating point.

    Parameters
    ----------
    data : the whole .onnx file. Graphs that keep weights in other files are refused.

    Raises
    ------
    FormatError
        ONNX Runtime refuses the graph.
    UnsupportedError
        The extra is not installed, or inputs or outputs have types that are not handled.
    """

    def __init__(self, data: bytes):
        self._session = _open_session(data)
        self._inputs = {node.name: node for node in self._session.get_inputs()}
        self.input_names: tuple[str, ...] = tuple(self._inputs)
        for node in self._inputs.values():
            if node.type not in _DTYPES or not node.shape:
                raise UnsupportedError(
                    f"ONNX graph: input {node.name!r} is {node.type} of shape {node.shape}; "
                    f"handled are {', '.join(_DTYPES)} with rows first"
                )
        scores = [node.name for node in self._session.get_outputs() if node.type in _SCORES]
        if not scores:
            raise UnsupportedError("ONNX graph: no output is a tensor of floating point")
        self.output_name: str = scores[-1]
        self._batch = self._fixed_batch()

    def predict(self, X: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """Score rows.

        Parameters
        ----------
        X : one matrix (n, m) for a graph with one input; else a mapping from the name of each
            input to its block, all with n rows. Blocks are converted to the dtype of the input.

        Returns
        -------
        float64, shape (n,), or (n, k) where the graph gives k scores a row.

        Raises
        ------
        ArgumentError
            Blocks are missing, unknown, or of the wrong shape.
        """
        blocks = self._blocks(X)
        n = next(iter(blocks.values())).shape[0]
        if self._batch is None:
            scores = self._run(blocks)
        else:
            parts = [
                self._run({name: block[at : at + self._batch] for name, block in blocks.items()})
                for at in range(0, n, self._batch)
            ]
            scores = np.concatenate(parts) if parts else np.empty((0, 1))
        if scores.shape[:1] != (n,):
            raise ArgumentError(
                f"ONNX graph: output {self.output_name!r} has shape {scores.shape}, "
                f"expected {n} rows"
            )
        flat = scores.reshape(n, int(np.prod(scores.shape[1:])))
        return flat[:, 0].copy() if flat.shape[1] == 1 else flat

    def describe(self) -> str:
        """Return a few lines of text about the graph."""
        inputs = ", ".join(f"{node.name} {node.shape}" for node in self._inputs.values())
        lines = {"runtime": "onnxruntime", "inputs": inputs, "output": self.output_name}
        return "\n".join(f"{name:<14} {value}" for name, value in lines.items())

    def _fixed_batch(self) -> int | None:
        sizes = {node.shape[0] for node in self._inputs.values() if isinstance(node.shape[0], int)}
        if len(sizes) > 1 or any(size < 1 for size in sizes):
            raise UnsupportedError(f"ONNX graph: inputs have fixed batch sizes {sorted(sizes)}")
        return sizes.pop() if sizes else None

    def _run(self, blocks: dict[str, NDArray[np.generic]]) -> NDArray[np.float64]:
        (scores,) = self._session.run([self.output_name], blocks)
        return np.asarray(scores, dtype=np.float64)

    def _blocks(self, X: ArrayLike | Mapping[str, ArrayLike]) -> dict[str, NDArray[np.generic]]:
        if not isinstance(X, Mapping):
            if len(self._inputs) != 1:
                raise ArgumentError(f"X: expected a mapping with {', '.join(self._inputs)}")
            X = {self.input_names[0]: X}
        if set(X) != set(self._inputs):
            raise ArgumentError(f"X: got blocks {sorted(X)}, expected {sorted(self._inputs)}")
        blocks = {name: self._block(name, X[name]) for name in self._inputs}
        if len({block.shape[0] for block in blocks.values()}) != 1:
            shapes = {name: block.shape for name, block in blocks.items()}
            raise ArgumentError(f"X: blocks differ in their number of rows: {shapes}")
        n = next(iter(blocks.values())).shape[0]
        if self._batch is not None and n % self._batch != 0:
            raise ArgumentError(f"X: {n} rows; the graph takes multiples of {self._batch} only")
        return blocks

    def _block(self, name: str, values: ArrayLike) -> NDArray[np.generic]:
        node = self._inputs[name]
        block = np.ascontiguousarray(values, dtype=_DTYPES[node.type])
        wrong = block.ndim != len(node.shape) or any(
            isinstance(size, int) and size != block.shape[axis]
            for axis, size in enumerate(node.shape)
            if axis > 0
        )
        if wrong:
            raise ArgumentError(f"X: {name!r} has shape {block.shape}, expected {node.shape}")
        return block


def _open_session(data: bytes) -> _Session:
    try:
        onnxruntime = import_module("onnxruntime")
    except ImportError as error:
        raise UnsupportedError(
            'ONNX graphs need ONNX Runtime: pip install "shortlist[onnx]"'
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session: _Session = onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exception classes share no narrower base
        raise FormatError(f"ONNX graph: ONNX Runtime refuses it: {error}") from error
    return session
