"""SMPP 3.4 PDUs: bytes to values and back. Pure; no sockets, no policy.

Written from the SMPP 3.4 specification (issue 1.2) alone, on purpose: it is the second opinion on the gateway's own codec.
Integers are big-endian (§3.1). A parser here never reads past the PDU it was given and raises Refused with the status that
the specification names for the fault.
"""
import struct
from typing import NamedTuple

HEADER = struct.Struct(">IIII")      # command_length, command_id, command_status, sequence_number (§3.2)
LENGTH = struct.Struct(">I")
TLV = struct.Struct(">HH")           # tag, length (§3.2.4.1)
MAX_PDU = 0x10000 + 1024             # a full message_payload (64 KiB) with every mandatory field around it
RESPONSE = 0x80000000

GENERIC_NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
QUERY_SM, SUBMIT_SM, DELIVER_SM, UNBIND, CANCEL_SM = 0x03, 0x04, 0x05, 0x06, 0x08
ENQUIRE_LINK, DATA_SM = 0x15, 0x103

COMMANDS = {                         # §5.1.2.1
    0x01: "bind_receiver", 0x02: "bind_transmitter", 0x03: "query_sm", 0x04: "submit_sm", 0x05: "deliver_sm", 0x06: "unbind",
    0x07: "replace_sm", 0x08: "cancel_sm", 0x09: "bind_transceiver", 0x0B: "outbind", 0x15: "enquire_link",
    0x21: "submit_multi", 0x102: "alert_notification", 0x103: "data_sm", 0x80000000: "generic_nack",
}
COMMANDS.update({i | RESPONSE: f"{name}_resp" for i, name in list(COMMANDS.items()) if not i & RESPONSE})

STATUSES = {                         # §5.1.3, names without the ESME_ in front
    "ROK": 0x00, "RINVMSGLEN": 0x01, "RINVCMDLEN": 0x02, "RINVCMDID": 0x03, "RINVBNDSTS": 0x04, "RALYBND": 0x05, "RINVPRTFLG": 0x06,
    "RINVREGDLVFLG": 0x07, "RSYSERR": 0x08, "RINVSRCADR": 0x0A, "RINVDSTADR": 0x0B, "RINVMSGID": 0x0C, "RBINDFAIL": 0x0D,
    "RINVPASWD": 0x0E, "RINVSYSID": 0x0F, "RCANCELFAIL": 0x11, "RREPLACEFAIL": 0x13, "RMSGQFUL": 0x14, "RINVSERTYP": 0x15,
    "RINVNUMDESTS": 0x33, "RINVDLNAME": 0x34, "RINVDESTFLAG": 0x40, "RINVSUBREP": 0x42, "RINVESMCLASS": 0x43, "RCNTSUBDL": 0x44,
    "RSUBMITFAIL": 0x45, "RINVSRCTON": 0x48, "RINVSRCNPI": 0x49, "RINVDSTTON": 0x50, "RINVDSTNPI": 0x51, "RINVSYSTYP": 0x53,
    "RINVREPFLAG": 0x54, "RINVNUMMSGS": 0x55, "RTHROTTLED": 0x58, "RINVSCHED": 0x61, "RINVEXPIRY": 0x62, "RINVDFTMSGID": 0x63,
    "RX_T_APPN": 0x64, "RX_P_APPN": 0x65, "RX_R_APPN": 0x66, "RQUERYFAIL": 0x67, "RINVOPTPARSTREAM": 0xC0, "ROPTPARNOTALLWD": 0xC1,
    "RINVPARLEN": 0xC2, "RMISSINGOPTPARAM": 0xC3, "RINVOPTPARAMVAL": 0xC4, "RDELIVERYFAILURE": 0xFE, "RUNKNOWNERR": 0xFF,
}
STATUS_NAMES = {code: name for name, code in STATUSES.items()}

