"""Pictures and documents out of mail messages."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from documents import archive, mail, scan
from io_pictures import encode, picture

from omni_iml.io import load
from omni_iml.io import mail as mail_module
from omni_iml.io.parts import load_parts
from omni_iml.types import EvidenceImage, UnreadableImage

JPEG = encode(picture(72, 96), quality=85)


def parts(source, **options):
    return list(load_parts(source, **options))


def names(results) -> list[str]:
    return [result.part if isinstance(result, EvidenceImage) else str(result) for result in results]


def test_attachments_and_facts():
    found = parts(
        mail(
            ("photo.jpg", "image/jpeg", JPEG),
            ("notes.bin", "application/octet-stream", b"nothing"),
            ("claim.pdf", "application/pdf", scan(JPEG)),
            ("a.zip", "application/zip", archive({"x/b.jpg": JPEG})),
        )
    )
    assert names(found) == ["!photo.jpg", "!claim.pdf.p001", "!a.zip!x/b.jpg"]
    assert found[0].sha256 == load(JPEG).sha256
    document = found[0].facts["document"]
    assert (document["kind"], document["from"], document["mailer"]) == ("eml", "Ann <ann@example.org>", "Mailer 1.0")
    assert document["date"] == "Wed, 01 May 2024 10:00:00 +0000"
    assert found[1].facts["document"]["inside"] == document


def test_inline_pictures_and_those_without_names():
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = "a@example.org", "x"
    message.set_content("text")
    message.add_alternative("<img src='cid:1'>", subtype="html")
    message.get_payload()[1].add_related(JPEG, "image", "jpeg", cid="<1>")
    message.add_attachment(JPEG, maintype="image", subtype="jpeg")
    assert names(parts(message.as_bytes())) == ["!unnamed.jpeg", "!unnamed~2.jpeg"]


def test_a_name_in_another_script_and_one_that_leads_out():
    found = parts(mail(("Фото №1.jpg", "image/jpeg", JPEG), ("../../x.jpg", "image/jpeg", JPEG)))
    assert names(found) == ["!Фото №1.jpg", "!x.jpg"]


def test_same_names_are_told_apart():
    found = parts(mail(("a.jpg", "image/jpeg", JPEG), ("a.jpg", "image/jpeg", JPEG)))
    assert names(found) == ["!a.jpg", "!a~2.jpg"]


def test_forwarded_messages():
    inner = mail(("a.jpg", "image/jpeg", JPEG))
    found = parts(mail(("a.jpg", "image/jpeg", JPEG), forwarded=inner))
    assert names(found) == ["!a.jpg", "!message.eml!a.jpg"]
    nested = inner
    for _ in range(6):
        nested = mail(forwarded=nested)
    (error,) = parts(nested)
    assert isinstance(error, UnreadableImage)
    assert "messages deep" in str(error)


def test_a_broken_attachment_does_not_stop_the_others():
    broken, good = parts(mail(("a.jpg", "image/jpeg", JPEG[:50]), ("b.jpg", "image/jpeg", JPEG)))
    assert "!a.jpg: " in str(broken)
    assert good.part == "!b.jpg"


def test_no_picture_is_one_sentence():
    (error,) = parts(mail())
    assert "there is no picture in it that is read" in str(error)


def test_long_messages_are_refused(monkeypatch):
    monkeypatch.setattr(mail_module, "MAX_MAIL_BYTES", 1000)
    (error,) = parts(mail(("a.jpg", "image/jpeg", JPEG)))
    assert "is too long" in str(error)


@pytest.mark.parametrize("depth", [5, 3000])
def test_deep_multiparts_end_in_a_picture_or_a_sentence(depth):
    head = b"From: a@example.org\nSubject: x\nMIME-Version: 1.0\n"
    body = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (number, number) for number in range(depth)
    )
    found = parts(head + body + b"Content-Type: image/jpeg\nContent-Transfer-Encoding: base64\n\nAAAA\n")
    assert len(found) == 1
    assert isinstance(found[0], UnreadableImage)
    assert ("more parts in parts than any real one" in str(found[0])) == (depth > mail_module.MAX_BOUNDARIES)


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Disposition: attachment; filename*=utf-8''%ff%fe.jpg; filename=\"",
        b"Content-Type: image/jpeg; name==?bad?=",
        b"Content-Transfer-Encoding: base64; x=\xff\xfe",
        b"Date: never\nFrom: <<<>>>@@",
    ],
)
def test_damaged_headers_do_no_harm(line):
    message = mail(("a.jpg", "image/jpeg", JPEG)).replace(b"\r\n", b"\n")
    at = message.index(b"Content-Type: image/jpeg")
    for result in parts(message[:at] + line + b"\n" + message[at:]):
        assert isinstance(result, EvidenceImage | UnreadableImage)
    for result in parts(line + b"\n" + message):
        assert isinstance(result, EvidenceImage | UnreadableImage)


@pytest.mark.parametrize("before", [0, mail_module._CHUNK - 30])
def test_a_mailbox_of_several_messages_is_refused_and_not_read_in_part(before):
    line = b"From ann@example.org Wed May  1 10:00:00 2024\n"
    one = line + mail(("a.jpg", "image/jpeg", JPEG)).replace(b"\r\n", b"\n")
    assert names(parts(one)) == ["!a.jpg"]
    one += b"\n" * max(0, before - len(one))
    (refused,) = names(parts(one + b"\n" + one))
    assert "mailbox of several messages; save each as a file of its own" in refused
