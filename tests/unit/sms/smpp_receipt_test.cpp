#include "connectors/sms/parts/pace.hpp"
#include "connectors/sms/smpp/deliver.hpp"
#include "connectors/sms/smpp/receipt.hpp"
#include "connectors/sms/smpp/record.hpp"
#include "connectors/sms/smpp/verdict.hpp"
#include "connectors/sms/text/reassembly.hpp"
#include "gateway/base/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry;
using namespace wherry::sms;
using namespace wherry::sms::smpp;
using connector::Stage;

namespace {

std::string read(std::string_view text, std::vector<Tlv> tlvs = {}) {
  const auto receipt = parse_receipt(tlvs, text);
  if (!receipt) return "none";
  return receipt->id + " " + std::to_string(static_cast<int>(receipt->state)) + " " + receipt->error + " " +
         receipt->text;
}

Record three_segments() {
  Record r;
  r.key = "7:k";
  r.from = {Address::Type::international, "+15550001"};
  r.to = {Address::Type::international, "+15550100"};
  r.segments.resize(3);
  for (auto& s : r.segments) s.state = SegmentState::sent;
  return r;
}

std::string told(Record& r) {
  const auto stage = tell(r);
  return !stage ? "" : *stage == Stage::delivered ? "delivered" : *stage == Stage::failed ? "failed" : "other";
}

ShortMessage deliver(std::string text, std::uint8_t esm = 0, std::uint8_t coding = 0) {
  ShortMessage m;
  m.source = {1, 1, "15550100"};
  m.destination = {1, 1, "15550001"};
  m.text = std::move(text);
  m.esm_class = esm;
  m.data_coding = coding;
  return m;
}

}  // namespace

TEST_CASE("A receipt's text is read in all the forms it has (SMPP 3.4 Appendix B)") {
  CHECK(read("id:6699 sub:001 dlvrd:001 submit date:2611221209 done date:2611221210 stat:DELIVRD err:000 text:hi") ==
        "6699 2 000 hi");
  CHECK(
      read("id:6699 sub:001 dlvrd:001 submit date:261122120900 done date:20261122121000 stat:UNDELIV err:0x2a Text:") ==
      "6699 5 0x2a ");
  CHECK(read("ID : 1A2B Stat : EXPIRED Err : nul") == "1A2B 3 nul ");
  CHECK(read("stat:REJECTD id:SAR-3f2a-77_b.1 err:-5") == "SAR-3f2a-77_b.1 8 -5 ");
  CHECK(read("id:9 stat:ACCEPTD") == "9 6  ");
  CHECK(read("id:9 stat:DELIVERED text:a\nid:10 stat:UNDELIV") == "9 2  a\nid:10 stat:UNDELIV");
  CHECK(read("id:9\nstat:ENROUTE\nerr:") == "9 1  ");
  CHECK(read("id:9 sub:001 stat:DELETED err: text:x") == "9 4  x");
  CHECK(read("id:9 stat:FAILED") == "9 5  ");
  CHECK(read("id:9 stat:NOT_DELIVERED") == "9 5  ");  // words of centres' own
  CHECK(read("id:9 stat:DNDREJ") == "9 8  ");
  CHECK(read("id:9 stat:ACKED") == "9 6  ");
  CHECK(read("id:9 stat:SUBMITD") == "9 1  ");
  CHECK(read("id:9 stat:UNKNOWN") == "9 7  ");
  CHECK(read("id:9") == "none");
  CHECK(read("stat:DELIVRD") == "none");
  CHECK(read("id:" + std::string(65, '9') + " stat:DELIVRD") == "none");
  CHECK(read("I did: nothing, stat") == "none");
  CHECK(read("") == "none");
}

