"""Parquet files of scores, by pyarrow (the extra ``[parquet]``)."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shortlist.batch.outputs import score_names
from shortlist.models.forest import Scores

__all__ = ["ParquetOutput"]


class ParquetOutput:
    """Columns that are copied, then a column for each output; a chunk is a group of rows."""

    def __init__(
        self, file: BinaryIO, kept_schema: Any, dtype: np.dtype[Any], n_outputs: int
    ) -> None:
        kept = [] if kept_schema is None else list(kept_schema)
        score = pa.from_numpy_dtype(dtype)
        self._schema = pa.schema([*kept, *((name, score) for name in score_names(n_outputs))])
        self._writer = pq.ParquetWriter(file, self._schema)

    def write(self, scores: Scores, kept: Any) -> None:
        """Add rows."""
        columns = [] if kept is None else list(kept.columns)
        for column in scores.reshape(len(scores), -1).T:
            columns.append(pa.array(np.ascontiguousarray(column)))
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def finish(self) -> None:
        """Write the file's footer."""
        self._writer.close()
