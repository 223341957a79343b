import time

import pytest

from omni_iml.io.xmp import MOST, read_xmp

PACKET = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description xmp:CreatorTool="Adobe &amp; Co 25.1"
 photoshop:ColorMode="3" Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia">
<xmpMM:DerivedFrom stRef:instanceID="x"/><xmpMM:History><rdf:Seq>
<rdf:li stEvt:action="saved" stEvt:softwareAgent="Editor A"/><rdf:li stEvt:softwareAgent="Editor B"/>
<rdf:li stEvt:softwareAgent="Editor A"/></rdf:Seq></xmpMM:History></rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_attributes():
    assert read_xmp(PACKET) == {
        "creator_tool": "Adobe & Co 25.1",
        "history": ["Editor A", "Editor B"],
        "derived": True,
        "photoshop": True,
        "digital_source": "trainedAlgorithmicMedia",
    }


def test_elements():
    packet = b"<xmp:CreatorTool>Tool 1</xmp:CreatorTool><stEvt:softwareAgent>Agent</stEvt:softwareAgent>"
    assert read_xmp(packet) == {"creator_tool": "Tool 1", "history": ["Agent"]}


def test_a_namespace_declaration_is_no_field_of_photoshop():
    assert read_xmp(b'<rdf:Description xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">') == {}


def test_a_long_history_is_cut():
    packet = b"".join(b'<li stEvt:softwareAgent="A%d"/>' % i for i in range(1000))
    assert len(read_xmp(packet)["history"]) == MOST


@pytest.mark.parametrize(
    "part", [b"xmp:CreatorTool=", b'xmp:CreatorTool="', b"<xmp:CreatorTool>a", b"photoshop:", b"<!ENTITY a '&a;'>"]
)
def test_hostile_packets_take_no_time(part):
    start = time.process_time()
    read_xmp((part * 2**18)[: 2**18])
    assert time.process_time() - start < 1
