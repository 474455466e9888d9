"""Subset matching of XML, for scenario files.

A pattern names what must be there; anything else may be there too.
 - Attributes named must be equal. '' means absent or empty.
 - Children named must be found, in any order, anywhere among the children.
 - Text must be equal (white space at both ends aside); no text in the pattern: any text.
 - `*` stands for any run of characters, at least one where it stands alone.
 - `$name` takes any value, and means that value from then on.
 - `type` of a stanza always counts: a <presence/> without one matches only available presence, a <message/> without one
   any message but an error.
"""
from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from xml_stream import CLIENT, split, to_text

VARIABLE = re.compile(r"\$([a-z_][a-z0-9_]*)")


def value_matches(pattern: str, value: str | None, variables: dict[str, str]) -> dict[str, str] | None:
    """The variables that the match binds, or None where it does not match."""
    if pattern == "":
        return {} if not value else None
    if value is None:
        return None
    whole = VARIABLE.fullmatch(pattern)
    if whole:
        name = whole.group(1)
        if name in variables:
            return {} if variables[name] == value else None
        return {name: value}
    pattern = fill(pattern, variables)
    if pattern == "*":
        return {} if value else None
    if "*" in pattern:
        expression = ".*".join(re.escape(part) for part in pattern.split("*"))
        return {} if re.fullmatch(expression, value, re.DOTALL) else None
    return {} if pattern == value else None


def fill(text: str, variables: dict[str, str]) -> str:
    """`text` with every bound $name replaced; an unbound one stays as it is."""
    return VARIABLE.sub(lambda found: variables.get(found.group(1), found.group(0)), text)


def matches(pattern: Element, element: Element, variables: dict[str, str]) -> dict[str, str] | None:
    """The variables that the match binds (perhaps none), or None where `element` does not match."""
    if pattern.tag != element.tag:
        return None
    bound: dict[str, str] = {}
    if not _type_matches(pattern, element):
        return None
    for key, wanted in pattern.attrib.items():
        found = value_matches(wanted, element.get(key), variables | bound)
        if found is None:
            return None
        bound |= found
    words = (pattern.text or "").strip()
    if words:
        found = value_matches(words, (element.text or "").strip(), variables | bound)
        if found is None:
            return None
        bound |= found
    taken: set[int] = set()
    for wanted_child in pattern:
        for index, candidate in enumerate(element):
            if index in taken:
                continue
            found = matches(wanted_child, candidate, variables | bound)
            if found is not None:
                bound |= found
                taken.add(index)
                break
        else:
            return None
    return bound


def contains(pattern: Element, element: Element, variables: dict[str, str]) -> bool:
    """Whether `element` or anything below it matches."""
    return any(matches(pattern, candidate, variables) is not None for candidate in element.iter())


def _type_matches(pattern: Element, element: Element) -> bool:
    namespace, name = split(pattern.tag)
    if namespace != CLIENT or "type" in pattern.attrib:
        return True
    if name == "presence":
        return not element.get("type")
    if name == "message":
        return element.get("type") != "error"
    return True


def difference(pattern: Element, element: Element, variables: dict[str, str]) -> str:
    """The first thing in which `element` fails the pattern, for a person."""
    if pattern.tag != element.tag:
        return f"is <{split(element.tag)[1]}>"
    if not _type_matches(pattern, element):
        return f"has type='{element.get('type')}'"
    for key, wanted in pattern.attrib.items():
        if value_matches(wanted, element.get(key), variables) is None:
            return f"has {split(key)[1]}='{element.get(key, '')}', not '{fill(wanted, variables)}'"
    words = (pattern.text or "").strip()
    if words and value_matches(words, (element.text or "").strip(), variables) is None:
        return f"has the text '{(element.text or '').strip()[:200]}', not '{fill(words, variables)}'"
    for wanted_child in pattern:
        if not any(matches(wanted_child, candidate, variables) is not None for candidate in element):
            same = [candidate for candidate in element if candidate.tag == wanted_child.tag]
            if same:
                return f"<{split(same[0].tag)[1]}> {difference(wanted_child, same[0], variables)}"
            return f"lacks {to_text(wanted_child)}"
    return "differs"
