"""A YAML text as plain values, each with its line: bounded, so that no file can hang the reader. Knows nothing of settings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import yaml

from rewardloop.errors import InvalidSettings

MAX_BYTES = 1 << 20
MAX_DEPTH = 16
MAX_NODES = 20_000
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """Plain values: dict with text keys, list, str, int, float, bool, None; and where each stands."""

    tree: dict[str, object]
    source: str
    lines: dict[str, int] = field(default_factory=dict)
    """JSON path → line, from 1. Empty for values that never were a text."""
    origins: dict[str, str] = field(default_factory=dict)
    """JSON path → the path under which the file spells it, where the two differ."""

    def refuse(self, what: str, path: str, then: str = "") -> InvalidSettings:
        """The error for one place: what is wrong, where, and then what to do about it."""
        shown = self.origins.get(path, path)
        line = self._line(shown)
        where = f" (line {line} of {self.source})" if line else ""
        error = InvalidSettings(one_line(f"{what} at `{shown}`{where}{then}"))
        error.at = shown
        return error

    def _line(self, path: str) -> int | None:
        while path not in self.lines and path != "$":
            path = path[: max(path.rfind("."), path.rfind("["))]
        return self.lines.get(path)


def one_line(text: str) -> str:
    """A message that neither breaks a line nor commands a terminal, whatever keys a file has."""
    return "".join(char if char.isprintable() else "�" for char in text)


class _Loader(yaml.SafeLoader):
    """PyYAML's, with the plain scalars of YAML 1.2: `no` is a text, `1e-3` a number, `1:30` not ninety."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 # the base class says so
    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self.nodes += 1
        if self.depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise ValueError(f"more than {MAX_NODES} values, or more than {MAX_DEPTH} deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_Loader.add_implicit_resolver(_CORE + "null", re.compile(r"(~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(_CORE + "bool", re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))
_Loader.add_implicit_resolver(_CORE + "int", re.compile(r"[-+]?[0-9]+\Z", re.ASCII), list("-+0123456789"))
_Loader.add_implicit_resolver(
    _CORE + "float",
    re.compile(r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z", re.ASCII),
    list("-+.0123456789"),
)


def read_document(text: str, source: str) -> Document:
    """Reads one YAML mapping; raises `InvalidSettings` naming the line for anything else.

    >>> read_document("policy:\\n  floor: 1e-2", "offers.yaml")
    Document(tree={'policy': {'floor': 0.01}}, source='offers.yaml', lines={'$': 1, '$.policy': 1, '$.policy.floor': 2}, origins={})
    """
    if len(text) > MAX_BYTES:
        raise InvalidSettings(f"Expected settings of at most {MAX_BYTES} characters, got {len(text)} in {source}")
    document = Document({}, source)
    root = _compose(text, source)
    if not isinstance(root, yaml.MappingNode):
        raise InvalidSettings(f"Expected settings such as `experiment: offers`, got {_kind(root)} in {source}")
    document.tree.update(_Walk(document).mapping(root, "$", 0))
    return document


def _compose(text: str, source: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1} of {source}" if mark else source
        raise InvalidSettings(f"Expected YAML, got something else: {error.problem or error.context} ({line})") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidSettings(f"Expected YAML, got something else: {' '.join(str(error).split())} ({source})") from None


@dataclass
class _Walk:
    """One pass over the nodes. An alias is walked as often as it is used, which `left` bounds."""

    document: Document
    left: int = MAX_NODES

    def value(self, node: yaml.Node, path: str, depth: int) -> object:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise self.document.refuse(f"Expected at most {MAX_NODES} values, {MAX_DEPTH} deep; got more", path)
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)]
        return self._scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, object]:
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        tree: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            line = key_node.start_mark.line + 1
            if key in tree:
                first = self.document.lines[f"{path}.{key}"]
                raise self.document.refuse(f"Key `{key}` stands twice, on lines {first} and {line},", f"{path}.{key}")
            self.document.lines[f"{path}.{key}"] = line
            tree[key] = self.value(value_node, f"{path}.{key}", depth + 1)
        return tree

    def _key(self, node: yaml.Node, path: str) -> str:
        if isinstance(node, yaml.ScalarNode) and node.tag == _CORE + "str" and 0 < len(node.value) <= 256:
            return str(node.value)
        self.document.lines[path] = node.start_mark.line + 1
        raise self.document.refuse(f"Expected keys that are texts of 1 to 256 characters, got {_kind(node)}", path)

    def _scalar(self, node: yaml.Node, path: str) -> object:
        try:
            value = _PLAIN[node.tag](node.value)
        except KeyError:
            raise self.document.refuse(f"Expected a plain value, got the YAML tag `{node.tag[:80]}`", path) from None
        except ValueError:
            raise self.document.refuse(f"Expected a value of `{node.tag[len(_CORE) :]}`, got `{node.value[:40]}`", path) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise self.document.refuse(f"Expected a finite number, got `{node.value[:40]}`", path)
        return value


_PLAIN: dict[str, Callable[[str], object]] = {
    _CORE + "str": str,
    _CORE + "int": int,
    _CORE + "float": lambda text: float(text.lower().replace(".inf", "inf").replace(".nan", "nan")),
    _CORE + "bool": lambda text: text.lower() == "true",
    _CORE + "null": lambda _: None,
}


def _kind(node: yaml.Node | None) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f"`{node.value[:40]}`"
    return "nothing" if node is None else "a list" if isinstance(node, yaml.SequenceNode) else "a section"
