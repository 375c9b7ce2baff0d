"""Trained models: read from the files that their libraries write, scored natively."""

from shortlist.models.forest import Forest
from shortlist.models.load import load_model
from shortlist.models.onnx_model import OnnxModel
from shortlist.models.sklearn_export import export_sklearn

__all__ = ["Forest", "OnnxModel", "export_sklearn", "load_model"]
