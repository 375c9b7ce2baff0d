"""Parquet and CSV files read a chunk at a time, by pyarrow (the extra ``[parquet]``)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from shortlist.batch.sources import Chunk
from shortlist.errors import ArgumentError, FormatError
from shortlist.models.inputs import ModelInputs

__all__ = ["CsvSource", "ParquetSource"]

_BLOCK_BYTES = 1 << 22


class ParquetSource:
    """A Parquet file; only the columns that are needed are read.

    Raises
    ------
    FormatError
        No Parquet file.
    ArgumentError
        A column is absent.
    """

    def __init__(self, path: Path, inputs: ModelInputs, keep: Sequence[str]) -> None:
        with _reading(path):
            # Pages are read as they are needed, never a whole group of rows.
            self._file = pq.ParquetFile(path, buffer_size=_BLOCK_BYTES, pre_buffer=False)
        self._path = path
        schema = self._file.schema_arrow
        features = _feature_columns(path, inputs, schema.names)
        self._keep = _kept(path, keep, schema.names)
        self._columns = list(dict.fromkeys([*features, *self._keep]))
        fields = [schema.field(name) for name in self._keep]
        self.kept_schema = pa.schema(fields) if fields else None

    def chunks(self, n_rows: int) -> Iterator[Chunk]:
        """Read row group after row group."""
        total, read = self._file.metadata.num_rows, 0
        with _reading(self._path):
            for batch in self._file.iter_batches(n_rows, columns=self._columns):
                read += batch.num_rows
                kept = batch.select(self._keep) if self._keep else None
                yield Chunk(batch, batch.num_rows, kept, read / total)


class CsvSource:
    """A CSV file: UTF-8, commas, names in the first line.

    Columns of features are numbers, but texts where the model's categories are; other columns that
    are kept are texts, as they stand. Empty cells are missing.

    Raises
    ------
    FormatError
        No such file.
    ArgumentError
        A column is absent.
    """

    def __init__(self, path: Path, inputs: ModelInputs, keep: Sequence[str]) -> None:
        self._path = path
        names = _first_line(path)
        self._features = _feature_columns(path, inputs, names)
        self._keep = _kept(path, keep, names)
        self._texts = {name for i, name in enumerate(self._features) if inputs.expects_texts(i)}
        numbers = [name for name in self._features if name not in self._texts]
        self._types = dict.fromkeys(self._keep, pa.string())
        self._types |= dict.fromkeys(self._texts, pa.string())
        self._types |= dict.fromkeys(numbers, pa.float64())
        if numbers:
            self._find_booleans(numbers)
        fields = [(name, self._types[name]) for name in self._keep]
        self.kept_schema = pa.schema(fields) if fields else None

    def chunks(self, n_rows: int) -> Iterator[Chunk]:
        """Read block after block."""
        n_bytes = self._path.stat().st_size
        with _reading(self._path), self._path.open("rb") as file:
            for block in arrow_csv.open_csv(file, **_csv_options(self._types)):
                for begin in range(0, block.num_rows, n_rows):
                    part = block.slice(begin, n_rows)
                    kept = part.select(self._keep) if self._keep else None
                    done = min(file.tell() / n_bytes, 1.0)
                    yield Chunk(self._rows(part), part.num_rows, kept, done)

    def _find_booleans(self, numbers: Sequence[str]) -> None:
        """Give columns that begin with true or false, no numbers for Arrow, a type of their own."""
        with _reading(self._path), self._path.open("rb") as file:
            schema = arrow_csv.open_csv(file, **_csv_options(dict.fromkeys(numbers))).schema
        for field in schema:
            if pa.types.is_boolean(field.type):
                self._types[field.name] = pa.bool_()

    def _rows(self, part: pa.RecordBatch) -> pa.RecordBatch:
        columns = {name: part.column(name) for name in self._features}
        for name in self._texts:
            texts = columns[name]
            columns[name] = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        return pa.RecordBatch.from_pydict(columns)


def _csv_options(types: dict[str, pa.DataType | None]) -> dict[str, object]:
    known = {name: kind for name, kind in types.items() if kind is not None}
    return {
        "read_options": arrow_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        "parse_options": arrow_csv.ParseOptions(newlines_in_values=True),
        "convert_options": arrow_csv.ConvertOptions(
            include_columns=list(types), column_types=known, strings_can_be_null=False
        ),
    }


def _first_line(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file, strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path}: no CSV in UTF-8: {error}") from None
    if not names:
        raise FormatError(f"{path}: no names of columns in the first line")
    return names


def _feature_columns(path: Path, inputs: ModelInputs, names: Sequence[str]) -> list[str]:
    return [names[position] for position in inputs.positions(names, what=str(path))]


def _kept(path: Path, keep: Sequence[str], names: Sequence[str]) -> list[str]:
    for name in keep:
        if names.count(name) != 1:
            several = names.count(name) or "no"
            raise ArgumentError(f"--keep {name}: {path} has {several} columns of that name")
    return list(dict.fromkeys(keep))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError) as error:
        raise FormatError(f"{path}: {error}") from error
