"""Predictions by every kernel: SHORTLIST_TREE_KERNEL is read when a forest is made."""

import os
from contextlib import contextmanager

import numpy as np

from shortlist.models import Forest

KERNELS = ("walk", "lookup", "bitslice")


@contextmanager
def forced(kernel):
    """Let forests made meanwhile use one kernel; or the one they choose, where it is None."""
    before = os.environ.pop("SHORTLIST_TREE_KERNEL", None)
    if kernel is not None:
        os.environ["SHORTLIST_TREE_KERNEL"] = kernel
    try:
        yield
    finally:
        os.environ.pop("SHORTLIST_TREE_KERNEL", None)
        if before is not None:
            os.environ["SHORTLIST_TREE_KERNEL"] = before


def with_every_kernel(method, *, same=True):
    """Wrap a method of Forest so that each kernel runs, with the same bits unless told."""

    def call(forest, X, **arguments):
        result = method(forest, X, **arguments)
        for kernel in KERNELS:
            found = method(
                _of_kernel(forest, kernel),
                X,
                **{**arguments, "out": None} if "out" in arguments else arguments,
            )
            if not same:
                continue
            if arguments.get("out") is not None:
                found = found.reshape(result.shape)
            np.testing.assert_array_equal(found, result, err_msg=kernel, strict=True)
        return result

    return call


def _of_kernel(forest, kernel):
    made = forest.__dict__.setdefault("of_kernel", {})
    if kernel not in made:
        with forced(kernel):
            made[kernel] = Forest(*forest.compiled_arrays())
    return made[kernel]
