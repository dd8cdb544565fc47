"""Lines of a ledger: JSON objects that begin with the checksum of the rest of the line."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

START = b'{"crc": "'
"""Every line begins so; eight hexadecimal digits follow."""


def line_of(record: Mapping[str, Any]) -> bytes:
    """A record as a line, without its end."""
    return _with_checksum(json.dumps(record).encode())


def record_of(line: bytes) -> dict[str, Any]:
    """The record in a line.

    Raises:
        ValueError: If the line is damaged.
    """
    body = b"{" + line[len(START) + 11 :]
    if line != _with_checksum(body):
        raise ValueError("the checksum of this line is wrong")
    record: dict[str, Any] = json.loads(body)
    return record


def may_begin_a_line(rest: bytes) -> bool:
    """Whether these bytes at the end of a file can be what is left of a line that was cut off."""
    return rest[: len(START)] == START[: len(rest)]


def packed(bits: NDArray) -> dict[str, Any]:
    """Bits [..., q] uint8 as JSON, eight in a byte."""
    return {"shape": bits.shape, "bits": base64.b64encode(np.packbits(bits).tobytes()).decode()}


def unpacked(record: Mapping[str, Any]) -> NDArray:
    """The bits of a record."""
    count = int(np.prod(record["shape"]))
    values = np.frombuffer(base64.b64decode(record["bits"]), dtype=np.uint8)
    return np.unpackbits(values, count=count).reshape(record["shape"])


def _with_checksum(body: bytes) -> bytes:
    return START + f'{zlib.crc32(body):08x}", '.encode() + body[1:]
