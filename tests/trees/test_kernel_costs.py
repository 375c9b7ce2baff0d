"""The costs of kernels choose who scores how many rows, where measured on such a machine."""

import json

import numpy as np
import pytest
from every_kernel import forced
from random_ensembles import random_ensemble

from shortlist import _core
from shortlist.errors import FormatError
from shortlist.models import Forest


@pytest.fixture
def compiled():
    forest = Forest.from_imported(random_ensemble(np.random.default_rng(3)))
    tensors, metadata = forest.compiled_arrays()
    assert tensors["predicate_offsets"].size
    return tensors, metadata


def kernels_with(compiled, **changed):
    """Return what the forest says of its kernels when some of its costs are others."""
    tensors, metadata = compiled
    costs = json.loads(metadata["kernel_costs"]) | changed
    forest = Forest.from_compiled(tensors, {**metadata, "kernel_costs": json.dumps(costs)})
    return forest.describe().splitlines()[-1].split(maxsplit=1)[1]


def test_compiling_measures_every_kernel(compiled):
    costs = json.loads(compiled[1]["kernel_costs"])
    in_registers = _core.active_isa() == "avx512vbmi"
    assert costs.pop("machine").startswith(_core.active_isa())
    assert costs["walk"] > 0
    assert costs["bitslice"] > 0
    assert (costs["lookup"] > 0) == in_registers


def test_the_kernel_that_costs_least_is_taken(compiled):
    few = "lookup" if _core.active_isa() == "avx512vbmi" else "walk"
    costs = {"walk": 200, "lookup": 100, "bitslice": 1000}
    if few == "walk":
        costs["walk"] = 100
    assert kernels_with(compiled, **costs).startswith(
        f"{few} up to 9 rows, then bitslice (measured"
    )
    assert kernels_with(compiled, **costs | {"bitslice": 1}).startswith("bitslice (measured")
    assert kernels_with(compiled, **costs | {"bitslice": 1e11}).startswith(f"{few} up to 255 rows")
    if few == "lookup":
        assert kernels_with(compiled, **costs | {"lookup": 300}).startswith("walk up to 4 rows")


def test_costs_of_another_machine_are_left_alone(compiled):
    kernels = kernels_with(compiled, machine="a machine of tomorrow", bitslice=1)
    assert "(usual on " in kernels
    assert not kernels.startswith("bitslice")


def test_a_forced_kernel_says_so(compiled):
    with forced("walk"):
        assert (
            Forest.from_compiled(*compiled)
            .describe()
            .endswith("walk (forced by SHORTLIST_TREE_KERNEL)")
        )
        forest = Forest.from_imported(random_ensemble(np.random.default_rng(3)))
    assert "kernel_costs" not in forest.compiled_arrays()[1]


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ("{", "kernel_costs: not valid JSON"),
        ("[]", "kernel_costs: not a JSON object"),
        ("{}", "kernel_costs: machine is no string"),
        ('{"machine": 1}', "kernel_costs: machine is no string"),
        ('{"machine": "m"}', "kernel_costs: walk is no number of nanoseconds"),
        ('{"machine": "m", "walk": -1}', "kernel_costs: walk is no number of nanoseconds"),
        ('{"machine": "m", "walk": 1, "lookup": 1e300}', "kernel_costs: lookup is no number"),
        ('{"machine": "m", "walk": 1, "lookup": 1}', "kernel_costs: bitslice is no number"),
    ],
)
def test_costs_that_are_none_are_refused(compiled, costs, message):
    tensors, metadata = compiled
    with pytest.raises(FormatError, match=message):
        Forest.from_compiled(tensors, {**metadata, "kernel_costs": costs})
