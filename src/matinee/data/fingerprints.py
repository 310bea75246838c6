"""Fingerprints of ratings, independent of row order, codes, file format and machine."""

from __future__ import annotations

import hashlib

import numpy as np

from ..base import splitmix
from ..base.arrays import UInt64
from .ratings import Ratings
from .values.ids import canonical_array, whole_number
from .vocabulary import Ids

_CHUNK = 1 << 20


def fingerprint(ratings: Ratings) -> str:
    """16 bytes in hex that name a set of (user, item, rating) by its content, in any order.

    Sum and exclusive or of a 64-bit hash per rating: equal data has an equal fingerprint
    for any row order, file format and machine. It does not protect against forgery.
    """
    users, items = hash_ids(ratings.user_ids.ids), hash_ids(ratings.item_ids.ids)
    total, folded = np.uint64(0), np.uint64(0)
    with np.errstate(over="ignore"):
        for start in range(0, len(ratings), _CHUNK):
            part = slice(start, start + _CHUNK)
            values = (ratings.values[part] + np.float32(0)).view(np.uint32)  # -0 is 0
            pairs = hash_pairs(users[ratings.users[part]], items[ratings.items[part]])
            hashes = mix(pairs ^ mix(values.astype(np.uint64)))
            total += hashes.sum(dtype=np.uint64)
            folded ^= np.bitwise_xor.reduce(hashes)
    return f"{int(total):016x}{int(folded):016x}"


def hash_ids(ids: Ids) -> UInt64:
    """64-bit hashes of external ids, uint64, shape (n,).

    Ids that are the same by the rule of ``data.values.ids`` hash alike, whether numbers or text.
    """
    if ids.dtype != object:
        return mix(ids.astype(np.int64).view(np.uint64))
    hashes = np.empty(len(ids), dtype=np.uint64)
    whole = np.zeros(len(ids), dtype=bool)
    for at, name in enumerate(canonical_array(ids)):
        number = whole_number(name)
        if number is None:
            digest = hashlib.blake2b((name or "").encode("utf-8", "surrogatepass"), digest_size=8)
            hashes[at] = int.from_bytes(digest.digest(), "little")
        else:
            hashes[at] = number % 2**64
            whole[at] = True
    hashes[whole] = mix(hashes[whole])
    return hashes


def hash_pairs(users: UInt64, items: UInt64) -> UInt64:
    """Combine hashes of ids to 64-bit hashes of (user, item) pairs, uint64, shape (n,)."""
    return mix(users * np.uint64(0xD1342543DE82EF95) + items)


def mix(x: UInt64) -> UInt64:
    """Return the next hash of splitmix64 after each number, element by element."""
    return splitmix.mix(x + splitmix.GOLDEN)
