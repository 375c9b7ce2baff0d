"""What is served: an immutable set of models, each with its versions.

A request reads the deployment once and stays with it, so that no answer mixes two; a new deployment
takes the place of the old one by a single assignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from shortlist.errors import ArgumentError
from shortlist.serving.calls import CallTimes
from shortlist.serving.engines import RankingEngine
from shortlist.serving.errors import HttpError

__all__ = ["Deployment", "Model", "Variant"]


@dataclass(frozen=True, slots=True)
class Variant:
    """An engine in service, with the times its calls took."""

    engine: RankingEngine
    rank_times: CallTimes = field(default_factory=CallTimes)
    score_times: CallTimes = field(default_factory=CallTimes)


@dataclass(frozen=True, slots=True)
class Model:
    """The versions of one model; requests that name none get the champion."""

    name: str
    champion: Variant
    versions: Mapping[str, Variant]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Models by name."""

    models: Mapping[str, Model]

    @classmethod
    def of(cls, engines: Iterable[RankingEngine]) -> Deployment:
        """Deploy engines; the first of each name is its champion.

        Raises
        ------
        ArgumentError : no engine at all, or one version of a model twice.
        """
        by_name: dict[str, dict[str, Variant]] = {}
        for engine in engines:
            versions = by_name.setdefault(engine.name, {})
            if engine.version in versions:
                raise ArgumentError(
                    f"bundle {engine.name!r} version {engine.version!r} is given twice; "
                    "expected each version once"
                )
            versions[engine.version] = Variant(engine)
        if not by_name:
            raise ArgumentError("no bundle is given; expected at least one")
        return cls(
            MappingProxyType(
                {
                    name: Model(name, next(iter(versions.values())), MappingProxyType(versions))
                    for name, versions in by_name.items()
                }
            )
        )

    def find(self, name: str | None, version: str | None) -> Variant:
        """Return the variant that a request names; ``None`` means the only model, the champion.

        Raises
        ------
        HttpError : 404, with the names there are.
        """
        model = self._only_model() if name is None else self.models.get(name)
        if model is None:
            raise HttpError(404, f"model {name!r} is not served; there is {_listed(self.models)}")
        if version is None:
            return model.champion
        variant = model.versions.get(version)
        if variant is None:
            raise HttpError(
                404,
                f"version {version!r} of model {model.name!r} is not served; "
                f"there is {_listed(model.versions)}",
            )
        return variant

    def variants(self) -> list[Variant]:
        """Return every variant, models and versions in the order they were given."""
        return [variant for model in self.models.values() for variant in model.versions.values()]

    def _only_model(self) -> Model:
        if len(self.models) > 1:
            raise HttpError(
                404,
                "several models are served; expected /v1/models/{name}/... with one of "
                + _listed(self.models),
            )
        return next(iter(self.models.values()))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
