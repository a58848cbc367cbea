"""Features → what Vowpal Wabbit is given: hashed indices and scaled numbers, as pairs or as a line of JSON.

Nothing a client wrote reaches Vowpal Wabbit. Its parser leaks on bad JSON, obeys keys that begin with `_`, cuts names at
NUL and crashes on some that are not ASCII; here a name is a number before it gets there, in every path, so none of that can
happen. The same numbers go in by `push_feature_list` and by JSON, so both learn the same weights.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from math import floor
from operator import itemgetter

import msgspec
import numpy as np

from rewardloop.actions import ActionSet
from rewardloop.features import Features
from rewardloop.policies.namespaces import Namespaces
from rewardloop.policies.scaling import LIMIT, Scaler

Pairs = list[tuple[int, float]]
Groups = Sequence[tuple[int, Pairs]]
"""Letters of namespaces, each with what stands in it."""

S, X, A = SPACES = (ord("s"), ord("x"), ord("a"))
"""The letters that are always there: a context, what of a long one is not crossed, an action."""
MAX_NAMES = 100_000
"""Hashes remembered; beyond these the memory starts afresh."""

_BIN = 2_654_435_761
"""Odd, so that no two bins of a feature share an index (Knuth's multiplier)."""
_encode = msgspec.json.Encoder(enc_hook=float).encode


class Shared(msgspec.Struct, frozen=True, gc=False):
    """A context: the features that may be crossed with each other, the rest, and those in namespaces of their own."""

    crossed: Pairs
    rest: Pairs
    named: Groups = ()


class Encoder:
    """Scales and hashes in one pass: a number becomes (index of `name`, z), a word (index of `name=word`, 1).

    `mask` is 2^bits − 1. `scaler` may learn on: call `forget_scales` after each of its updates.
    """

    def __init__(self, scaler: Scaler, salt: str, mask: int) -> None:
        self._scaler = scaler
        self._salt = salt.encode()
        self._mask = mask
        self._indices: dict[str, int] = {}
        self._numbers: dict[str, tuple[int, float, float]] = {}

    def pairs(self, features: Features) -> Pairs:
        """One (index, value) a feature, in the order given."""
        numbers, indices = self._numbers, self._indices
        pairs: Pairs = []
        for name, value in features.items():
            if type(value) is str:
                word = f"{name}={value}"
                pairs.append((indices[word] if word in indices else self._index(word), 1.0))
                continue
            try:
                index, mean, scale = numbers[name]
            except KeyError:
                index, mean, scale = self._number(name)
            z = (value - mean) * scale  # type: ignore[operator]
            pairs.append((index, z if -LIMIT <= z <= LIMIT else (LIMIT if z > 0 else -LIMIT)))
        return pairs

    def pairs_many(self, contexts: Sequence[Features]) -> Iterable[Pairs]:
        """`pairs` of each, at half the cost where all have the same numbers."""
        columns = self.columns(contexts) if contexts else None
        if columns is None:
            return map(self.pairs, contexts)
        indices, rows = columns
        return [list(zip(indices, row, strict=True)) for row in rows]

    def word(self, word: str) -> tuple[int, float]:
        """The pair of `name=word`."""
        indices = self._indices
        return indices[word] if word in indices else self._index(word), 1.0

    def columns(self, contexts: Sequence[Features]) -> tuple[list[int], list[list[float]]] | None:
        """`pairs` of many contexts at half the cost, where all have the same numbers and no words: indices once, values by row."""
        names = list(contexts[0])
        if len(names) < 2 or any(len(features) != len(names) for features in contexts):
            return None
        pack, get = struct.Struct(f"{len(names)}d").pack, itemgetter(*names)
        try:
            values = np.frombuffer(b"".join([pack(*get(features)) for features in contexts])).reshape(len(contexts), -1)
        except (KeyError, struct.error):
            return None
        indices, means, scales = zip(*(self._numbers.get(name) or self._number(name) for name in names), strict=True)
        return list(indices), np.clip((values - means) * np.array(scales), -LIMIT, LIMIT).tolist()

    def forget_scales(self) -> None:
        self._numbers.clear()

    @property
    def n_remembered(self) -> int:
        """Names and words in memory."""
        return len(self._numbers) + len(self._indices)

    def _number(self, name: str) -> tuple[int, float, float]:
        if len(self._numbers) >= MAX_NAMES:
            self._numbers.clear()
        self._numbers[name] = (self._index(name), *self._scaler.affine(name))
        return self._numbers[name]

    def _index(self, name: str) -> int:
        index = self._indices.get(name)
        if index is None:
            if len(self._indices) >= MAX_NAMES:
                self._indices.clear()
            digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4, key=self._salt).digest()
            index = self._indices[name] = int.from_bytes(digest, "little") & self._mask
        return index


