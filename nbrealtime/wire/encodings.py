"""Payloads as JSON: Python values, numpy arrays and bytes to text, and back.

JSON has neither arrays of numbers, nor bytes, nor NaN. A numpy array becomes
plain lists whose non-finite numbers are ``null``: in a measurement they are
gaps. Bytes become ``{"$bytes": base64}``. A NaN anywhere else is refused,
because it would arrive as ``null`` and nobody would have said so.

The one rule: what cannot arrive as it was sent is refused here, at ``publish``,
where its author still stands.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np

__all__ = ["decode_data", "encode_data"]

_BYTES: Final = "$bytes"


def _jsonable(value: object) -> object:
    if isinstance(value, np.ndarray):
        return _lists(value)
    if isinstance(value, np.generic):
        return _scalar(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _wrapped(value)
    raise TypeError(
        f"a {type(value).__module__}.{type(value).__qualname__} cannot be published: "
        "send JSON values, bytes or numpy arrays of numbers"
    )


def _lists(block: np.ndarray[Any, Any]) -> object:
    if block.dtype.kind == "f":
        finite = np.isfinite(block)
        if not finite.all():
            holed = block.astype(object)
            holed[~finite] = None
            return holed.tolist()
        return block.tolist()
    if block.dtype.kind in "biu":
        return block.tolist()
    raise TypeError(f"a numpy array of {block.dtype} cannot be published: only booleans, integers and floats")


def _scalar(value: np.generic) -> object:
    if value.dtype.kind not in "biufU":
        raise TypeError(f"a numpy {value.dtype} cannot be published: only booleans, numbers and text")
    plain: object = value.item()
    if isinstance(plain, float) and not math.isfinite(plain):
        raise ValueError(_NOT_FINITE)
    return plain


def _wrapped(value: bytes | bytearray | memoryview) -> dict[str, str]:
    return {_BYTES: base64.b64encode(value).decode("ascii")}


_NOT_FINITE: Final = (
    "NaN and infinities cannot be published, since JSON has none: send None for a gap, or a numpy array, "
    "whose NaN become gaps"
)
_PLAIN: Final = frozenset((float, int, str, bool, type(None)))
_encoder: Final = msgspec.json.Encoder(enc_hook=_jsonable)
_decoder: Final = msgspec.json.Decoder()


def encode_data(value: object) -> bytes:
    """Returns a payload as JSON, in UTF-8.

    Raises:
        TypeError: something in it has no form in JSON; the message names its type.
        ValueError: it has a NaN or an infinity outside a numpy array.
    """
    if type(value) is float:
        if not -math.inf < value < math.inf:
            raise ValueError(_NOT_FINITE)
        return _encoder.encode(value)
    if type(value) in _PLAIN:
        return _encoder.encode(value)
    # msgspec would write bytes as bare base64, which nobody could tell from text.
    encoded = _encoder.encode(_with_bytes_wrapped(value) if _has_bytes(value) else value)
    # msgspec writes a NaN as null. To look for one in every payload costs more than to encode it, so
    # look only where a null was written.
    if b"null" in encoded and any(not math.isfinite(number) for number in _floats(value)):
        raise ValueError(_NOT_FINITE)
    return encoded


def decode_data(raw: bytes | bytearray | memoryview | str) -> Any:
    """Returns the payload that ``raw`` holds; ``{"$bytes": …}`` becomes bytes again.

    Raises:
        ValueError: it is no JSON.
    """
    return restore_bytes(_decoder.decode(raw))


def restore_bytes(value: Any) -> Any:
    """Returns ``value`` with each ``{"$bytes": …}`` in it as the bytes that were sent."""
    if type(value) is dict:
        if len(value) == 1 and type(text := value.get(_BYTES)) is str:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                return value  # somebody's own object that happens to look like ours
        return {key: restore_bytes(item) for key, item in value.items()}
    if type(value) is list:
        return [restore_bytes(item) for item in value]
    return value


def _has_bytes(value: object) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return isinstance(value, (bytes, bytearray, memoryview))
    # Samples are decided by the set of their types, at C speed, not one by one.
    return not _PLAIN.issuperset(map(type, value)) and any(map(_has_bytes, value))


def _with_bytes_wrapped(value: object) -> object:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _wrapped(value)
    if isinstance(value, dict):
        return {key: _with_bytes_wrapped(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_bytes_wrapped(item) for item in value]
    return value


def _floats(value: object) -> Iterator[float]:
    """Every float of a payload outside its numpy arrays, whose gaps are meant."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _floats(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from _floats(item)
