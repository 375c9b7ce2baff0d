"""The forest that scores a file: of a model file, or the ranker of a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shortlist import safetensors
from shortlist.bundle import manifest as manifests
from shortlist.bundle.folder import Folder
from shortlist.bundle.loading import checked_version
from shortlist.errors import UnsupportedError
from shortlist.models import Forest, load_model
from shortlist.models.forest import Scores

__all__ = ["ScoredModel"]


class ScoredModel:
    """A forest and how it is to be asked.

    Parameters
    ----------
    forest : what scores.
    raw_score : leave out the objective's transform.
    iteration_range : boosting rounds (first, last), last excluded; by default those that the
        model's library would take.
    n_threads : threads of a call.

    Raises
    ------
    ArgumentError
        The model has no such rounds.
    """

    def __init__(
        self,
        forest: Forest,
        *,
        raw_score: bool = False,
        iteration_range: tuple[int, int] | None = None,
        n_threads: int = 1,
    ) -> None:
        self.inputs = forest.inputs
        self.n_outputs = forest.n_outputs
        self.dtype = forest.dtype
        self._n_threads = n_threads
        self._forest = forest
        self._raw_score = raw_score
        self._iteration_range = iteration_range
        self.predict(np.empty((0, forest.n_features)), "no rows")  # refuses rounds it lacks

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        raw_score: bool = False,
        iteration_range: tuple[int, int] | None = None,
        n_threads: int = 1,
    ) -> ScoredModel:
        """Read a model file, or the ranker of a bundle, raw where the bundle's scores are.

        Raises
        ------
        UnsupportedError
            No forest; or a bundle with features, whose ranker takes what they make of a row.
        ShortlistError
            What reading it raises.
        """
        is_raw = raw_score
        if path.is_dir():
            forest, bundle_is_raw = _ranker(path)
            is_raw = raw_score or bundle_is_raw
        else:
            model = load_model(path)
            if not isinstance(model, Forest):
                raise UnsupportedError(
                    f"{path}: an ONNX graph without trees; files are scored by forests"
                )
            forest = model
        return cls(forest, raw_score=is_raw, iteration_range=iteration_range, n_threads=n_threads)

    def predict(self, rows: object, what: str) -> Scores:
        """Score a matrix, or a frame whose columns are found by name; `what` opens messages."""
        matrix = rows if isinstance(rows, np.ndarray) else self.inputs.matrix(rows, what=what)
        return self._forest.predict(
            matrix,
            raw_score=self._raw_score,
            iteration_range=self._iteration_range,
            n_threads=self._n_threads,
        )


def _ranker(path: Path) -> tuple[Forest, bool]:
    version = checked_version(path, full=False)
    with Folder(version) as folder:
        manifest = manifests.read(folder)
    part = manifest.part("ranker")
    if part is None or part.kind != "forest":
        raise UnsupportedError(f"{version}: its ranker is no forest")
    if manifest.part("features") is not None:
        raise UnsupportedError(
            f"{version}: its ranker takes what the bundle's features make of a row; give the model "
            f"file for rows of the model's own features"
        )
    return Forest.from_compiled(*safetensors.load(version / part.files[0])), (
        manifest.settings.raw_score
    )
