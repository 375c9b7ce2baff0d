"""The native core; docstrings stand with the Python classes that use it."""

import numpy as np
from numpy.typing import NDArray

# cpu
def available_isas() -> list[str]: ...
def active_isa() -> str: ...

# trees
class Forest:
    def __init__(self, arrays: dict[str, NDArray[np.generic]]) -> None: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_outputs(self) -> int: ...
    @property
    def n_trees(self) -> int: ...
    def predict(
        self,
        rows: NDArray[np.generic],
        raw: bool,
        out: NDArray[np.float64],
        n_threads: int,
    ) -> None: ...
