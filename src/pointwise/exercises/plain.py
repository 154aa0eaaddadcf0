"""Answers as plain data: what leaves a learner's process, and what is judged.

`plain` reads numbers, text, lists, sets of whole numbers and arrays of exactly the built-in and
NumPy types, and writes them down as JSON with their type and dtype. It calls no method of any other
object: an object whose `==` is always true, or whose `__float__` lies, is recorded by the name of
its class, no more.
"""

import math

import numpy as np

MAX_NUMBERS = 100_000  # entries of an array; what is larger keeps its shape and loses its data
MAX_ITEMS = 2_000  # items of a list, nested ones included
MAX_DEPTH = 8
MAX_TEXT = 10_000  # characters of a string
MAX_DIGITS = 300  # of an integer

# Compared by identity below: a metaclass may claim to equal any of them.
NUMPY_SCALARS = tuple(
    np.dtype(code).type for code in ("?", *np.typecodes["AllInteger"], *np.typecodes["Float"])
)


class Foreign:
    """An object of a type that is no answer: only the name of its class is known."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<object of class {self.name}>"


class TooLarge:
    """An array or a list too large to be an answer."""

    def __init__(self, shape):
        self.shape = tuple(shape)

    def __repr__(self):
        return f"<array of shape {self.shape}, too large>"


def plain(value):
    """Write a value down as JSON-able data that keeps its type.

    Parameters
    ----------
    value : object
        Anything at all.

    Returns
    -------
    dict
        `{"type": …}` with `data`, and for arrays `dtype` and `shape`. A type other than bool, int,
        float, str, list, tuple, None, Ellipsis, NumPy scalar or array, or a set of whole numbers
        gives `{"type": "object", "class": …}`; so does a subclass of one of them.

    Examples
    --------
    >>> plain((3, 2.5))["data"][0]
    {'type': 'int', 'data': 3}
    """
    return _plain(value, MAX_DEPTH, [MAX_ITEMS])


def _plain(value, depth, left):
    kind = type(value)
    left[0] -= 1
    if value is None:
        return {"type": "NoneType"}
    if value is Ellipsis:
        return {"type": "ellipsis"}
    if kind is bool:
        return {"type": "bool", "data": value}
    if kind is int:
        if value.bit_length() > 3 * MAX_DIGITS:
            return _foreign("int of too many digits")
        return {"type": "int", "data": value}
    if kind is float:
        return {"type": "float", "data": _real(value)}
    if kind is str:
        # A lone surrogate cannot be stored: it becomes a question mark.
        return {"type": "str", "data": value[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")}
    if kind is list or kind is tuple:
        if depth == 0 or len(value) > left[0]:
            return {"type": "too large", "shape": [len(value)]}
        return {"type": kind.__name__, "data": [_plain(item, depth - 1, left) for item in value]}
    if (kind is set or kind is frozenset) and len(value) <= left[0]:
        items = [_plain(item, 0, [1]) for item in value]
        if all(type(item.get("data")) is int for item in items):  # no text, no other objects
            return {"type": "set", "data": sorted(item["data"] for item in items)}
    if kind is np.ndarray:
        return _array(value)
    if any(kind is scalar for scalar in NUMPY_SCALARS) and value.dtype.itemsize <= 8:
        return {"type": "numpy", "dtype": value.dtype.name, "data": _real(value.item())}
    return _foreign(kind)


def _array(array):
    shape, dtype = list(array.shape), array.dtype
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        return {"type": "ndarray", "dtype": str(dtype)[:60], "shape": shape, "data": None}
    if array.size > MAX_NUMBERS:
        return {"type": "too large", "shape": shape}
    data = array.ravel().tolist()
    if dtype.kind == "f":
        data = [_real(number) for number in data]
    return {"type": "ndarray", "dtype": dtype.name, "shape": shape, "data": data}


def _real(number):
    """JSON has no NaN and no infinity: they travel as text."""
    if type(number) is float and not math.isfinite(number):
        return repr(number)
    return number


def _foreign(kind):
    if type(kind) is str:  # isinstance would ask a metaclass
        return {"type": "object", "class": kind}
    # type.__dict__ rather than the attribute: a metaclass may answer with anything.
    name = type.__dict__["__name__"].__get__(kind)
    module = type.__dict__["__module__"].__get__(kind)
    name = f"{module}.{name}" if type(module) is str and module != "__main__" else name
    return {"type": "object", "class": str(name)[:100]}


def unplain(data):
    """Turn what `plain` wrote back into a value.

    Parameters
    ----------
    data : dict
        May come from anywhere: every part is checked.

    Returns
    -------
    object
        The value; `Foreign` or `TooLarge` where the value was not kept.

    Raises
    ------
    ValueError
        It is not something that `plain` writes.

    Examples
    --------
    >>> unplain(plain([1, None]))
    [1, None]
    """
    try:
        return _unplain(data, MAX_DEPTH + 1)
    except (KeyError, TypeError, AttributeError, OverflowError, ValueError) as error:
        raise ValueError(f"not the record of an answer: {str(data)[:100]}") from error


def _unplain(data, depth):
    if depth == 0:
        raise ValueError
    kind = data["type"]
    if kind == "NoneType":
        return None
    if kind == "ellipsis":
        return Ellipsis
    if kind in ("list", "tuple"):
        items = [_unplain(item, depth - 1) for item in _exactly(list, data["data"])]
        return items if kind == "list" else tuple(items)
    if kind == "set":
        return frozenset(_exactly(int, item) for item in _exactly(list, data["data"]))
    if kind == "too large":
        return TooLarge(_shape(data))
    if kind == "object":
        return Foreign(_exactly(str, data["class"])[:100])
    if kind == "bool":
        return _exactly(bool, data["data"])
    if kind == "int":
        return _exactly(int, data["data"])
    if kind == "float":
        return float(_number(data["data"]))
    if kind == "str":
        return _exactly(str, data["data"])
    if kind == "numpy":
        return _dtype(data).type(_number(data["data"]))
    if kind == "ndarray":
        shape = _shape(data)
        if data["data"] is None:
            return Foreign(f"numpy.ndarray of dtype {_exactly(str, data['dtype'])[:60]}")
        if len(_exactly(list, data["data"])) > MAX_NUMBERS:
            raise ValueError
        numbers = [_number(number) for number in data["data"]]
        return np.array(numbers, dtype=_dtype(data)).reshape(shape)
    raise ValueError


def readable(value):
    """Write a value that `unplain` gave in one line, NumPy's types left out.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        Real numbers with at most six digits.

    Examples
    --------
    >>> readable((np.int64(3), 2 / 3, "ReLU", np.array([[1, 2]])))
    "(3, 0.666667, 'ReLU', [[1, 2]])"
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        items = [readable(item) for item in value]
        if isinstance(value, list):
            return f"[{', '.join(items)}]"
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(value, frozenset):
        return "{" + ", ".join(map(str, sorted(value))) + "}" if value else "set()"
    if isinstance(value, np.generic):
        value = value.item()
    return f"{value + 0.0:.6g}" if isinstance(value, float) else repr(value)


def _exactly(kind, value):
    if type(value) is not kind:
        raise ValueError
    return value


def _number(value):
    if type(value) is str and value in ("nan", "inf", "-inf"):
        return float(value)
    if type(value) not in (bool, int, float):
        raise ValueError
    return value


def _shape(data):
    shape = tuple(_exactly(int, n) for n in _exactly(list, data["shape"]))
    if len(shape) > 32 or min(shape, default=0) < 0:
        raise ValueError
    return shape


def _dtype(data):
    dtype = np.dtype(_exactly(str, data["dtype"]))
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise ValueError
    return dtype
