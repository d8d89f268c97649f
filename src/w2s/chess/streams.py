"""Lines of a text file, plain or compressed with zstandard, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import zstandard

from w2s.errors import UserError, first_line

CHUNK = 1 << 17  # bytes read at a time
LINE_AT_MOST = 1 << 22  # bytes; a longer line means that the file is no text


def lines(path: Path, encoding: str = "utf-8") -> Iterator[str]:
    """The file's lines without their ends. A name that ends in ``.zst`` is decompressed.

    UserError, naming the file, where it is missing, truncated, corrupt or not text.
    """
    rest = b""
    begun = False
    for chunk in _chunks(path):
        if not begun:
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")  # a byte order mark is no part of the first line
            begun = True
        whole, end, rest = (rest + chunk).rpartition(b"\n")
        if end:
            yield from _decoded(whole, path, encoding)
        if len(rest) > LINE_AT_MOST:
            raise UserError(f"{path}: a line of more than {LINE_AT_MOST:,} bytes, so it is not a file of lines of text")
    if rest:
        yield from _decoded(rest, path, encoding)


def _decoded(block: bytes, path: Path, encoding: str) -> list[str]:
    try:
        return block.replace(b"\r", b"").decode(encoding).split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not readable as {encoding} text ({error})") from None


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            raw = iter(lambda: file.read(CHUNK), b"")
            yield from _decompressed(raw, path) if path.suffix == ".zst" else raw
    except OSError as error:
        raise UserError(f"{path}: not readable ({error.strerror or error})") from None


def _decompressed(raw: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Frame after frame. zstandard's own readers take the end of a cut-off file for its end, so this looks itself."""
    context = zstandard.ZstdDecompressor()
    frame = None
    for chunk in raw:
        while chunk:
            frame = frame or context.decompressobj()
            try:
                content = frame.decompress(chunk)
            except zstandard.ZstdError as error:
                raise UserError(f"{path}: corrupt, not readable as zstandard ({first_line(error)})") from None
            if content:
                yield content
            chunk = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame = None
    if frame is not None:
        raise UserError(f"{path}: truncated, its zstandard data stop in the middle; download or copy it again")