TEST_CASE(
    "A receipt's fields may be separated by anything, or by nothing (SMPP 3.4 Appendix B leaves it to the vendor)") {
  CHECK(read("id:6699,sub:001,dlvrd:001,stat:DELIVRD,err:000,text:hi") == "6699 2 000 hi");
  CHECK(read("id:6699;stat:UNDELIV;err:069") == "6699 5 069 ");
  CHECK(read("id:6699|stat:DELIVRD|err:000") == "6699 2 000 ");
  CHECK(read("id=6699&stat=DELIVRD&err=000") == "6699 2 000 ");
  CHECK(read("{\"id\":\"6699\",\"stat\":\"DELIVRD\",\"err\":\"000\"}") == "6699 2 000 ");
  CHECK(read("id:6699 sub:001 stat:DELIVRDerr:000text:hi") == "6699 2 000 hi");
  CHECK(read("id:6699 status:DELIVRD") == "6699 2  ");
  CHECK(read("id:6699 stat:2 err:000") == "6699 2 000 ");
  CHECK(read("id:6699 stat:NACK/0x0000000b err:000") == "6699 8 000 ");
  CHECK(read(std::string("\0id:6699\0 stat:DELIVRD\0", 24)) == "6699 2  ");
  CHECK(read("id: \"6699\" stat: 'DELIVRD'") == "6699 2  ");
  CHECK(read("id:5f-87_c.1 stat:DELIVRD") == "5f-87_c.1 2  ");
  CHECK(read("my_id:1 stat:DELIVRD") == "none");
  CHECK(read("the state: unknown, or did: nothing") == "none");
}

TEST_CASE(
    "Where parameter and text of a receipt disagree both ids count, and a final state before others (SMPP 3.4 "
    "§5.3.2.12, .35)") {
  const auto receipt = [](int state, const char* text) {
    return *parse_receipt(
        {{tag::receipted_message_id, "99887766"}, number_tlv(tag::message_state, static_cast<std::uint32_t>(state), 1)},
        text);
  };
  const Receipt two = receipt(2, "id:5f878c79 stat:DELIVRD");
  CHECK(two.id == "99887766");
  CHECK(two.other_id == "5f878c79");
  CHECK(receipt(2, "id:99887766 stat:DELIVRD").other_id.empty());
  for (const int open : {0, 1, 6, 7}) CHECK(receipt(open, "id:1 stat:DELIVRD").state == MessageState::delivered);
  CHECK(receipt(5, "id:1 stat:DELIVRD").state == MessageState::undeliverable);
  CHECK(receipt(2, "id:1 stat:ENROUTE").state == MessageState::delivered);
  CHECK(receipt(1, "id:1 stat:ACCEPTD").state == MessageState::enroute);
}

TEST_CASE("A receipt is read in another encoding than its data_coding says, both ways (SMPP 3.4 §5.2.19)") {
  Setting setting;
  const std::string fields = "id:s213112420 stat:DELIVRD err:000";
  const std::string wide = to_ucs2(to_code_points(fields));
  const auto id = [&](const ShortMessage& m) {
    const Seen seen = read_message(m, setting);
    const auto* receipt = std::get_if<SeenReceipt>(&seen);
    return receipt ? receipt->receipt.id : std::string("none");
  };
  static constexpr std::uint8_t codings[] = {0x00, 0x01, 0x03, 0x04, 0x08};
  for (const std::uint8_t coding : codings) {
    CAPTURE(static_cast<int>(coding));
    CHECK(id(deliver(fields, 4, coding)) == "s213112420");
    CHECK(id(deliver(wide, 4, coding)) == "s213112420");
    CHECK(id(deliver("\xFE\xFF" + wide, 4, coding)) == "s213112420");
    CHECK(id(deliver(fields + std::string(5, '\0'), 4, coding)) == "s213112420");
  }
  setting.split.link = Alphabet::gsm7_packed;
  CHECK(id(deliver(fields, 4)) == "s213112420");
  CHECK(id(deliver(pack_septets(*to_gsm7(to_code_points(fields))), 4)) == "s213112420");
}

TEST_CASE("A receipt that is not understood is told from what may be ignored, and its form can be shown") {
  Setting setting;
  const Seen unread = read_message(deliver("00,,2611260131,,14155550130,,we0000i0o", 4), setting);
  CHECK(std::get<SeenNothing>(unread).unread);
  CHECK_FALSE(std::get<SeenNothing>(read_message(deliver("", 0, 0xC8), setting)).unread);
  CHECK(shape_of("00,,2611,we0i\x01") == "99,,9999,xx9x\\x01");
  CHECK(shape_of("ID:1a Submit date:26 text:Hello") == "id:9x submit date:99 text:xxxxx");
}

