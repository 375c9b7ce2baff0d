"""Shows any nested result: scalars as lines, lists and mappings of records as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

__all__ = ["as_builtins", "print_document"]


def as_builtins(content: object) -> object:
    """Turn structs, dataclasses and paths into what JSON knows."""
    return msgspec.to_builtins(content, enc_hook=str)


def print_document(console: Console, content: object) -> None:
    """Print the result of `as_builtins`, one level as lines and tables."""
    if not isinstance(content, Mapping):
        console.print(_shown("", content))
        return
    facts = Table(show_header=False, box=None, pad_edge=False)
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    tables: list[Table] = []
    for key, value in content.items():
        records = _records(value)
        if records:
            tables.append(_table(str(key), records))
        else:
            facts.add_row(str(key), _shown(str(key), value))
    console.print(facts)
    for table in tables:
        console.print(table)


def _records(value: object) -> list[dict[str, object]]:
    """Return the rows of a table, or nothing where the value is no table."""
    if isinstance(value, Mapping) and value and all(_is_record(v) for v in value.values()):
        return [{"": key, **record} for key, record in value.items()]
    if isinstance(value, list) and value and all(_is_record(v) for v in value):
        return list(value)
    return []


def _is_record(value: object) -> bool:
    return isinstance(value, Mapping)


def _table(title: str, records: Sequence[Mapping[str, object]]) -> Table:
    names = list(dict.fromkeys(name for record in records for name in record))
    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    for name in names:
        is_number = all(isinstance(record.get(name), int | float) for record in records)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for record in records:
        table.add_row(*(_shown(name, record.get(name, "")) for name in names))
    return table


def _shown(name: str, value: object) -> str:
    if name.endswith("bytes") and isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_shown(str(key), item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_shown("", item) for item in value)
    return str(value)