TAGS = {                             # §5.3.2, those this simulator sets, reads or shows by name
    0x0005: "dest_addr_subunit", 0x000D: "source_addr_subunit", 0x0017: "qos_time_to_live", 0x001D: "additional_status_info_text",
    0x001E: "receipted_message_id", 0x0204: "user_message_reference", 0x020A: "source_port", 0x020B: "destination_port",
    0x020C: "sar_msg_ref_num", 0x020E: "sar_total_segments", 0x020F: "sar_segment_seqnum", 0x0210: "sc_interface_version",
    0x0423: "network_error_code", 0x0424: "message_payload", 0x0425: "delivery_failure_reason", 0x0426: "more_messages_to_send",
    0x0427: "message_state",
}
RECEIPTED_MESSAGE_ID, MESSAGE_PAYLOAD, MESSAGE_STATE, NETWORK_ERROR_CODE = 0x001E, 0x0424, 0x0427, 0x0423
SAR_REF, SAR_TOTAL, SAR_SEQ, SC_INTERFACE_VERSION, QOS_TIME_TO_LIVE = 0x020C, 0x020E, 0x020F, 0x0210, 0x0017


class Refused(Exception):
    """A PDU or a request that is answered with an error status."""

    def __init__(self, status: str, detail: str = ""):
        super().__init__(detail or status)
        self.status = STATUSES[status]


class Address(NamedTuple):
    """One address as the protocol carries it: type of number, numbering plan, and at most 20 octets (§5.2.5 to §5.2.9)."""
    ton: int
    npi: int
    digits: bytes


class Message:
    """What submit_sm (§4.4.1) and data_sm (§4.7.1) say. `body` is the text with its UDH, wherever the PDU carried it."""
    __slots__ = ("source", "dest", "esm_class", "registered", "data_coding", "validity", "body", "tlvs")

    def __init__(self, source, dest, esm_class, registered, data_coding, validity, body, tlvs):
        self.source, self.dest, self.esm_class, self.registered = source, dest, esm_class, registered
        self.data_coding, self.validity, self.body, self.tlvs = data_coding, validity, body, tlvs


NO_TLVS: dict[int, bytes] = {}


def parse_tlvs(raw: bytes, position: int) -> dict[int, bytes]:
    """Optional parameters up to the end of the PDU (§3.2.4). Of a repeated tag the first one counts."""
    tlvs: dict[int, bytes] = {}
    end = len(raw)
    while position < end:
        if end - position < 4:
            raise Refused("RINVOPTPARSTREAM", "a TLV header is cut off")
        tag, length = TLV.unpack_from(raw, position)
        position += 4
        if length > end - position:
            raise Refused("RINVPARLEN", f"TLV 0x{tag:04x} says {length} octets, {end - position} are left")
        tlvs.setdefault(tag, raw[position:position + length])
        position += length
    return tlvs


def tlv(tag: int, value: bytes) -> bytes:
    return TLV.pack(tag, len(value)) + value


def _payload(short: bytes, tlvs: dict[int, bytes]) -> bytes:
    payload = tlvs.get(MESSAGE_PAYLOAD)
    if payload is None:
        return short
    if short:                        # §5.3.2.32: sm_length is zero when message_payload carries the text
        raise Refused("ROPTPARNOTALLWD", "both short_message and message_payload")
    return payload