TEST_CASE("Of a receipt that is not understood each word may be the id, and its state is read where it can be") {
  const auto guess = [](std::string_view text, std::vector<Tlv> tlvs = {}) {
    std::string all;
    for (const Receipt& r : guess_receipts(tlvs, text)) all += r.id + " " + std::string(to_string(r.state)) + ", ";
    return all;
  };
  CHECK(guess("I00,2611260101,,14155550130,we0000i0o") ==
        "2611260101 unknown, 14155550130 unknown, we0000i0o unknown, ");
  CHECK(guess("Message ab_12-34: DELIVERED") == "Message delivered, ab_12-34 delivered, ");
  CHECK(guess("ab_12-34 DELIVERED EXPIRED") == "ab_12-34 unknown, ");
  CHECK(guess("1", {{tag::receipted_message_id, std::string("abcdef\0", 7)}}) == "abcdef unknown, ");
  CHECK(guess("abcdef", {number_tlv(tag::message_state, 2, 1)}) == "abcdef delivered, ");
  CHECK(guess("").empty());
  Setting setting;
  const std::string wide = *encode(to_code_points("ab1234 DELIVERED"), Alphabet::ucs2);
  const auto unread = std::get<SeenNothing>(read_message(deliver(wide, 4, 8), setting));
  REQUIRE(unread.guesses.size() == 1);
  CHECK(unread.guesses[0].id == "ab1234");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "word" + std::to_string(100 + i) + " ";
  CHECK(guess_receipts({}, many).size() == 16);
}

TEST_CASE("Data for an application is told in a sentence, and is joined with no text (3GPP TS 23.040 §9.2.3.24.4)") {
  Setting setting;
  const auto seen = [&](std::string text, std::uint8_t esm, std::vector<Tlv> tlvs = {}) {
    ShortMessage m = deliver(std::move(text), esm, 4);
    m.tlvs = std::move(tlvs);
    return read_message(m, setting);
  };
  const std::string ports("\x05\x04\x15\x7B\x00\x00", 6), push("\x05\x04\x0B\x84\x23\xF0", 6);
  const std::string told = "[Data for an application on a phone came (port 5499). It is not for reading.]";
  CHECK(std::get<SeenText>(seen("\x06" + ports + "\x01\x02", 0x40)).text == told);
  CHECK(std::get<SeenText>(seen("//VVM", 0, {number_tlv(tag::destination_port, 5499, 2)})).text == told);
  CHECK(std::get<SeenText>(seen(std::string("\x04\x04\x02\xF5\xF5", 5) + "x", 0x40)).text.find("port 245") !=
        std::string::npos);
  CHECK(std::get<SeenText>(seen("\x01", 0, {number_tlv(tag::destination_port, 0, 2)})).text ==
        "[1 bytes of data that is not text]");

  const auto notice = [&](const std::string& from) {
    return std::get<SeenText>(seen("\x06" + push +
                                       "\x01\x06\x22"
                                       "application/vnd.wap.mms-message\x89" +
                                       from,
                                   0x40))
        .text;
  };
  CHECK(notice("\x80+14155550130/TYPE=PLMN") ==
        "[A picture message (MMS) from +14155550130 came, which this gateway cannot fetch. "
        "Ask for the picture in another way.]");
  CHECK(notice("") ==
        "[A picture message (MMS) came, which this gateway cannot fetch. Ask for the picture in another way.]");

  const std::string by_number = "\x06" + push + "\x01\x06\x03\xBE\xAF\x84";
  CHECK(std::get<SeenText>(seen(by_number, 0x40)).text == notice(""));

  // Under the reference of a long text, too.
  const auto part = [&](char number) {
    return seen(std::string("\x0B\x00\x03\x07\x02", 5) + number + ports + "\x01", 0x40);
  };
  CHECK(std::get<SeenText>(part(1)).text == told);
  CHECK_FALSE(std::get<SeenNothing>(part(2)).unread);
}

TEST_CASE("Segments in any alphabet are joined before they are decoded (SMPP 3.4 §5.2.19)") {
  Setting setting;
  struct Row {
    std::uint8_t coding;
    const char* whole;
    std::size_t cut;
    const char* text;
  };
  static constexpr Row rows[] = {
      {0x06, "bfe0d8d2d5e22c20dcd8e0", 7, "Привет, мир"},  // ISO-8859-5
      {0x07, "f9ece5ed", 2, "שלום"},                       // ISO-8859-8
      {0x05, "82a087408160878a", 3, "あ①～㈱"},            // CP932, cut through a character
      {0x0D, "a4a2a4a4", 1, "あい"},                       // EUC-JP
      {0x0E, "b0a1b4eb", 3, "가대"},                       // CP949
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.coding));
    const std::string whole = *base::from_hex(row.whole);
    Reassembly reassembly(std::chrono::minutes(30));
    std::optional<Joined> joined;
    for (unsigned part = 1; part <= 2; ++part) {
      const std::string octets = part == 1 ? whole.substr(0, row.cut) : whole.substr(row.cut);
      const Seen seen =
          read_message(deliver(make_header({Position::Kind::udh, 7, 2, part}) + octets, 0x40, row.coding), setting);
      joined = reassembly.add(std::get<SeenPiece>(seen).piece).joined;
    }
    REQUIRE(joined);
    CHECK(joined->text == row.text);
  }
}

