"""What bounds the cells of the table that fall short of their targets."""

from __future__ import annotations

from collections.abc import Sequence

from bench.trees.outcome import ModelOutcome
from bench.trees.targets import targets_of

_LARGE_FOREST_ONE_ROW = (
    "A row reads a block of 64 nodes of each of 1,000 trees, and of the 190 nodes that are left "
    "another block for most of them, 256 bytes each, besides a cache line for each leaf. That is "
    "some 450 KB out of 3 MB, which the second cache does not hold: the row waits for the third. "
    "Fewer bytes a node, or knowing from training how often a node is reached, would help."
)
_LARGE_FOREST_BLOCKS = (
    "The programs of 254,000 decisions are 843,000 instructions, 6 MB of machine code, and a block "
    "of rows runs through all of it once. Code comes from the third cache, and fetching it takes "
    "longer than what it computes: 128 rows take nearly two thirds of the time of 512."
)
_SETS_OF_THEIR_OWN = (
    "Nearly each of the 24,000 categorical decisions asks for a set of its own, so that trees "
    "share none: 24,000 bits for each row are transposed, which takes as long as the rest."
)
_BOUNDS: dict[tuple[str, int], str] = {
    ("C", 1): _LARGE_FOREST_ONE_ROW,
    ("C", 100): _LARGE_FOREST_BLOCKS,
    ("C", 1000): _LARGE_FOREST_BLOCKS,
    ("C", 10_000): _LARGE_FOREST_BLOCKS,
    ("B-categories", 1000): _SETS_OF_THEIR_OWN,
    ("B-categories", 10_000): _SETS_OF_THEIR_OWN,
}
_UNKNOWN = "Not explained yet."


def shortfalls(outcomes: Sequence[ModelOutcome]) -> list[str]:
    """A paragraph for each explanation, with the cells that it is about."""
    cells: dict[str, list[str]] = {}
    for outcome in outcomes:
        for batch in outcome.comparisons:
            for target in targets_of(outcome.name, batch):
                speedup = outcome.speedup(batch, over=target.over).median
                if speedup < target.least:
                    why = _BOUNDS.get((outcome.name, batch), _UNKNOWN)
                    cells.setdefault(why, []).append(
                        f"{outcome.name} at {batch:,} ({speedup:.3g}x of {target.least:g}x)"
                    )
    return [f"**{', '.join(which)}.** {why}" for why, which in cells.items()]
