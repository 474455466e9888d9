"""Alphabets, user data headers and segments: what a text looks like in the 140 octets of a short message.

3GPP TS 23.038 (alphabets) and TS 23.040 §9.2.3.24 (user data header). Pure functions over bytes and str.
"""
import codecs
import re
from typing import NamedTuple, Optional

BASIC = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
         "¿abcdefghijklmnopqrstuvwxyzäöñüà")                                     # TS 23.038 §6.2.1
EXTENSION = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}
_TO_SEPTETS = {c: bytes([i]) for i, c in enumerate(BASIC) if i != 0x1B} | {c: bytes([0x1B, i]) for i, c in EXTENSION.items()}
_TABLE = BASIC + "\ufffd" * 128
_ENCODING = codecs.charmap_build((BASIC + "\ufffe" * 128).replace("\x1b", "\ufffe"))       # U+FFFE: no such octet
_ESCAPED = re.compile(b"\x1b(.?)", re.DOTALL)

# Sizes in octets as short_message carries them (GSM 7 unpacked): alone, in a part with an 8-bit and with a 16-bit reference.
SIZES = {"gsm7": (160, 153, 152), "ucs2": (140, 134, 132), "latin1": (140, 134, 133), "binary": (140, 134, 133)}
NAMES = {"gsm7": "GSM 7", "ucs2": "UCS-2", "latin1": "Latin-1", "ascii": "ASCII", "utf8": "UTF-8", "binary": "8-bit"}
_PYTHON_NAMES = {"latin1": "latin-1", "utf8": "utf-8"}
# data_coding values that only name a character set (SMPP 3.4 §5.2.19).
_CHARSETS = {1: ("ascii", "ASCII"), 3: ("latin-1", "Latin-1"), 5: ("shift_jis", "JIS"), 6: ("iso8859_5", "Cyrillic"),
             7: ("iso8859_8", "Hebrew"), 10: ("iso2022_jp", "ISO-2022-JP"), 13: ("iso2022_jp_2", "JIS X 0212"),
             14: ("euc_kr", "KS C 5601")}


def fits(text: str) -> bool:
    return all(c in _TO_SEPTETS for c in text)


def decode_septets(septets: bytes) -> str:
    """Unpacked septets to text. ESC and an unknown octet: that octet of the basic table; ESC at the end: a space (§6.2.1.1)."""
    if 0x1B not in septets:
        return codecs.charmap_decode(septets, "strict", _TABLE)[0]
    pieces, start = [], 0
    for found in _ESCAPED.finditer(septets):
        pieces.append(codecs.charmap_decode(septets[start:found.start()], "strict", _TABLE)[0])
        after = found[1][0] if found[1] else 0x1B
        pieces.append(EXTENSION.get(after) or (" " if after == 0x1B else _TABLE[after]))
        start = found.end()
    pieces.append(codecs.charmap_decode(septets[start:], "strict", _TABLE)[0])
    return "".join(pieces)


def encode_septets(text: str) -> bytes:
    """Text to unpacked septets; what the alphabet lacks becomes '?'."""
    try:
        return codecs.charmap_encode(text, "strict", _ENCODING)[0]
    except UnicodeEncodeError:
        return b"".join(_TO_SEPTETS.get(c, b"?") for c in text)