TEST_CASE("A '@' at the end of a packed segment is kept where the text goes on") {
  Setting setting;
  setting.split.link = Alphabet::gsm7_packed;
  const auto octets = [&](unsigned part, const std::string& text) {
    const std::string header = make_header({Position::Kind::udh, 7, 2, part});
    return std::get<SeenPiece>(
               read_message(deliver(header + pack_septets(*to_gsm7(to_code_points(text)), header.size()), 0x40),
                            setting))
        .piece.octets;
  };
  const std::string full = std::string(152, 'a') + "@";
  CHECK(octets(1, full).size() == 153);
  CHECK(octets(2, std::string(152, 'a')).size() == 152);
}

TEST_CASE("A receipt's parameters win over its text (SMPP 3.4 §5.3.2.12, §5.3.2.35)") {
  const std::vector<Tlv> tlvs = {{tag::receipted_message_id, std::string("1A2B\0", 5)},
                                 number_tlv(tag::message_state, 5, 1),
                                 {tag::network_error_code, std::string("\x03\x00\x1B", 3)}};
  CHECK(read("id:6699 stat:DELIVRD err:000", tlvs) == "1A2B 5 27 ");
  CHECK(read("", {{tag::receipted_message_id, "1A2B"}, number_tlv(tag::message_state, 2, 1)}) == "1A2B 2  ");
  CHECK(read("id:6699 stat:DELIVRD", {{tag::receipted_message_id, std::string("\0", 1)}}) == "6699 2  ");
  CHECK(read("id:6699 stat:DELIVRD", {number_tlv(tag::message_state, 99, 1)}) == "6699 2  ");
}

TEST_CASE("The segments' receipts fold into one state of the text") {
  Record r = three_segments();
  apply(r, 2, MessageState::delivered);
  apply(r, 0, MessageState::delivered);
  CHECK(told(r) == "");
  apply(r, 1, MessageState::enroute);
  apply(r, 1, MessageState::accepted);
  apply(r, 1, MessageState::unknown);
  CHECK(told(r) == "");
  apply(r, 1, MessageState::delivered);
  CHECK(told(r) == "delivered");
  CHECK(told(r) == "");
  apply(r, 1, MessageState::undeliverable);  // never the reverse
  CHECK(told(r) == "");
  CHECK(r.all(SegmentState::delivered));
}

TEST_CASE("One segment's final failure is the text's, and delivered after failed still counts") {
  for (const auto state : {MessageState::expired, MessageState::deleted, MessageState::undeliverable,
                           MessageState::rejected, MessageState::skipped}) {
    Record r = three_segments();
    apply(r, 0, MessageState::delivered);
    apply(r, 1, state);
    CHECK(told(r) == "failed");
    apply(r, 2, state);
    CHECK(told(r) == "");  // once is enough
    apply(r, 1, MessageState::delivered);
    apply(r, 2, MessageState::delivered);
    CHECK(told(r) == "delivered");
  }
  Record r = three_segments();
  apply(r, 0, MessageState::expired);
  CHECK(told(r) == "failed");
  untold(r, Stage::failed);  // the event could not be stored
  CHECK(told(r) == "failed");
  apply(r, 99, MessageState::delivered);
}

TEST_CASE("A failure is explained in a sentence") {
  CHECK(explain({"1", MessageState::expired, "000", ""}) == "The phone could not be reached in time.");
  CHECK(explain({"1", MessageState::rejected, "27", ""}) == "The network refused the message (code 27).");
}