def action_groups(encoder: Encoder, actions: ActionSet, namespaces: Namespaces | None) -> list[Groups]:
    """Features of each action. Its id is one of them: fixed arms have no other, and items that come back are recognised."""
    if namespaces is not None:
        return [_named_groups(encoder, namespaces, action, own) for action, own in _with_features(actions)]
    if actions.features is None:
        return [((A, encoder.pairs({"id": action})),) for action in actions.ids]
    return [((A, _own_pairs(encoder, action, own)),) for action, own in zip(actions.ids, actions.features, strict=True)]


def shared_groups(encoder: Encoder, context: Features, namespaces: Namespaces) -> Shared:
    """A context cut up by namespace."""
    rest, named = namespaces.of_context(context)
    return Shared(encoder.pairs(rest), [], [(letter, encoder.pairs(features)) for letter, features in named])


def _with_features(actions: ActionSet) -> Iterable[tuple[str, Features]]:
    return zip(actions.ids, actions.features or ({},) * len(actions), strict=True)


def _named_groups(encoder: Encoder, namespaces: Namespaces, action: str, own: Features) -> Groups:
    rest, named = namespaces.of_action({"id": action, **own})
    return [(A, encoder.pairs(rest)), *((letter, encoder.pairs(features)) for letter, features in named)]


def _own_pairs(encoder: Encoder, action: str, own: Features) -> Pairs:
    if "id" in own:
        return encoder.pairs({"id": action, **own})
    return [encoder.word(f"id={action}"), *encoder.pairs(own)]


def binned(pairs: Pairs, mask: int, namespace: str) -> str:
    """Features as text in which a number is a word, one for each half of a standard deviation.

    >>> binned([(7, 0.1)], 255, "c") == binned([(7, 0.4)], 255, "c") != binned([(7, 0.6)], 255, "c")
    True
    """
    return f"|{namespace} " + " ".join([str((index + _BIN * floor(2.0 * z)) & mask) for index, z in pairs])


class Lines:
    """Events as JSON lines for Vowpal Wabbit's parser, which adds the namespace's hash to a name that is a number.

    `offsets` are those hashes, by letter; they are subtracted here so that the index comes out as it went in.
    """

    def __init__(self, offsets: Mapping[int, int], mask: int) -> None:
        self._offsets = offsets
        self._mask = mask

    def actions(self, actions: Sequence[Groups]) -> bytes:
        """The end of a line; the same for all events that offer the same actions."""
        return b',"_multi":[' + b",".join(b"{" + b",".join(map(self._space, groups)) + b"}" for groups in actions) + b"]}\n"

    def line(self, shared: Shared, actions: bytes, label: bytes = b"") -> bytes:
        return b"{" + label + b'"s":' + self.shared(shared) + actions

    def shared(self, shared: Shared) -> bytes:
        """The context's part of a line, after `"s":`."""
        rest = b',"x":' + self._object(shared.rest, self._offsets[X]) if shared.rest else b""
        named = b"".join(b"," + self._space(group) for group in shared.named)
        return self._object(shared.crossed, self._offsets[S]) + rest + named

    def plain(self, contexts: tuple[list[int], list[list[float]]]) -> Iterator[bytes] | None:
        """The objects of `Encoder.columns`; None where two names share an index."""
        indices, rows = contexts
        names = [(index - self._offsets[S]) & self._mask for index in indices]
        return (_encode(dict(zip(names, row, strict=True))) for row in rows) if len(set(names)) == len(names) else None

    def _space(self, group: tuple[int, Pairs]) -> bytes:
        letter, pairs = group
        return b'"%c":%b' % (letter, self._object(pairs, self._offsets[letter]))

    def _object(self, pairs: Pairs, offset: int) -> bytes:
        mask = self._mask
        named = {(index - offset) & mask: value for index, value in pairs}
        if len(named) == len(pairs):
            return _encode(named)
        return b"{" + b",".join(b'"%d":%b' % ((index - offset) & mask, _encode(value)) for index, value in pairs) + b"}"


def label(chosen: int, cost: float, probability: float) -> bytes:
    """The beginning of a line that is learned from."""
    return b'"_label_cost":%r,"_label_probability":%r,"_label_Action":%d,"_labelIndex":%d,' % (
        cost,
        probability,
        chosen + 1,
        chosen,
    )
