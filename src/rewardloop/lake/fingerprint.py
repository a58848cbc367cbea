"""Mixing: 64-bit hashes of event keys, and the fingerprint of a set of labels, which no order and no slicing changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rewardloop.interactions import Floats, Ints

Words = npt.NDArray[np.uint64]
Sums = tuple[int, int]

_MASK = (1 << 64) - 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LANE = np.uint64(0xD6E8FEB86659FD93)


def mix(x: Words) -> Words:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014, figure 16): a bijection of 64 bits in which every bit matters."""
    x = (x ^ (x >> np.uint64(30))) * _FIRST
    x ^= x >> np.uint64(27)
    x *= _SECOND
    x ^= x >> np.uint64(31)
    return x


def hash_keys(hi: Words, lo: Words) -> Words:
    """(n,) one word for each 128-bit key."""
    return mix(hi * _GOLDEN + mix(lo))


def label_sums(hi: Words, lo: Words, reward: Floats, closed_at: Ints) -> Sums:
    """Σ h₁(row), Σ h₂(row) mod 2⁶⁴ over rows (event key, bits of the reward, closed_at).

    A sum, so rows may come in any order and sums of parts add up. −0.0 counts as 0.0.

    >>> one, two = np.array([1], np.uint64), np.array([2], np.uint64)
    >>> a = label_sums(one, two, np.array([0.5]), np.array([7]))
    >>> b = label_sums(two, one, np.array([0.5]), np.array([7]))
    >>> both = label_sums(np.append(two, one), np.append(one, two), np.array([0.5, 0.5]), np.array([7, 7]))
    >>> add(a, b) == both != add(a, a)
    True
    """
    label = mix((reward + 0.0).view(np.uint64) + closed_at.view(np.uint64) * _GOLDEN)
    row = hash_keys(hi, lo) + label * _LANE
    first = mix(row)
    second = mix((row ^ _LANE) + (hi ^ label))
    return int(first.sum(dtype=np.uint64)), int(second.sum(dtype=np.uint64))


def add(*sums: Sums) -> Sums:
    return sum(a for a, _ in sums) & _MASK, sum(b for _, b in sums) & _MASK


def as_hex(sums: Sums) -> str:
    """
    >>> as_hex((1, 255))
    '000000000000000100000000000000ff'
    """
    return f"{sums[0]:016x}{sums[1]:016x}"