TEST_CASE("A record is stored and read again; what is on its way is stored as perhaps sent") {
  Record r = three_segments();
  r.reference = 300;
  r.expires = base::from_milliseconds(5000);
  r.segments[0].id = "1A2B";
  r.segments[1].state = SegmentState::unsent;
  r.segments[2].state = SegmentState::written;
  r.segments[2].head = "hello";
  r.told_failed = true;
  auto read_again = parse_record(to_text(r));
  REQUIRE(read_again);
  CHECK(to_text(*read_again) == to_text(r));
  CHECK(read_again->segments[1].state == SegmentState::unsent);
  CHECK(read_again->to == r.to);
  r.in_progress = true;
  CHECK(parse_record(to_text(r))->segments[1].state == SegmentState::written);
  CHECK_FALSE(parse_record("not a record"));
  const std::string row = to_text(r), expires = "/5000/";
  const std::string damaged = std::string(row).replace(row.find(expires), expires.size(), "/9223372036854775807/");
  CHECK(base::to_milliseconds(parse_record(damaged)->expires) == 9'000'000'000'000);  // not beyond what a clock can say
  CHECK_FALSE(parse_record("1/k/+1/+2/0/x/0/0//s/1A/"));
  CHECK_FALSE(parse_record("2/k/+1/+2/0/0/0/0//s/1A/"));
  CHECK_FALSE(parse_record("1/k/+1/+2/0/0/0/0//s/1A"));
  CHECK(parse_record("1/k/+1/+2/0/0/0/0//x/1A/")->segments[0].state == SegmentState::written);
  CHECK_FALSE(parse_record("{}"));
  CHECK(parse_record(R"({"segments":[{"state":"new-fangled"}]})")->segments[0].state == SegmentState::written);
}

TEST_CASE("A record of an earlier release, which wrote JSON, is read as it was written") {
  const auto read = parse_record(
      R"({"key":"1:k","from":"+15550001","to":"+15550100","reference":300,"begun":1000,"expires":5000,"notations":"h",)"
      R"("told_failed":true,"segments":[{"state":"sent","id":"1A/2B"},{"state":"written","head":"hello"}]})");
  REQUIRE(read);
  CHECK(to_text(*read) == "1/1:k/+15550001/+15550100/300/1000/5000/2/h/s/1A%2F2B//w//hello");
  CHECK(to_text(*parse_record(to_text(*read))) == to_text(*read));
}

TEST_CASE("Texts are compared by their first letters and digits, whatever the alphabet") {
  CHECK(head_of("Hej, världen! 123456789") == "Hejvrlden123");
  CHECK(heads_agree("Hejvrlden123", "Hejv"));
  CHECK(heads_agree("Hejvrlden123", ""));
  CHECK_FALSE(heads_agree("Hejvrlden123", "Hello"));
}

TEST_CASE("A submit_sm's status decides: throttled, later, refused, or a person must act (sms.md §1.4)") {
  using Kind = Verdict::Kind;
  const auto kind = [](std::uint32_t status) { return judge(static_cast<Status>(status)).kind; };
  CHECK(kind(0x00) == Kind::accepted);
  CHECK(kind(0x58) == Kind::throttled);
  for (const std::uint32_t s : {0x08U, 0x14U, 0x45U, 0x64U, 0xFFU, 0x102U, 0x04U}) CHECK(kind(s) == Kind::later);
  for (const std::uint32_t s : {0x01U, 0x02U, 0x03U, 0x06U, 0x0AU, 0x0BU, 0x43U, 0x61U, 0x62U, 0x65U, 0x66U, 0xC0U,
                                0xFEU, 0x101U, 0x104U, 0x0400U, 0x04FFU}) {
    CHECK(kind(s) == Kind::refused);
    CHECK_FALSE(judge(static_cast<Status>(s)).text.empty());
  }
  for (const std::uint32_t s : {0x15U, 0x48U, 0x49U, 0x50U, 0x51U, 0x53U}) CHECK(judge(static_cast<Status>(s)).alert);
  CHECK(judge(Status::wrong_bind_state).rebind);
  CHECK(judge(Status::system_error).tries == 3);
  CHECK(judge(Status::queue_full).tries == 0);
}

