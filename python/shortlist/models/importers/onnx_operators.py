"""ai.onnx.ml's tree operators, whichever of the two ways they write trees.

What an operator means is what ONNX Runtime makes of it.
"""

from __future__ import annotations

from shortlist.models.importers.onnx_attributes import TreeOperator
from shortlist.models.importers.onnx_ensemble import read_ensemble
from shortlist.models.importers.onnx_graph import Attributes
from shortlist.models.importers.onnx_lists import read_lists

__all__ = ["TREE_OPERATORS", "read_operator"]

TREE_OPERATORS = ("TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble")


def read_operator(name: str, attributes: Attributes, dtype: int) -> TreeOperator | None:
    """Read a tree operator.

    Parameters
    ----------
    name : one of TREE_OPERATORS.
    attributes : of the node.
    dtype : of the operator's input, FLOAT or DOUBLE.

    Returns
    -------
    None where it holds what ONNX Runtime may take, but this importer cannot represent.

    Raises
    ------
    FormatError
        Inconsistent.
    """
    if name == "TreeEnsemble":
        return read_ensemble(attributes, dtype)
    return read_lists(name, attributes, dtype)
