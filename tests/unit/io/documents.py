"""Small real documents for tests: PDF files written byte by byte, office files, mails."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.policy import SMTP

from PIL import Image

PAD = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def stream(dictionary: str, data: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (dictionary.encode(), len(data), data)


def image(data: bytes, filters: str = "/DCTDecode", size: tuple[int, int] | None = None) -> bytes:
    """An image object around a JPEG file's bytes, or around ``data`` that ``filters`` turn into them."""
    width, height = size or Image.open(io.BytesIO(data)).size
    return stream(
        f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceRGB/BitsPerComponent 8"
        f"/Filter[{filters}]",
        data,
    )


def page(contents: bytes, *, objects: Sequence[int] = (), box: str = "0 0 400 300", extra: str = "") -> list[bytes]:
    """Page and content stream; ``objects`` are the numbers of what it names /X0, /X1, ..."""
    names = "".join(f"/X{index} {number} 0 R" for index, number in enumerate(objects))
    font = "/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    head = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Resources<</XObject<<{names}>>{font}>>{extra}/Contents NEXT 0 R>>"
    )
    return [head.encode(), stream("", contents)]


def pdf(
    pages: Sequence[Sequence[bytes]],
    objects: Sequence[bytes] = (),
    *,
    info: str = "",
    password: str | None = None,
) -> bytes:
    """A PDF file. Objects 1 and 2 are catalogue and page tree, ``objects`` follow from 3, then the pages.

    With a password the file is encrypted with RC4 (PDF 1.7, 7.6.3, revision 2: 40 bits).
    """
    first = 3 + len(objects)
    kids = " ".join(f"{first + 2 * index} 0 R" for index in range(len(pages)))
    bodies = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode(), *objects]
    for index, (head, contents) in enumerate(pages):
        bodies += [head.replace(b"NEXT", str(first + 2 * index + 1).encode()), contents]
    trailer = f"/Root 1 0 R/Size {len(bodies) + 3}"
    bodies.append(f"<<{info}>>".encode())
    number = len(bodies)
    trailer += f"/Info {number} 0 R" if info else ""
    if password is not None:
        identity = b"0123456789abcdef"
        owner = rc4(hashlib.md5(padded(password)).digest()[:5], padded(password))
        key = hashlib.md5(padded(password) + owner + (-1).to_bytes(4, "little", signed=True) + identity).digest()[:5]
        bodies = [encrypted(body, number, key) for number, body in enumerate(bodies, 1)]
        user = rc4(key, PAD)
        bodies.append(f"<</Filter/Standard/V 1/R 2/O<{owner.hex()}>/U<{user.hex()}>/P -1>>".encode())
        trailer += f"/Encrypt {len(bodies)} 0 R/ID[<{identity.hex()}><{identity.hex()}>]"
    out, offsets = bytearray(b"%PDF-1.5\n"), []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(out + b"trailer\n<<%s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer.encode(), start))


def updated(data: bytes, number: int = 9999) -> bytes:
    """The PDF file with an incremental update that adds an object nobody uses."""
    previous = int(data.rpartition(b"startxref")[2].split()[0])
    body = b"%d 0 obj\n<<>>\nendobj\n" % number
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<</Root 1 0 R/Size %d/Prev %d>>\n" % (
        number,
        len(data),
        number + 1,
        previous,
    )
    return data + body + table + b"startxref\n%d\n%%%%EOF\n" % (len(data) + len(body))


def padded(password: str) -> bytes:
    return (password.encode("latin-1") + PAD)[:32]


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def encrypted(body: bytes, number: int, key: bytes) -> bytes:
    """The object with its stream encrypted; these documents hold no strings that matter."""
    head, begin, rest = body.partition(b">>stream\n")
    if not begin:
        return body
    own = hashlib.md5(key + number.to_bytes(3, "little") + bytes(2)).digest()[:10]
    return head + begin + rc4(own, rest.removesuffix(b"\nendstream")) + b"\nendstream"


def scan(jpeg: bytes, matrix: str = "400 0 0 300 0 0", **options: str) -> bytes:
    """A PDF file of one page that shows one JPEG picture."""
    return pdf([page(f"q {matrix} cm /X0 Do Q".encode(), objects=[3], **options)], [image(jpeg)])


def archive(
    members: Mapping[str, bytes] | Sequence[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    buffer = io.BytesIO()
    pairs = members.items() if isinstance(members, Mapping) else members
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, data in pairs:
            file.writestr(name, data)
    return buffer.getvalue()


CORE = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:creator>A. Author</dc:creator>
 <cp:lastModifiedBy>B. Editor</cp:lastModifiedBy>
 <dcterms:created xsi:type="dcterms:W3CDTF">2024-05-01T10:00:00Z</dcterms:created></cp:coreProperties>"""
APP = b"""<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">
<Application>Microsoft Office Word</Application><AppVersion>16.0000</AppVersion></Properties>"""
TYPES = b"""<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="jpeg" ContentType="image/jpeg"/></Types>"""


def office(folder: str, pictures: Mapping[str, bytes]) -> bytes:
    """A minimal DOCX ("word"), XLSX ("xl") or PPTX ("ppt") package."""
    main = {"word": "document.xml", "xl": "workbook.xml", "ppt": "presentation.xml"}[folder]
    return archive(
        {
            "[Content_Types].xml": TYPES,
            "docProps/core.xml": CORE,
            "docProps/app.xml": APP,
            f"{folder}/{main}": b"<x/>",
            **{f"{folder}/media/{name}": data for name, data in pictures.items()},
        }
    )


def mail(*attachments: tuple[str, str, bytes], forwarded: bytes | None = None) -> bytes:
    """A message with attachments ``(name, MIME type, content)``."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Ann <ann@example.org>"
    message["To"] = "bob@example.org"
    message["Subject"] = "pictures"
    message["Date"] = "Wed, 01 May 2024 10:00:00 +0000"
    message["X-Mailer"] = "Mailer 1.0"
    message.set_content("See the pictures.")
    for name, kind, data in attachments:
        main, sub = kind.split("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name or None)
    if forwarded is not None:
        message.add_attachment(message_from_bytes(forwarded, policy=policy.default))
    return message.as_bytes()
