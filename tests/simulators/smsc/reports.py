"""Delivery reports: the many ways in which message centres write one (SMPP 3.4 appendix B and §5.3.2)."""
import time
from typing import NamedTuple

import gsm
import pdu


class Outcome(NamedTuple):
    state: int                       # message_state (SMPP 3.4 §5.2.28)
    word: str                        # stat: in the text form (appendix B, table B-1)
    error: int                       # err: and network_error_code


OUTCOMES = {
    "enroute": Outcome(1, "ENROUTE", 0), "delivered": Outcome(2, "DELIVRD", 0), "expired": Outcome(3, "EXPIRED", 27),
    "deleted": Outcome(4, "DELETED", 0), "undeliverable": Outcome(5, "UNDELIV", 1), "unknown": Outcome(7, "UNKNOWN", 0),
    "rejected": Outcome(8, "REJECTD", 99),
}


def wanted(registered: int, outcome: str) -> bool:
    """Whether registered_delivery (SMPP 3.4 §5.2.17; 3 is from 5.0) asks for a report of this outcome."""
    asked = registered & 3
    if asked == 2:
        return outcome != "delivered"
    if asked == 3:
        return outcome == "delivered"
    return asked == 1


def respell_id(message_id: str, spelling: str) -> str:
    """The id as the report writes it. Ids that are no numbers (UUIDs) stay as they are under the number spellings."""
    try:
        if spelling == "hex_to_dec":
            return str(int(message_id, 16))
        if spelling == "dec_to_hex":
            return f"{int(message_id, 10):x}"
    except ValueError:
        return message_id
    if spelling == "upper":
        return message_id.upper()
    if spelling == "lower":
        return message_id.lower()
    if spelling == "leading_zeros":
        return message_id.rjust(max(10, len(message_id) + 2), "0")
    if spelling == "no_leading_zeros":
        return message_id.lstrip("0") or "0"
    return message_id


def _text(message_id: str, outcome: Outcome, style: str, submitted: float, done: float, beginning: str) -> str:
    def stamp(moment: float, form: str) -> str:
        return time.strftime(form, time.gmtime(moment))

    good = 1 if outcome.state == 2 else 0
    if style == "terse":             # no text, no padding
        return (f"id:{message_id} sub:1 dlvrd:{good} submit date:{stamp(submitted, '%y%m%d%H%M')} "
                f"done date:{stamp(done, '%y%m%d%H%M')} stat:{outcome.word} err:{outcome.error}")
    if style == "odd":               # other order, other letters, four-digit years, a word for no error
        return (f"Id: {message_id} Stat: {outcome.word} Done Date: {stamp(done, '%Y%m%d%H%M%S')} "
                f"Submit Date: {stamp(submitted, '%Y%m%d%H%M%S')} Dlvrd: {good:03d} Err: {outcome.error or 'nul'}")
    form = "%y%m%d%H%M%S" if style == "seconds" else "%y%m%d%H%M"
    return (f"id:{message_id} sub:001 dlvrd:{good:03d} submit date:{stamp(submitted, form)} done date:{stamp(done, form)} "
            f"stat:{outcome.word} err:{outcome.error:03d} text:{beginning[:20]}")


def build(message_id: str, source: pdu.Address, dest: pdu.Address, outcome_name: str, switches, submitted: float,
          beginning: str, alphabet: str, intermediate: bool = False) -> tuple[int, bytes]:
    """The command and body of one report on a text from `source` to `dest`; it travels the other way.

    `submitted` is in seconds since 1970, `alphabet` what data_coding 0 means on the link.
    """
    outcome = OUTCOMES[outcome_name]
    shown_id = respell_id(message_id, switches.report_id)
    text, tlvs = b"", b""
    if switches.report_form != "tlv":
        words = _text(shown_id, outcome, switches.report_style, submitted, time.time(), beginning)
        text = gsm.encode(words, "gsm7", alphabet)[1][:254]
    if switches.report_form != "text":
        tlvs = (pdu.tlv(pdu.RECEIPTED_MESSAGE_ID, shown_id.encode() + b"\0") + pdu.tlv(pdu.MESSAGE_STATE, bytes([outcome.state]))
                + (pdu.tlv(pdu.NETWORK_ERROR_CODE, bytes([3, 0, outcome.error])) if outcome.error else b""))
    # esm_class: 0x04 a receipt, 0x20 an intermediate notification (§5.2.12).
    esm_class = 0 if switches.report_unmarked else 0x20 if intermediate else 0x04
    body = pdu.data_body if switches.report_command == "data_sm" else pdu.message_body
    return (pdu.DATA_SM if switches.report_command == "data_sm" else pdu.DELIVER_SM,
            body(dest, source, esm_class, 0, text, tlvs))
