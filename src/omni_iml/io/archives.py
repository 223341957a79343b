"""The pictures of ZIP archives and of the documents that are ZIP archives inside: OOXML, ODF, EPUB.

Members are inflated into memory, piece by piece and counted: what the archive says of their sizes is not believed.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any, cast

from omni_iml.io.containers import CONTAINER_HEAD_BYTES, sniff_container
from omni_iml.io.members import Member, Meter, Refused, has_known_suffix
from omni_iml.io.names import UniqueNames, member_name
from omni_iml.io.properties import MAX_XML_BYTES, read_properties
from omni_iml.io.sniff import sniff
from omni_iml.types import UnreadableImage

MAX_DIRECTORY_BYTES = 4 * 2**20
"""An archive whose directory is longer is refused: it would become two hundred times as much in memory."""

MAX_RATIO, RATIO_FREE_BYTES = 200, 16 * 2**20
"""A member that has inflated to so many times its packed size is a bomb, if it is also longer than this."""

_PIECE = 2**20
_ENCRYPTED = 1
_THUMBNAILS = ("docprops/thumbnail.", "thumbnails/")
_DOCUMENTS = {"word/": "docx", "xl/": "xlsx", "ppt/": "pptx"}
_ODF = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.presentation": "odp",
    b"application/vnd.oasis.opendocument.graphics": "odg",
    b"application/epub+zip": "epub",
}
_AGAIN = "fetch or copy the file again"
_UNPACK = "unpack it yourself, if you trust it, and give the folder"


def read_archive(stream: IO[bytes], *, source: str, room: int, meter: Meter) -> Iterator[Member | Refused]:
    """The pictures and containers in an archive, in its own order.

    Those are the members whose content begins like a picture, a PDF document or a ZIP archive, and those whose name
    says so. Hidden members are left out, as are the thumbnails that office programs keep of a document's first page.

    Args:
        stream: the archive, seekable; left open.
        source: how to name the archive in errors.
        room: bytes that a member may have.
        meter: counts for the whole source.

    Yields:
        The members, or why one is not read.

    Raises:
        UnreadableImage: the archive is damaged, a bomb, or has more members than are read.
    """
    try:
        with zipfile.ZipFile(cast(IO[bytes], _Careful(stream))) as archive:
            # ZipInfo.is_dir would stumble over an empty name.
            infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
            meter.count_members(len(infos), source)
            _check_overlap(infos, source)
            facts = _facts(archive, infos, source, meter)
            plain_zip = facts["kind"] == "zip"
            unique = UniqueNames()
            for info in infos:
                name = member_name(info.filename)
                if _is_left_out(name, plain_zip):
                    continue
                member = _member(archive, info, name, source, room, meter, facts)
                if member is not None:
                    name = unique.take(name)  # only now: what is no picture takes no name
                if isinstance(member, bytes):
                    yield Member(name, member, facts)
                elif member is not None:
                    yield Refused(name, member.cause, member.way_out)
                del member  # or it is still held when the next one is read
    except _TooLong as error:
        raise UnreadableImage(source, "its directory is longer than any real archive's", _UNPACK) from error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise UnreadableImage(source, "the archive is damaged or cut short", _AGAIN) from error


class _TooLong(Exception):  # noqa: N818 - becomes an UnreadableImage
    """A single read asked for more than any honest archive needs."""


class _Careful:
    """The archive's file, for zipfile: it reads a directory in one go, however long it claims to be."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise _TooLong
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


def _check_overlap(infos: Sequence[zipfile.ZipInfo], source: str) -> None:
    """Refuse an archive whose members share bytes: so one packed run of zeros becomes thousands of files."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise UnreadableImage(source, "its files overlap one another, as in a bomb", _UNPACK)
        end = info.header_offset + 30 + info.compress_size


def _is_left_out(name: str, plain_zip: bool) -> bool:
    if any(part.startswith(".") or part == "__MACOSX" for part in name.split("/")):
        return True
    return not plain_zip and name.lower().startswith(_THUMBNAILS)


def _member(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    name: str,
    source: str,
    room: int,
    meter: Meter,
    facts: dict[str, Any],
) -> bytes | Refused | None:
    """Content of a member; None if it is neither a picture nor a container."""
    known = has_known_suffix(name)
    if info.flag_bits & _ENCRYPTED:
        return Refused(name, "it is encrypted", "unpack the archive with its password") if known else None
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        way_out = "pack it again as an ordinary ZIP file"
        return Refused(name, "it is packed by a method that is not read", way_out) if known else None
    try:
        with archive.open(info) as member:
            head = member.read(CONTAINER_HEAD_BYTES)
            if not known and sniff(head) is None and sniff_container(head) not in ("pdf", "zip"):
                return None
            return _inflate(member, head, info, name, source, room, meter)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        return Refused(name, "it is damaged in the archive", _AGAIN) if known else None


def _inflate(
    member: IO[bytes], head: bytes, info: zipfile.ZipInfo, name: str, source: str, room: int, meter: Meter
) -> bytes | Refused:
    content, piece = io.BytesIO(), head  # a list of pieces would be held twice when it is joined
    while piece:
        size = content.tell() + len(piece)
        meter.count_bytes(len(piece), source)
        if size > room:
            return Refused(name, f"it has more than {room} bytes", "unpack it and give it on its own")
        if size > RATIO_FREE_BYTES and size > MAX_RATIO * info.compress_size:
            return Refused(name, f"it inflates to more than {MAX_RATIO} times its size", _UNPACK)
        content.write(piece)
        piece = member.read(_PIECE)
    return content.getvalue()


def _facts(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], source: str, meter: Meter) -> dict[str, Any]:
    """What kind of document it is, and its properties."""
    by_name = {info.filename: info for info in infos}
    facts: dict[str, Any] = {"kind": "zip", "members": len(infos)}
    if "[Content_Types].xml" in by_name:
        facts["kind"] = next((kind for folder, kind in _DOCUMENTS.items() if _any_in(by_name, folder)), "zip")
        for file in ("docProps/core.xml", "docProps/app.xml"):
            facts |= read_properties(_small(archive, by_name, file))
    elif (kind := _ODF.get(_small(archive, by_name, "mimetype")[:100].strip())) is not None:
        facts["kind"] = kind
        facts |= read_properties(_small(archive, by_name, "meta.xml"))
        if b"encryption-data" in _small(archive, by_name, "META-INF/manifest.xml"):
            raise UnreadableImage(
                source, "it is encrypted", "open it in an office program and save it without password"
            )
    return facts


def _any_in(names: dict[str, zipfile.ZipInfo], folder: str) -> bool:
    return any(name.startswith(folder) for name in names)


def _small(archive: zipfile.ZipFile, by_name: dict[str, zipfile.ZipInfo], name: str) -> bytes:
    """Content of a small member; nothing where it is missing, long or damaged."""
    info = by_name.get(name)
    if info is None or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return b""
    try:
        with archive.open(info) as member:
            data = member.read(MAX_XML_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        return b""
    return data if len(data) <= MAX_XML_BYTES else b""
