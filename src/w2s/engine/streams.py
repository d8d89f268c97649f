"""Lines of a text file, plain or compressed with gzip or zstandard, in constant memory."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from pathlib import Path

from w2s.errors import UserError, first_line

CHUNK = 1 << 17  # bytes read at a time
WINDOW_AT_MOST = 1 << 31  # bytes that zstandard may look back: all that `zstd --long=31` can ask for
LINE_AT_MOST = 1 << 22  # bytes; a longer line means that the file is no text
POINTER = b"version https://git-lfs.github.com/spec/"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
COMPRESSIONS = {".gz": "gzip", ".zst": "zstandard"}


def refuse_pointer(path: Path) -> None:
    """UserError for a file that cannot be read, and for what Git leaves in its place without LFS."""
    try:
        with path.open("rb") as file:
            start = file.read(len(POINTER))
    except OSError as error:
        raise UserError(f"{path}: not readable ({error.strerror or error})") from None
    if start == POINTER:
        raise UserError(f"{path}: a Git LFS pointer, not the file itself; get the file with `git lfs pull`")


def lines(path: Path, encoding: str = "utf-8", *, ends: bool = False) -> Iterator[str]:
    """The file's lines, without carriage returns and line feeds. Names in ``.gz`` and ``.zst`` are decompressed.

    ends: keep the characters that end a line. UserError, naming the file, if it is missing, truncated, corrupt or not
    text.
    """
    rest = b""
    begun = False
    for chunk in _chunks(path):
        if not begun:
            chunk = _begin(chunk, path)
            begun = True
        whole, end, rest = (rest + chunk).rpartition(b"\n")
        if end:
            yield from _decoded(whole, path, encoding, "\n" if ends else None)
        if len(rest) > LINE_AT_MOST:
            raise UserError(f"{path}: not a text file with lines: one has more than {LINE_AT_MOST:,} bytes")
    if rest:
        yield from _decoded(rest, path, encoding, "" if ends else None)


def text(path: Path, encoding: str = "utf-8") -> str:
    """The whole file as ``lines`` reads it, however long its lines are."""
    content = _begin(b"".join(_chunks(path)), path)
    return "\n".join(_decoded(content, path, encoding, None))


def _begin(content: bytes, path: Path) -> bytes:
    """The first bytes of a file without a byte order mark. UserError for text of another kind, which is not guessed."""
    if content.startswith(UTF_16):
        raise UserError(f"{path}: UTF-16 (or UTF-32) text; save it as UTF-8")
    if b"\r" in content and b"\n" not in content:
        raise UserError(f"{path}: its lines end in carriage returns alone; save it with line feeds")
    return content.removeprefix(codecs.BOM_UTF8)


def _decoded(block: bytes, path: Path, encoding: str, end: str | None) -> list[str]:
    """Lines of a block. end: what follows each of them; None strips carriage returns too."""
    try:
        if end is None:
            return block.replace(b"\r", b"").decode(encoding).split("\n")
        *first, last = block.decode(encoding).split("\n")
        return [*(line + "\n" for line in first), last + end]
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not readable as {encoding} text ({error})") from None


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            raw = iter(lambda: file.read(CHUNK), b"")
            yield from _decompressed(raw, path) if path.suffix in COMPRESSIONS else raw
    except OSError as error:
        raise UserError(f"{path}: not readable ({error.strerror or error})") from None


def _decompressed(raw: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Frame after frame. zstandard's own readers take the end of a cut-off file for its end, so this looks itself."""
    import zstandard

    kind = COMPRESSIONS[path.suffix]
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_AT_MOST)
    frame = None
    for chunk in raw:
        while chunk:
            if frame is None:
                chunk = chunk.lstrip(b"\0")  # gzip files may be padded
                if not chunk:
                    break
                frame = zlib.decompressobj(wbits=31) if kind == "gzip" else decompressor.decompressobj()
            try:
                content = frame.decompress(chunk)
            except (zlib.error, zstandard.ZstdError) as error:
                raise UserError(f"{path}: corrupt, not readable as {kind} ({first_line(error)})") from None
            if content:
                yield content
            chunk = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame = None
    if frame is not None:
        raise UserError(f"{path}: truncated: its {kind} data end early; download or copy it again")
