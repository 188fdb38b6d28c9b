"""What the JUnit schemas of Jenkins and of the Ant task have in common, as a check of structure."""

from __future__ import annotations

from xml.etree import ElementTree as ET

# element -> (required attributes, allowed attributes, children)
COUNTS = {"tests", "failures", "errors", "skipped"}
SHAPE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (COUNTS, COUNTS | {"name", "time"}, {"testsuite"}),
    "testsuite": (COUNTS | {"name"}, COUNTS | {"name", "time", "timestamp", "hostname"}, {"testcase"}),
    "testcase": (
        {"name", "classname"}, {"name", "classname", "time", "file", "line"}, {"failure", "error", "skipped"}
    ),
    "failure": ({"message", "type"}, {"message", "type"}, set()),
    "error": ({"message", "type"}, {"message", "type"}, set()),
    "skipped": ({"message"}, {"message"}, set()),
}  # fmt: skip


def checked(text: str) -> ET.Element:
    """The root element of a sound file."""
    root = ET.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        required, allowed, children = SHAPE[element.tag]
        assert required <= set(element.attrib) <= allowed, element.attrib
        assert {child.tag for child in element} <= children
        if element.tag == "testcase":
            assert len(element) <= 1
            assert element.get("name")
        if element.tag.startswith("testsuite"):
            cases = list(element.iter("testcase"))
            assert int(element.attrib["tests"]) == len(cases)
            for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert int(element.attrib[attribute]) == len(list(element.iter(kind)))
    return root
