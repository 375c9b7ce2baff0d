"""LightGBM scores the matrix as it scores the frame that the matrix was made of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from shortlist.models.inputs import ModelInputs

lightgbm = pytest.importorskip("lightgbm")

CITIES = ["Lyon", "Oslo", "Riga", "Graz"]
SIZES = [10, 20, 30]


def table(n: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "net amount": random.normal(size=n),
            "city": pd.Categorical(random.choice(CITIES, n)),
            "size": pd.Categorical(random.choice(SIZES, n)),
            "is_new": random.random(n) < 0.5,
        }
    )


@pytest.fixture(scope="module")
def booster():
    frame = table()
    label = frame["net amount"] + frame["city"].cat.codes.isin([1, 3]) - frame["is_new"]
    settings = {"verbosity": -1, "num_threads": 1, "min_data_per_group": 1, "cat_smooth": 1}
    data = lightgbm.Dataset(frame, label)
    return lightgbm.train(settings, data, 20)


@pytest.fixture(scope="module")
def inputs(booster) -> ModelInputs:
    names = {1 + i: tuple(names) for i, names in enumerate(booster.pandas_categorical)}
    return ModelInputs(booster.feature_name(), names, ())


def reordered(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows, some with a city that training did not have; other codes, other order."""
    cities = frame["city"].astype(object).copy()
    cities[::7], cities[::11] = "Ghent", None
    city = pd.Categorical(cities, categories=["Riga", "Ghent", "Graz", "Lyon", "Oslo"])
    size = pd.Categorical(frame["size"], categories=SIZES[::-1])
    return frame.assign(city=city, size=size)


def test_names_are_found_as_lightgbm_stores_them(booster, inputs):
    assert booster.feature_name()[0] == "net_amount"
    assert inputs.matrix(table()).shape == (400, 4)


def test_categories_of_a_frame_in_another_order_are_those_of_training(booster, inputs):
    frame = reordered(table())
    expected = booster.predict(frame)
    assert np.array_equal(booster.predict(inputs.matrix(frame[frame.columns[::-1]])), expected)


def test_other_libraries_frames_give_the_same_scores(booster, inputs):
    frame = reordered(table())
    expected = booster.predict(frame)
    cells = frame.astype(object)
    columns = cells.where(cells.notna(), None).to_dict("list")
    polars_frame = pl.DataFrame(columns).with_columns(pl.col("city").cast(pl.Categorical))
    arrow_table = pa.table(columns)
    for given in (columns, polars_frame, arrow_table):
        assert np.array_equal(booster.predict(inputs.matrix(given)), expected)
