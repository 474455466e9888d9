"""XML streams for the tests (RFC 6120 §4): bytes in, ElementTree elements out; and elements back to text.

Independent of the gateway's own parser, so that each judges the other. Elements are named "{namespace}name".
"""
from __future__ import annotations

import xml.parsers.expat
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

CLIENT = "jabber:client"
COMPONENT = "jabber:component:accept"
STREAMS = "http://etherx.jabber.org/streams"
STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
XML = "http://www.w3.org/XML/1998/namespace"


class StreamBroken(Exception):
    """The peer sent what ends a stream; `condition` is the stream error it earns (RFC 6120 §4.9.3)."""

    def __init__(self, condition: str, text: str = "") -> None:
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition


class Opened(Element):
    """The stream's header: its attributes are this element's."""


class Closed:
    """The stream's closing tag."""


class StreamParser:
    """Feed bytes, get headers, complete stanzas and the closing tag, in order. Raises StreamBroken."""

    def __init__(self, most_stanza_bytes: int = 16 << 20) -> None:
        self._most = most_stanza_bytes
        self._items: list = []
        self._open: list[Element] = []
        self._depth = 0
        self._stanza_start = 0
        parser = xml.parsers.expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)  # expat ≥ 2.6 would hold back complete stanzas
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._restricted
        parser.CommentHandler = self._restricted
        parser.ProcessingInstructionHandler = self._restricted
        self._parser = parser

    def feed(self, data: bytes) -> list:
        try:
            self._parser.Parse(data, False)
        except xml.parsers.expat.ExpatError as error:
            raise StreamBroken("not-well-formed", str(error)) from error
        if self._depth > 1 and self._parser.CurrentByteIndex - self._stanza_start > self._most:
            raise StreamBroken("policy-violation", f"a stanza of more than {self._most} bytes")
        items, self._items = self._items, []
        return items

    @staticmethod
    def _name(name: str) -> str:
        return "{" + name if "}" in name else name

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = Element if self._depth else Opened
        element = kind(self._name(name), {self._name(key): value for key, value in attributes.items()})
        if self._depth == 1:
            self._stanza_start = self._parser.CurrentByteIndex
        if self._depth > 1:
            self._open[-1].append(element)
        if self._depth:
            self._open.append(element)
        else:
            self._items.append(element)
        self._depth += 1

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._items.append(Closed())
            return
        element = self._open.pop()
        if self._depth == 1:
            if self._parser.CurrentByteIndex - self._stanza_start > self._most:
                raise StreamBroken("policy-violation", f"a stanza of more than {self._most} bytes")
            self._items.append(element)

    def _text(self, text: str) -> None:
        if not self._open:
            return  # white space between stanzas (RFC 6120 §4.6.1)
        element = self._open[-1]
        if len(element):
            element[-1].tail = (element[-1].tail or "") + text
        else:
            element.text = (element.text or "") + text

    def _restricted(self, *_ignored) -> None:
        raise StreamBroken("restricted-xml", "no DTD, comment or processing instruction (RFC 6120 §11.1)")


def parse(text: str, namespace: str = CLIENT) -> list[Element]:
    """The elements of a piece of XML, as if it came over a stream of `namespace`. Raises StreamBroken."""
    parser = StreamParser()
    items = parser.feed(f"<stream xmlns='{namespace}' xmlns:stream='{STREAMS}'>{text}</stream>".encode())
    return [item for item in items if isinstance(item, Element) and not isinstance(item, Opened)]


def split(name: str) -> tuple[str, str]:
    """("namespace", "name") of "{namespace}name"."""
    if name.startswith("{"):
        namespace, _, local = name[1:].partition("}")
        return namespace, local
    return "", name


def local(element: Element) -> str:
    return split(element.tag)[1]


def to_text(element: Element, inherited: str = CLIENT) -> str:
    """XML with default namespaces only, the way XMPP software writes it; `inherited` is the stream's namespace."""
    namespace, name = split(element.tag)
    parts = [f"<{name}"]
    if namespace != inherited:
        parts.append(f" xmlns={quoteattr(namespace)}")
    prefixes = 0
    for key, value in element.attrib.items():
        attribute_namespace, attribute = split(key)
        if attribute_namespace == XML:
            attribute = f"xml:{attribute}"
        elif attribute_namespace:
            prefixes += 1
            parts.append(f" xmlns:a{prefixes}={quoteattr(attribute_namespace)}")
            attribute = f"a{prefixes}:{attribute}"
        parts.append(f" {attribute}={quoteattr(value)}")
    if not len(element) and not element.text:
        return "".join(parts) + "/>"
    parts.append(">" + escape(element.text or ""))
    for child in element:
        parts.append(to_text(child, namespace))
        parts.append(escape(child.tail or ""))
    return "".join(parts) + f"</{name}>"


def renamed(element: Element, old: str, new: str) -> Element:
    """A copy with the stream's namespace exchanged, as a server does between client and component streams. What is
    nested in a foreign namespace (a forwarded stanza) keeps its own."""
    namespace, name = split(element.tag)
    copy = Element("{%s}%s" % (new, name) if namespace == old else element.tag, dict(element.attrib))
    copy.text, copy.tail = element.text, element.tail
    for child in element:
        copy.append(renamed(child, old, new) if namespace == old else child)
    return copy


def make(name: str, /, namespace: str = CLIENT, **attributes: str | None) -> Element:
    """make("iq", type="get", to=None, **{"from": "a@b"}): an element; None leaves the attribute out."""
    return Element("{%s}%s" % (namespace, name), {key: value for key, value in attributes.items() if value is not None})


def child(element: Element, name: str, namespace: str) -> Element | None:
    return element.find("{%s}%s" % (namespace, name))


def error_reply(stanza: Element, kind: str, condition: str, text: str = "") -> Element:
    """RFC 6120 §8.3.1: the same id, the addresses swapped, the error."""
    reply = Element(stanza.tag, {"type": "error"})
    for key, source in (("id", "id"), ("from", "to"), ("to", "from")):
        if stanza.get(source):
            reply.set(key, stanza.get(source, ""))
    namespace, _ = split(stanza.tag)
    error = Element("{%s}error" % namespace, {"type": kind})
    error.append(make(condition, STANZA_ERRORS))
    if text:
        words = make("text", STANZA_ERRORS)
        words.text = text
        error.append(words)
    reply.append(error)
    return reply
