"""A file of rows scored into a file of scores, in memory for a chunk alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from shortlist.batch.model import ScoredModel
from shortlist.batch.outputs import CsvOutput, NpyOutput, Output, replacing, score_names
from shortlist.batch.sources import NpySource, Source
from shortlist.errors import ArgumentError

__all__ = ["check_paths", "score_file"]

_SUFFIXES = (".parquet", ".csv", ".npy")
_CHUNK_BYTES = 1 << 26
_MOST_ROWS = 1 << 17


def check_paths(data: Path, out: Path, keep: Sequence[str]) -> None:
    """Refuse what can be refused before a model is read.

    Raises
    ------
    ArgumentError
        Kinds of files that are not handled, or an output in the place of its input.
    ModuleNotFoundError
        Both kinds are known, and the library for one is not there.
    """
    for path in (data, out):
        if path.suffix not in _SUFFIXES:
            raise ArgumentError(f"{path}: expected a file {', '.join(_SUFFIXES[:2])} or .npy")
    if out.exists() and out.samefile(data):
        raise ArgumentError(f"{out}: the scores would take the place of the rows")
    if keep and ".npy" in (data.suffix, out.suffix):
        raise ArgumentError(f"--keep {keep[0]}: a .npy file has no named columns")
    if data.suffix != ".npy":
        import shortlist.batch.arrow_sources
    if out.suffix == ".parquet":
        import shortlist.batch.parquet_output  # noqa: F401


def score_file(
    model: ScoredModel,
    data: Path,
    out: Path,
    *,
    keep: Sequence[str] = (),
    chunk_rows: int | None = None,
    on_progress: Callable[[int, float], None] = lambda n_rows, done: None,
) -> int:
    """Score each row of a file, in order.

    Parameters
    ----------
    model : what scores.
    data : .parquet or .csv, whose columns are found by name, or .npy, a matrix. Both kinds of
        tables are read by pyarrow.
    out : .parquet, .csv or .npy. Written beside itself under another name, which becomes this one
        when it is complete; a file that is there is replaced then.
    keep : columns of the data to copy before the scores, which are named ``score``, or ``score_0``,
        ``score_1``, ... with several outputs.
    chunk_rows : rows in memory at a time, at most; by default those of 64 MB.
    on_progress : called after each chunk with the rows so far and the part of the file that was
        read, from 0 to 1.

    Returns
    -------
    The number of rows.

    Raises
    ------
    ArgumentError, FormatError
        What is wrong with the files; see also `check_paths`.
    StorageError
        The output cannot be written.
    """
    check_paths(data, out, keep)
    taken = sorted(set(keep) & set(score_names(model.n_outputs)))
    if taken:
        raise ArgumentError(f"--keep {taken[0]}: a column of scores has that name")
    source = _open_source(data, model, keep)
    if chunk_rows is None:
        chunk_rows = min(max(_CHUNK_BYTES // (8 * model.inputs.n_features), 1), _MOST_ROWS)
    n_rows = 0
    with replacing(out) as file:
        output = _open_output(file, out.suffix, source, model)
        for chunk in source.chunks(chunk_rows):
            scores = model.predict(chunk.rows, f"{data}, from row {n_rows}")
            output.write(scores, chunk.kept)
            n_rows += chunk.n_rows
            on_progress(n_rows, chunk.done)
        output.finish()
    return n_rows


def _open_source(data: Path, model: ScoredModel, keep: Sequence[str]) -> Source:
    if data.suffix == ".npy":
        return NpySource(data, model.inputs)
    from shortlist.batch.arrow_sources import CsvSource, ParquetSource

    kind = ParquetSource if data.suffix == ".parquet" else CsvSource
    return kind(data, model.inputs, keep)


def _open_output(file: BinaryIO, suffix: str, source: Source, model: ScoredModel) -> Output:
    if suffix == ".npy":
        return NpyOutput(file, model.dtype, model.n_outputs)
    if suffix == ".csv":
        return CsvOutput(file, source.kept_schema, model.n_outputs)
    from shortlist.batch.parquet_output import ParquetOutput

    return ParquetOutput(file, source.kept_schema, model.dtype, model.n_outputs)
