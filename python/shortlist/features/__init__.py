"""Feature definitions shared by training and serving.

>>> from shortlist import features as f
>>> age, city = f.Numeric("user.age", scale="standard"), f.Hashed("user.city", buckets=1024)
>>> spec = f.FeatureSet([age, city])
>>> X = spec.fit(frame).transform(frame).dense    # the code that serves requests
"""

from shortlist.features.feature import Feature
from shortlist.features.feature_set import FeatureBlocks, FeatureSet
from shortlist.features.kinds import Categorical, Cross, Hashed, Numeric, Similarity

__all__ = [
    "Categorical",
    "Cross",
    "Feature",
    "FeatureBlocks",
    "FeatureSet",
    "Hashed",
    "Numeric",
    "Similarity",
]
