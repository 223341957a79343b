"""What the scans of a JPEG file code, and whether they code all of the picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_COEFFICIENTS = 64


@dataclass(frozen=True)
class Scan:
    """One scan of a rebuilt stream.

    Attributes:
        components: identifiers of the components it codes.
        first: zigzag index of the first coefficient coded, 0..63.
        last: of the last one.
        low_bit: lowest bit coded of them; 0 where nothing is left for a later scan.
        start: offset of its SOS marker in the stream.
        stop: offset of the first byte after its data.
    """

    components: tuple[int, ...]
    first: int
    last: int
    low_bit: int
    start: int
    stop: int


def scan_of(header: bytes, start: int, stop: int) -> Scan:
    """Read a scan's header.

    Args:
        header: payload of the SOS segment; what a damaged one lacks is taken as in a sequential file.
        start: offset of the SOS marker in the stream.
        stop: offset of the first byte after the scan's data.

    Returns:
        The scan.
    """
    count = header[0] if header else 0
    spectrum = header[1 + 2 * count : 4 + 2 * count]
    first, last, bits = spectrum if len(spectrum) == 3 else (0, _COEFFICIENTS - 1, 0)
    return Scan(tuple(header[1 : 1 + 2 * count : 2]), first, last, bits & 15, start, stop)


def code_everything(scans: Sequence[Scan], components: Collection[int], progressive: bool) -> bool:
    """Whether the scans together code every component, of a progressive file every bit of every coefficient.

    Args:
        scans: of one file, in order.
        components: identifiers of the frame's components.
        progressive: the coding process; in the others a scan codes its components wholly.

    Returns:
        True where no further scan is needed.
    """
    if not progressive:
        return set(components) <= {identifier for scan in scans for identifier in scan.components}
    done = {
        (identifier, index)
        for scan in scans
        if not scan.low_bit
        for identifier in scan.components
        for index in range(scan.first, scan.last + 1)
    }
    return all((identifier, index) in done for identifier in components for index in range(_COEFFICIENTS))