def pack(septets: bytes, header: int = 0) -> bytes:
    """Septets to octets, lowest bit first; `header` octets of UDH before them decide the fill bits (TS 23.038 §6.1.2.1.1)."""
    fill = (7 - 8 * header % 7) % 7
    bits = 0
    for i, septet in enumerate(septets):
        bits |= (septet & 0x7F) << (7 * i + fill)
    return bits.to_bytes((7 * len(septets) + fill + 7) // 8, "little")


def unpack(octets: bytes, header: int = 0) -> bytes:
    """Octets to septets. SMPP does not tell the septet count, so padding in a last spare septet (0 or CR) is dropped."""
    fill = (7 - 8 * header % 7) % 7
    count = max(0, (8 * len(octets) - fill) // 7)
    bits = int.from_bytes(octets, "little") >> fill
    septets = bytes((bits >> (7 * i)) & 0x7F for i in range(count))
    if (8 * len(octets) - fill) % 7 == 0 and septets[-1:] in (b"\0", b"\r"):
        septets = septets[:-1]
    return septets


class Concat(NamedTuple):
    """The place of one part in a long text. `width` is the size of the reference in bits: 8, 16, or 0 for SAR TLVs."""
    ref: int
    total: int
    seq: int
    width: int


def parse_header(body: bytes) -> tuple[int, Optional[Concat]]:
    """The UDH at the start of `body`: its size in octets, and the concatenation element if it is a valid one.

    Raises ValueError when the header reaches past the body. An element whose numbers make no sense is ignored, as
    TS 23.040 §9.2.3.24.1 asks; unknown elements are skipped by their length.
    """
    size = body[0] + 1 if body else 1
    if size > len(body):
        raise ValueError("the user data header is longer than the message")
    concat = None
    position = 1
    while position + 2 <= size:
        element, length = body[position], body[position + 1]
        value = body[position + 2:position + 2 + length]
        position += 2 + length
        if position > size:
            raise ValueError("an element reaches past the user data header")
        if element == 0x00 and length == 3:
            concat = Concat(value[0], value[1], value[2], 8)
        elif element == 0x08 and length == 4:
            concat = Concat(value[0] << 8 | value[1], value[2], value[3], 16)
    if concat and not 1 <= concat.seq <= concat.total:
        concat = None
    return size, concat


def concat_header(concat: Concat) -> bytes:
    if concat.width == 8:
        return bytes((5, 0, 3, concat.ref & 0xFF, concat.total, concat.seq))
    return bytes((6, 8, 4, concat.ref >> 8 & 0xFF, concat.ref & 0xFF, concat.total, concat.seq))


def coding_of(data_coding: int) -> str:
    """The kind of octets behind a data_coding: default, gsm7, ucs2, binary or charset (SMPP 3.4 §5.2.19, TS 23.038 §4)."""
    if data_coding == 0:
        return "default"
    if data_coding == 8:
        return "ucs2"
    if data_coding in _CHARSETS:
        return "charset"
    if data_coding & 0xF0 == 0xE0:
        return "ucs2"
    if data_coding >= 0xF0:
        return "binary" if data_coding & 0x04 else "gsm7"
    if data_coding >= 0xC0:
        return "gsm7"
    if data_coding & 0xF0 == 0x10:
        return ("gsm7", "binary", "ucs2", "binary")[data_coding >> 2 & 3]
    return "binary"


def decode(body: bytes, data_coding: int, alphabet: str) -> tuple[str, str]:
    """The text of a whole (joined) message and the name of its encoding. Never fails: bad octets become U+FFFD.

    `alphabet` is what data_coding 0 means on this link; septets of the packed form are expected unpacked already.
    """
    kind = coding_of(data_coding)
    if kind == "default":
        kind = "gsm7" if alphabet == "gsm7_packed" else alphabet
    if kind == "gsm7":
        return decode_septets(body), "GSM 7"
    if kind == "ucs2":
        return body[:len(body) & ~1].decode("utf-16-be", "replace"), "UCS-2"
    if kind == "binary":
        return body.hex(" "), "8-bit"
    charset, name = _CHARSETS[data_coding] if kind == "charset" else (_PYTHON_NAMES.get(kind, kind), NAMES[kind])
    return body.decode(charset, "replace"), name


def _unit(c: str, encoding: str) -> int:
    """Octets that one character takes; it is never split between two parts."""
    if encoding == "gsm7":
        return len(_TO_SEPTETS.get(c, b"?"))
    return (4 if c > "\uffff" else 2) if encoding == "ucs2" else 1


def split(text: str, encoding: str, width: int) -> list[str]:
    """The text of each part; one part if it fits alone. `width` 8 or 16: bits of the reference in the header."""
    sizes = [_unit(c, encoding) for c in text]
    alone, part8, part16 = SIZES[encoding]
    if sum(sizes) <= alone:
        return [text]
    limit = part16 if width == 16 else part8
    parts, start, used = [], 0, 0
    for position, size in enumerate(sizes):
        if used + size > limit:
            parts.append(text[start:position])
            start, used = position, 0
        used += size
    parts.append(text[start:])
    return parts


def encode(text: str, encoding: str, alphabet: str, header: int = 0) -> tuple[int, bytes]:
    """data_coding and octets of one part; `alphabet` is what data_coding 0 means, `header` the size of the UDH before it."""
    if encoding == "ucs2":
        return 8, text.encode("utf-16-be", "replace")
    if encoding == "latin1":
        return 3, text.encode("latin-1", "replace")
    if alphabet == "gsm7_packed":
        return 0, pack(encode_septets(text), header)
    if alphabet == "gsm7":
        return 0, encode_septets(text)
    return 0, text.encode(_PYTHON_NAMES.get(alphabet, alphabet), "replace")


def segments_needed(text: str, encoding: str) -> int:
    """How many short messages a text takes that came whole, in a message_payload; `encoding` is a name that decode() gave."""
    if encoding == "8-bit":
        return max(1, -(-len(text.split()) // 134))
    return len(split(text, "ucs2" if encoding == "UCS-2" or not fits(text) else "gsm7", 8))