def parse_submit(raw: bytes) -> Message:
    """A whole submit_sm PDU, header included. The hot path: no table, one pass."""
    end = len(raw)
    find = raw.find
    a = find(0, 16)
    if a < 0 or a > 21:
        raise Refused("RINVSERTYP" if a > 0 else "RINVMSGLEN", "service_type is not ended by NUL")
    b = find(0, a + 3)
    if b < 0:
        raise Refused("RINVMSGLEN", "source_addr is not ended by NUL")
    if b - a > 23:
        raise Refused("RINVSRCADR", "source_addr is longer than 20 octets")
    c = find(0, b + 3)
    if c < 0:
        raise Refused("RINVMSGLEN", "destination_addr is not ended by NUL")
    if c - b > 23:
        raise Refused("RINVDSTADR", "destination_addr is longer than 20 octets")
    d = find(0, c + 4)
    e = find(0, d + 1) if d >= 0 else -1
    if e < 0 or e + 6 > end:
        raise Refused("RINVMSGLEN", "the PDU ends before sm_length")
    if d - c - 4 not in (0, 16):
        raise Refused("RINVSCHED", "schedule_delivery_time has neither 0 nor 16 octets")
    if e - d - 1 not in (0, 16):
        raise Refused("RINVEXPIRY", "validity_period has neither 0 nor 16 octets")
    text = e + 6
    length = raw[e + 5]
    if length > 254 or text + length > end:
        raise Refused("RINVMSGLEN", f"sm_length is {length}, {end - text} octets are left")
    short = raw[text:text + length]
    text += length
    tlvs = NO_TLVS
    if text != end:
        tlvs = parse_tlvs(raw, text)
        short = _payload(short, tlvs)
    return Message(Address(raw[a + 1], raw[a + 2], raw[a + 3:b]), Address(raw[b + 1], raw[b + 2], raw[b + 3:c]),
                   raw[c + 1], raw[e + 1], raw[e + 3], raw[d + 1:e], short, tlvs)


