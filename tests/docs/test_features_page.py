"""What docs/features.md shows is what the code does."""

import re
from pathlib import Path

from shortlist import features as f
from shortlist.hashing import xxh64

PAGE = Path(__file__).parents[2] / "docs" / "features.md"


def test_the_pages_features_json_is_accepted():
    text, *_ = re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    kinds = ["numeric", "categorical", "hashed", "cross", "similarity"]
    assert [feature.kind for feature in f.FeatureSet.from_json(text)] == kinds


def test_the_pages_canonical_texts_are_the_hashed_ones():
    numbers = [1.0, -0.0, 0.1, 1e-3, 1e-5, 2.5e-7, 1e300]
    texts = ["1", "0", "0.1", "0.001", "1e-05", "2.5e-07", "1e+300"]
    assert xxh64(numbers).tolist() == xxh64(texts).tolist()
    assert all(f"`{text}`" in PAGE.read_text("utf-8") for text in texts)
