"""From a class's secret to the numbers of one exercise, the same on every machine and for ever.

    secret ─ HMAC-SHA256 of "assignment/cohort[/student]" ─> seed ─ SHA-256 ─> throws of a `Dice`

The throws come from SHA-256 alone. NumPy and the standard library reserve the right to change their
streams from one version to the next, and a term is longer than that.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import zlib
from pathlib import Path

import numpy as np

MIN_SECRET = 16  # bytes
NAME = re.compile(r"[A-Za-z0-9][\w.@+-]{0,79}")
MAX_PACKED = 200_000  # characters of a packed variant, and bytes of what it unpacks to


class Dice:
    """Throws that depend on the seed alone.

    Parameters
    ----------
    *seed : bytes or str
        The same parts give the same throws.

    Examples
    --------
    >>> Dice("practice").integer(1, 6) == Dice("practice").integer(1, 6)
    True
    """

    def __init__(self, *seed):
        state = hashlib.sha256()
        for part in seed:
            part = part.encode() if isinstance(part, str) else part
            state.update(len(part).to_bytes(8, "big") + part)
        self._key, self._count = state.digest(), 0

    def integer(self, low, high):
        """Throw an int from `low` to `high`, both included, each equally likely."""
        if high < low:
            raise ValueError(f"no integer from {low} to {high}")
        span = high - low + 1
        limit = 2**64 - 2**64 % span  # throws beyond it would favour small numbers
        while True:
            self._count += 1
            block = hashlib.sha256(self._key + self._count.to_bytes(8, "big")).digest()
            number = int.from_bytes(block[:8], "big")
            if number < limit:
                return low + number % span

    def choice(self, items):
        """Throw one of the items."""
        items = list(items)
        return items[self.integer(0, len(items) - 1)]

    def sample(self, items, count):
        """Throw `count` different ones of the items, in random order."""
        items = list(items)
        return [items.pop(self.integer(0, len(items) - 1)) for _ in range(count)]

    def coin(self):
        """Throw True or False."""
        return self.integer(0, 1) == 1

    def integers(self, low, high, *shape):
        """Throw nested lists of ints from `low` to `high`: `integers(0, 9, 2, 3)` is 2 × 3."""
        if not shape:
            return self.integer(low, high)
        return [self.integers(low, high, *shape[1:]) for _ in range(shape[0])]

    def nonzero(self, largest, *shape):
        """Throw nested lists of ints from `-largest` to `largest`, none of them 0."""
        if not shape:
            return self.choice([-1, 1]) * self.integer(1, largest)
        return [self.nonzero(largest, *shape[1:]) for _ in range(shape[0])]

    def array(self, low, high, *shape):
        """Throw an int64 array of ints from `low` to `high`."""
        return np.array(self.integers(low, high, *shape), dtype=np.int64).reshape(shape)


def read_secret(environ=os.environ):
    """Read the class's secret from the file that SECRET_FILE names, or from ASSIGNMENT_SECRET.

    Returns
    -------
    bytes
        Without white space at either end.

    Raises
    ------
    ValueError
        There is none, it is too short or too simple, or the file cannot be read.
    """
    file, value = environ.get("SECRET_FILE"), environ.get("ASSIGNMENT_SECRET")
    make = "A good one: python3 -c 'import secrets; print(secrets.token_hex(24))' > FILE"
    if file:
        try:
            secret = Path(file).expanduser().read_bytes().strip()
        except OSError as error:
            raise ValueError(f"SECRET_FILE={file} cannot be read: {error.strerror}") from error
    elif value:
        secret = value.strip().encode()
    else:
        raise ValueError(
            "An assignment needs the class's secret: SECRET_FILE=path in the call, or "
            f"ASSIGNMENT_SECRET in the environment. {make}"
        )
    if len(secret) < MIN_SECRET:
        raise ValueError(f"The secret has {len(secret)} bytes; at least {MIN_SECRET}. {make}")
    if len(set(secret)) < 6:
        raise ValueError(f"The secret has only {len(set(secret))} different characters. {make}")
    return secret


def derive_seed(secret, assignment, cohort, student=None):
    """Derive the seed of a class's assignment, or of one student's.

    Parameters
    ----------
    secret : bytes
    assignment, cohort : str
        Letters, digits and `_ . @ + -`, beginning with a letter or a digit.
    student : str, optional

    Returns
    -------
    bytes
        HMAC-SHA256 of "assignment/cohort" or "assignment/cohort/student".

    Raises
    ------
    ValueError
        A name holds other characters, or the secret is too short.
    """
    names = [assignment, cohort] + ([] if student is None else [student])
    for name in names:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(
                f"{name!r}: a name has 1 to 80 letters, digits and _ . @ + - and begins with a "
                "letter or a digit"
            )
    if len(secret) < MIN_SECRET:
        raise ValueError(f"the secret has {len(secret)} bytes; at least {MIN_SECRET}")
    return hmac.new(secret, "/".join(names).encode(), hashlib.sha256).digest()


def to_json(variant):
    return json.dumps(variant, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def fingerprint(variant):
    """Name a variant by 8 hexadecimal digits; they say which numbers it has, and no answer."""
    return hashlib.sha256(to_json(variant).encode()).hexdigest()[:8]


def pack(variant):
    """Write a variant as one word of text, for the first cell of a notebook."""
    return base64.urlsafe_b64encode(zlib.compress(to_json(variant).encode(), 9)).decode()


def unpack(text):
    """Read what `pack` wrote; ValueError where it is something else."""
    try:
        if len(text) > MAX_PACKED:
            raise ValueError
        inflate = zlib.decompressobj()
        data = inflate.decompress(base64.urlsafe_b64decode(text.encode()), MAX_PACKED)
        variant = json.loads(data)
        if inflate.unconsumed_tail or not isinstance(variant, dict):
            raise ValueError
    except (ValueError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise ValueError("the text after variant= is damaged: take a fresh copy") from error
    return variant