def parse_data(raw: bytes) -> Message:
    """A whole data_sm PDU (§4.7.1); its time to live is given as a relative validity period."""
    f = decode(raw)
    tlvs = f["tlvs"]
    seconds = int.from_bytes(tlvs.get(QOS_TIME_TO_LIVE, b""), "big")
    validity = b"" if not seconds else b"%02d%02d%02d%02d%02d%02d000R" % (
        0, 0, min(seconds // 86400, 99), seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
    return Message(Address(f["source_addr_ton"], f["source_addr_npi"], f["source_addr"]),
                   Address(f["dest_addr_ton"], f["dest_addr_npi"], f["destination_addr"]),
                   f["esm_class"], f["registered_delivery"], f["data_coding"], validity, _payload(b"", tlvs), tlvs)


# The layout of every body that is parsed field by field. A number is the maximal size of a C-octet string with its NUL.
_BIND = (("system_id", 16), ("password", 9), ("system_type", 13), ("interface_version", "u8"),
         ("addr_ton", "u8"), ("addr_npi", "u8"), ("address_range", 41))
_SOURCE = (("source_addr_ton", "u8"), ("source_addr_npi", "u8"), ("source_addr", 21))
_DEST = (("dest_addr_ton", "u8"), ("dest_addr_npi", "u8"), ("destination_addr", 21))
_MESSAGE = (("service_type", 6), *_SOURCE, *_DEST, ("esm_class", "u8"), ("protocol_id", "u8"), ("priority_flag", "u8"),
            ("schedule_delivery_time", 17), ("validity_period", 17), ("registered_delivery", "u8"),
            ("replace_if_present_flag", "u8"),
            ("data_coding", "u8"), ("sm_default_msg_id", "u8"), ("short_message", "counted"))
_DATA = (("service_type", 6), *((n, 65 if s == 21 else s) for n, s in _SOURCE + _DEST),
         ("esm_class", "u8"), ("registered_delivery", "u8"), ("data_coding", "u8"))
_ID = (("message_id", 65),)
LAYOUTS = {
    BIND_RECEIVER: _BIND, BIND_TRANSMITTER: _BIND, BIND_TRANSCEIVER: _BIND,
    **{c | RESPONSE: (("system_id", 16),) for c in (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER)},
    SUBMIT_SM: _MESSAGE, DELIVER_SM: _MESSAGE, DATA_SM: _DATA,
    SUBMIT_SM | RESPONSE: _ID, DELIVER_SM | RESPONSE: _ID, DATA_SM | RESPONSE: _ID,
    QUERY_SM: (*_ID, *_SOURCE),
    QUERY_SM | RESPONSE: (*_ID, ("final_date", 17), ("message_state", "u8"), ("error_code", "u8")),
    CANCEL_SM: (("service_type", 6), *_ID, *_SOURCE, *_DEST),
}
_TOO_LONG = {"system_id": "RINVSYSID", "source_addr": "RINVSRCADR", "destination_addr": "RINVDSTADR", "message_id": "RINVMSGID",
             "service_type": "RINVSERTYP", "system_type": "RINVSYSTYP"}
_LENIENT = {"password": 64}          # §5.2.2 allows 8 characters; longer ones are in use


def decode(raw: bytes) -> dict:
    """The fields of a whole PDU by name, C-octet strings without their NUL, and `tlvs` by tag. Raises Refused."""
    layout = LAYOUTS.get(int.from_bytes(raw[4:8], "big"), ())
    fields: dict = {}
    position, end = 16, len(raw)
    for name, kind in layout:
        if kind == "u8" or kind == "counted":
            if position >= end:
                raise Refused("RINVCMDLEN", f"the PDU ends before {name}")
            value = raw[position]
            position += 1
            if kind == "counted":
                if position + value > end:
                    raise Refused("RINVMSGLEN", f"sm_length is {value}, {end - position} octets are left")
                value = raw[position:position + value]
                position += len(value)
            fields[name] = value
            continue
        nul = raw.find(0, position)
        if nul < 0:
            raise Refused("RINVCMDLEN", f"{name} is not ended by NUL")
        if nul - position >= _LENIENT.get(name, kind):
            raise Refused(_TOO_LONG.get(name, "RINVPASWD" if name == "password" else "RINVCMDLEN"), f"{name} is too long")
        fields[name] = raw[position:nul]
        position = nul + 1
    fields["tlvs"] = parse_tlvs(raw, position) if layout else NO_TLVS
    return fields


def pack(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def message_body(source: Address, dest: Address, esm_class: int, data_coding: int, text: bytes, tlvs: bytes = b"") -> bytes:
    """The body of a deliver_sm (§4.6.1): no times, no receipt asked for. `text` is at most 254 octets."""
    return b"\0%c%c%s\0%c%c%s\0%c\0\0\0\0\0\0%c\0%c%s%s" % (
        source.ton, source.npi, source.digits, dest.ton, dest.npi, dest.digits, esm_class, data_coding, len(text), text, tlvs)


def data_body(source: Address, dest: Address, esm_class: int, data_coding: int, text: bytes, tlvs: bytes = b"") -> bytes:
    """The body of a data_sm (§4.7.1): the text, if any, goes into message_payload."""
    return b"\0%c%c%s\0%c%c%s\0%c\0%c%s%s" % (
        source.ton, source.npi, source.digits, dest.ton, dest.npi, dest.digits, esm_class, data_coding,
        tlv(MESSAGE_PAYLOAD, text) if text else b"", tlvs)


def describe(raw: bytes) -> dict:
    """A PDU for the log: every field readable, passwords hidden; a PDU that cannot be parsed says why."""
    length, command, status, sequence = HEADER.unpack_from(raw)
    shown = {"command": COMMANDS.get(command, f"0x{command:08x}"), "sequence": sequence, "length": length}
    if status or command & RESPONSE:
        shown["status"] = STATUS_NAMES.get(status, f"0x{status:08x}")
    if len(raw) == 16:
        return shown
    try:
        fields = decode(raw)
    except Refused as fault:
        return {**shown, "malformed": str(fault), "hex": raw[16:].hex()}
    for tag, value in fields.pop("tlvs").items():
        readable = value.rstrip(b"\0").decode("ascii", "replace") if tag in (0x1E, 0x1D) else value.hex()
        fields[TAGS.get(tag, f"tlv_{tag:04x}")] = readable
    for name, value in fields.items():
        if name == "password":
            value = "hidden"
        elif name == "short_message":
            value = value.hex()
        elif isinstance(value, bytes):
            value = value.decode("latin-1")
        shown[name] = value
    return shown
