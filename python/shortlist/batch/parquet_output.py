"""Parquet files of scores, by pyarrow (the extra ``[parquet]``)."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shortlist.batch.outputs import Scores, score_names

__all__ = ["ParquetOutput"]


class ParquetOutput:
    """Columns that are copied, then a column for each output; a chunk is a group of rows."""

    def __init__(self, file: BinaryIO, kept_schema: Any, n_outputs: int) -> None:
        self._file = file
        self._kept = pa.schema([]) if kept_schema is None else kept_schema.remove_metadata()
        self._names = score_names(n_outputs)
        self._writer: Any = None

    def write(self, scores: Scores, kept: Any) -> None:
        """Add rows."""
        arrays = [] if kept is None else list(kept.columns)
        arrays += [
            pa.array(np.ascontiguousarray(column)) for column in scores.reshape(len(scores), -1).T
        ]
        schema = self._schema(arrays[-1].type)
        self._open(schema).write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))

    def finish(self) -> None:
        """Write the file's footer."""
        self._open(self._schema(pa.float64())).close()

    def _schema(self, score: Any) -> Any:
        return pa.schema([*self._kept, *((name, score) for name in self._names)])

    def _open(self, schema: Any) -> Any:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, schema)
        return self._writer
