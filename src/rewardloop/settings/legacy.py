"""The configuration file of 2019 (config.yaml of SageMaker's bandit container), translated. It needs nothing else.

Native keys may stand in the same file; a setting given in both spellings is refused. Keys that name AWS resources, and those
for which nothing here corresponds, are collected by name, so that somebody can be told once that they do nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from rewardloop.settings.document import Document
from rewardloop.settings.expected import found, listed
from rewardloop.settings.mapping import LEGACY_KEYS
from rewardloop.settings.suggest import nearest_key

_SWITCHES = ("local_mode", "soft_deployment")
_ALGOR = ("algorithms_parameters", *_SWITCHES)
_PARAMETERS = {
    "exploration_policy": "policy.exploration",
    "epsilon": "policy.epsilon",
    "num_policies": "policy.num_policies",
    "num_arms": "actions",
    "cfa_type": "gate.estimator",
}


def is_legacy(tree: dict[str, object]) -> bool:
    return any(key in tree for key in LEGACY_KEYS)


def translate(document: Document) -> tuple[Document, tuple[str, ...]]:
    """The same experiment in native keys, and the names of the keys that do nothing here; raises `InvalidSettings`.

    `cfa_type` becomes the estimator of the gate. In 2019 it was Vowpal Wabbit's `--cb_type` as well; learning keeps `mtr`,
    which measures better than both.
    """
    tree = {key: value for key, value in document.tree.items() if key not in LEGACY_KEYS}
    algor = _section(document, document.tree, "algor", "$", _ALGOR)
    parameters = _section(document, algor, "algorithms_parameters", "$.algor", tuple(_PARAMETERS))
    if isinstance(arms := parameters.get("num_arms"), list):
        raise document.refuse(f"Expected a whole number, got {found(arms)}", "$.algor.algorithms_parameters.num_arms")
    origins = {}
    for key, value in parameters.items():
        native, path = _PARAMETERS[key], f"$.algor.algorithms_parameters.{key}"
        _place(document, tree, native, value, path)
        origins[f"$.{native}"] = path
    translated = Document(tree, document.source, document.lines, {**document.origins, **origins})
    return translated, tuple(_ignored(document, algor))


def _section(document: Document, parent: dict[str, object], key: str, at: str, known: tuple[str, ...]) -> dict[str, object]:
    path, value = f"{at}.{key}", parent.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise document.refuse(f"Expected a section with keys such as `{known[0]}`, got {found(value)}", path)
    for name in value:
        if name not in known:
            hint = nearest_key(str(name), known, key) or f"; expected one of {listed(known)}"
            raise document.refuse(f"Unknown key `{str(name)[:80]}`", f"{path}.{str(name)[:80]}", hint)
    return value


def _place(document: Document, tree: dict[str, object], native: str, value: object, path: str) -> None:
    """Sets `policy.epsilon` and the like in a tree whose sections are still the document's own."""
    section, _, key = native.rpartition(".")
    target = tree.get(section) or {} if section else tree
    if not isinstance(target, dict):
        raise document.refuse(f"Expected a section, got {found(target)}", f"$.{section}")
    if key in target:
        raise document.refuse(f"`{native}` says the same as `{path[2:]}`: give one of the two, not both -", f"$.{native}")
    if section:
        tree[section] = {**target, key: value}
    else:
        tree[key] = value


def _ignored(document: Document, algor: dict[str, object]) -> Iterator[str]:
    for key, value in document.tree.items():
        if key in LEGACY_KEYS and key != "algor":
            _plausible(document, key, value, f"$.{key}")
            yield from _leaves(value, key)
    for key in _SWITCHES:
        if key in algor:
            _plausible(document, key, algor[key], f"$.algor.{key}")
            yield f"algor.{key}"


def _plausible(document: Document, key: str, value: object, path: str) -> None:
    kind, words = {"resource": (dict, "a section"), "image": (str, "a text")}.get(key, (bool, "`true` or `false`"))
    if value is not None and not isinstance(value, kind):
        raise document.refuse(f"Expected {words}, got {found(value)}", path)


def _leaves(value: object, name: str, depth: int = 0) -> Iterator[str]:
    if isinstance(value, dict) and value and depth < 8:
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}", depth + 1)
    else:
        yield name
