"""Names that the documentation uses exist and have docstrings; what is public is documented."""

from __future__ import annotations

import inspect
import re

import pytest
from pages import PAGES, Page

import shortlist
from shortlist import features, serving

CLASSES = {
    kind.__name__: kind
    for kind in (
        shortlist.Engine,
        shortlist.Forest,
        shortlist.Index,
        shortlist.Neighbors,
        shortlist.OnnxModel,
        shortlist.Shortlist,
        features.FeatureSet,
    )
}
DOCUMENTATION = "\n".join(Page.read(path).code() for path in PAGES)


def public_members(kind: type) -> list[str]:
    return [
        name
        for name, member in vars(kind).items()
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    ]


@pytest.mark.parametrize("name", [name for name in shortlist.__all__ if name != "__version__"])
def test_a_public_name_has_a_docstring_and_a_place_in_the_pages(name):
    assert inspect.getdoc(getattr(shortlist, name))
    assert re.search(rf"\b{name}\b", DOCUMENTATION)


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_methods_and_properties_have_docstrings(kind):
    bare = [name for name in public_members(kind) if not inspect.getdoc(getattr(kind, name))]
    assert not bare


def test_attributes_that_the_pages_name_exist():
    known = {"shortlist": shortlist, "f": features, **CLASSES}
    pattern = rf"(?<![\w./\[\"'])({'|'.join(known)})\.(\w+)(?!\.\w*/)"
    found = re.findall(pattern, DOCUMENTATION)
    assert len(found) > 20
    missing = {f"{owner}.{name}" for owner, name in found if not has(known[owner], name)}
    assert not missing


def has(owner: object, name: str) -> bool:
    return (
        hasattr(owner, name)
        or name in getattr(owner, "__dataclass_fields__", {})
        or (isinstance(owner, type) and f"self.{name}: " in inspect.getsource(owner))
    )


def test_names_of_the_server_have_docstrings():
    assert all(inspect.getdoc(getattr(serving, name)) for name in serving.__all__)


def test_options_that_the_pages_name_exist():
    pytest.importorskip("typer")
    import typer.main

    from shortlist.cli.app import app

    root = typer.main.get_command(app)
    commands = [root, *root.commands.values()]
    options = {
        option
        for command in commands
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help"}
    lines = [line for line in DOCUMENTATION.splitlines() if not re.match(r"\W*(pip|python) ", line)]
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(lines)))
    assert named <= options
