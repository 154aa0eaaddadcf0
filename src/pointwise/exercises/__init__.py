"""Exercises that draw their own numbers and judge answers; needs NumPy alone.

A notebook calls `begin`. A chapter's exercises are a module here, in the pattern of `channels`.
"""

from pointwise.exercises.core import (
    SLUGS,
    Chapter,
    Exercise,
    Function,
    Text,
    Value,
    Verdict,
    chapter,
    chapters,
)
from pointwise.exercises.plain import Foreign, plain, unplain
from pointwise.exercises.seeds import (
    Dice,
    derive_seed,
    fingerprint,
    pack,
    read_secret,
    unpack,
)
from pointwise.exercises.sheet import Sheet, begin


def slugs():
    """Return the slugs of the chapters that have exercises, in reading order."""
    return list(SLUGS)


__all__ = [
    "Chapter",
    "Dice",
    "Exercise",
    "Foreign",
    "Function",
    "Sheet",
    "Text",
    "Value",
    "Verdict",
    "begin",
    "chapter",
    "chapters",
    "derive_seed",
    "fingerprint",
    "pack",
    "plain",
    "read_secret",
    "slugs",
    "unpack",
    "unplain",
]