TEST_CASE("A throttled link pauses, halves its rate and comes back in steps (sms.md §1.4)") {
  using namespace std::chrono_literals;
  Pace::Time now{1000s};
  Pace pace(100, 10, now);
  int sent = 0;
  while (pace.take(now).count() == 0) {
    pace.accepted(now);
    ++sent;
  }
  CHECK(sent == 10);  // never more than a window at once
  now += 500ms;
  CHECK(pace.take(now).count() == 0);
  pace.throttled(now);
  pace.throttled(now);  // the rest of the window says so too
  CHECK(pace.take(now) == 1s);
  CHECK(pace.rate() == doctest::Approx(5));  // half of the ten that were taken in this second
  double rate = pace.rate();
  for (int second = 0; second < 5; ++second) {
    now += 1s;
    while (pace.take(now).count() == 0) pace.accepted(now);
  }
  CHECK(pace.rate() > rate);
  for (int second = 0; second < 200; ++second) pace.accepted(now += 1s);
  CHECK(pace.rate() == doctest::Approx(100));

  Pace free(0, 10, now);
  CHECK(free.take(now).count() == 0);
  CHECK(free.rate() == 0);
  free.throttled(now);
  CHECK(free.rate() > 0);
  for (int second = 0; second < 200; ++second) free.accepted(now += 1s);
  CHECK(free.rate() == 0);  // a passing weakness
}

TEST_CASE("A deliver_sm is a text, a segment or a receipt by its bits and parameters (SMPP 3.4 §5.2.12)") {
  Setting setting;
  const auto seen = [&](const ShortMessage& m) { return read_message(m, setting); };
  CHECK(std::get<SeenText>(seen(deliver("hi"))).text == "hi");
  CHECK(std::get<SeenText>(seen(deliver(std::string("\x04\x20\xD8\x3D\xDE\x00", 6).substr(0, 2), 0, 8))).text == "Р");
  CHECK(std::get<SeenText>(seen(deliver("\x1B\x65", 0, 0))).text == "€");

  const std::string udh = make_header({Position::Kind::udh, 7, 2, 1});
  const auto piece = std::get<SeenPiece>(seen(deliver(udh + "part", 0x40 | 0x03)));
  CHECK(piece.piece.part == 1);
  CHECK(piece.piece.total == 2);
  CHECK(piece.piece.octets == "part");
  CHECK(group_sender(piece.piece.group) == Address{Address::Type::international, "+15550100"});
  CHECK(group_receiver(piece.piece.group) == Address{Address::Type::international, "+15550001"});
  CHECK(std::get<SeenText>(seen(deliver(make_header({Position::Kind::udh, 7, 1, 1}) + "only", 0x40))).text == "only");
  CHECK(std::get<SeenText>(seen(deliver("\x7F lies", 0x40))).text == "à lies");  // no header there

  ShortMessage sar = deliver("sar");
  sar.tlvs = {number_tlv(tag::sar_msg_ref_num, 9, 2), number_tlv(tag::sar_total_segments, 2, 1),
              number_tlv(tag::sar_segment_seqnum, 2, 1)};
  CHECK(std::get<SeenPiece>(seen(sar)).piece.part == 2);
  CHECK(std::get<SeenPiece>(seen(sar)).piece.group != piece.piece.group);
  sar.tlvs[2] = number_tlv(tag::sar_segment_seqnum, 3, 1);
  CHECK(std::holds_alternative<SeenText>(seen(sar)));

  ShortMessage payload = deliver("");
  payload.tlvs = {{tag::message_payload, "long text"}};
  CHECK(std::get<SeenText>(seen(payload)).text == "long text");

  const std::string receipt = "id:1_2 stat:DELIVRD text:x";
  CHECK(std::get<SeenReceipt>(seen(deliver(receipt, 0x04))).receipt.id == "1_2");
  CHECK(std::get<SeenReceipt>(seen(deliver(receipt, 0x44))).certain);
  CHECK_FALSE(std::get<SeenReceipt>(seen(deliver(receipt, 0x00))).certain);
  CHECK(std::holds_alternative<SeenNothing>(seen(deliver("nothing of the kind", 0x04))));
  CHECK(std::holds_alternative<SeenNothing>(seen(deliver(receipt, 0x20))));
  CHECK(std::holds_alternative<SeenNothing>(seen(deliver("", 0, 0xC8))));
  CHECK(std::get<SeenText>(seen(deliver("\x01\x02\x03", 0, 4))).text == "[3 bytes of data that is not text]");
  setting.binary_is_text = true;
  CHECK(std::get<SeenText>(seen(deliver("abc", 0, 4))).text == "abc");

  setting.split.link = Alphabet::gsm7_packed;
  CHECK(std::get<SeenText>(seen(deliver(pack_septets("hellohello")))).text == "hellohello");
  const auto packed_piece = std::get<SeenPiece>(seen(deliver(udh + pack_septets("hellohello", udh.size()), 0x40)));
  CHECK(packed_piece.piece.octets == "hellohello");
}
