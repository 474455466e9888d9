#include "connectors/sms/smpp/wire/pdu.hpp"
#include "gateway/base/text.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace wherry;
using namespace wherry::sms::smpp;

namespace {

std::string hex(std::string_view octets) { return base::to_hex(octets); }
std::string bytes(std::string_view h) { return *base::from_hex(h); }

const std::string submit_pdu =
    "0000003d00000004000000000000000700050041434d450001013135353530303031004000000000010008000a050003070201006800690204"
    "00021234";
const std::string receipt_pdu =
    "0000009d000000050000000000000003000101313535353030303100000031303030000400000000000000006269643a36363939207375623a"
    "3030312064"
    "6c7672643a303031207375626d697420646174653a3236313132323132303920646f6e6520646174653a323631313232313231302073746174"
    "3a44454c49"
    "564244206572723a30303020746578743a68690427000102001e00053141324200";

ShortMessage submit_of_appendix() {
  ShortMessage m;
  m.source = {5, 0, "ACME"};
  m.destination = {1, 1, "15550001"};
  m.esm_class = 0x40;
  m.registered_delivery = 1;
  m.data_coding = 8;
  m.text = bytes("05000307020100680069");
  m.tlvs = {number_tlv(tag::user_message_reference, 0x1234, 2)};
  return m;
}

}  // namespace

TEST_CASE("PDUs are written as libsmpp34 writes them (SMPP 3.4 §4, §5)") {
  Bind bind;
  bind.system_id = "esme";
  bind.password = "secret";
  CHECK(hex(encode(Command::bind_transceiver, Status::ok, 1, encode_body(bind))) ==
        "0000002100000009000000000000000165736d6500736563726574000034000000");
  CHECK(hex(encode(Command::enquire_link, Status::ok, 2)) == "00000010000000150000000000000002");
  CHECK(hex(encode(Command::generic_nack, Status::invalid_command, 9)) == "00000010800000000000000300000009");
  CHECK(hex(encode(response_to(Command::submit_sm), Status::ok, 7, encode_c_string("1A2B"))) ==
        "000000158000000400000000000000073141324200");
  CHECK(hex(encode(Command::submit_sm, Status::ok, 7, encode_body(submit_of_appendix(), Command::submit_sm))) ==
        submit_pdu);
}

TEST_CASE("PDUs are read as libsmpp34 writes them (SMPP 3.4 §4.4, §4.6, §5.3)") {
  const std::string submit = bytes(submit_pdu);
  const Header header = decode_header(submit);
  CHECK(header.length == submit.size());
  CHECK(header.command == Command::submit_sm);
  CHECK(header.sequence == 7);
  const auto read = decode_short_message(Command::submit_sm, std::string_view(submit).substr(16));
  CHECK(read.status == Status::ok);
  CHECK(read.message == submit_of_appendix());

  const std::string receipt = bytes(receipt_pdu);
  const auto deliver = decode_short_message(Command::deliver_sm, std::string_view(receipt).substr(16));
  CHECK(deliver.status == Status::ok);
  CHECK(deliver.message.esm_class == 4);
  CHECK(deliver.message.source.digits == "15550001");
  CHECK(*tlv_text(deliver.message.tlvs, tag::receipted_message_id) == "1A2B");
  CHECK(*tlv_number(deliver.message.tlvs, tag::message_state) == 2);
  CHECK(deliver.message.text.starts_with("id:6699 sub:001"));
}

TEST_CASE("data_sm has its text in message_payload (SMPP 3.4 §4.7.1)") {
  ShortMessage m;
  m.source = {1, 1, "15550100"};
  m.destination = {1, 1, "15550001"};
  m.esm_class = 4;
  m.data_coding = 3;
  m.tlvs = {{tag::message_payload, std::string(1000, 'x')}};
  const auto read = decode_short_message(Command::data_sm, encode_body(m, Command::data_sm));
  CHECK(read.status == Status::ok);
  CHECK(read.message == m);
  CHECK(read.message.user_data().size() == 1000);
}

TEST_CASE("A malformed message gets the status that names its fault (SMPP 3.4 §5.1.3)") {
  const std::string body = bytes(receipt_pdu).substr(16);
  const auto status = [](std::string_view b) { return decode_short_message(Command::deliver_sm, b).status; };
  CHECK(status("") == Status::invalid_message_length);
  CHECK(status(std::string(20, 'x')) == Status::invalid_message_length);  // no NUL anywhere
  CHECK(status(body.substr(0, 30)) == Status::invalid_message_length);    // cut in the fields
  CHECK(status(body.substr(0, 100)) == Status::invalid_message_length);   // cut in the text
  CHECK(status(body + std::string("\0\0\0", 3)) == Status::ok);           // loose octets at the end are forgiven
  ShortMessage endless;
  endless.source.digits = std::string(500, '1');
  CHECK(status(encode_body(endless, Command::deliver_sm)) == Status::invalid_source);
  endless.source.digits = "1";
  endless.destination.digits = std::string(500, '1');
  CHECK(status(encode_body(endless, Command::deliver_sm)) == Status::invalid_destination);
}

TEST_CASE("A text with a parameter that is cut off is read; without a text there is nothing to read (SMPP 3.4 §5.3)") {
  const std::string body = bytes(receipt_pdu).substr(16);
  for (const std::string& cut : {body.substr(0, body.size() - 1), body + std::string("\x00\x1E\xFF\xFF", 4)}) {
    const auto read = decode_short_message(Command::deliver_sm, cut);
    CHECK(read.status == Status::ok);
    CHECK(read.is_cut);
    CHECK(read.message.text.starts_with("id:6699 "));
    CHECK(*tlv_number(read.message.tlvs, tag::message_state) == 2);
  }
  CHECK_FALSE(decode_short_message(Command::deliver_sm, body).is_cut);
  ShortMessage empty;
  empty.source.digits = empty.destination.digits = "1";
  const std::string cut = std::string("\x04\x24\x00\x05hi", 6);  // five octets of message_payload, says the parameter
  CHECK(decode_short_message(Command::data_sm, encode_body(empty, Command::data_sm) + cut).status ==
        Status::invalid_tlv_stream);
  CHECK(decode_short_message(Command::deliver_sm, encode_body(empty, Command::deliver_sm) + cut).status ==
        Status::invalid_tlv_stream);
}

TEST_CASE("A response's name may lack its NUL, its body, everything (SMPP 3.4 §4.4.2)") {
  CHECK(decode_named_response("").name.empty());
  CHECK(decode_named_response("1A2B").name == "1A2B");
  CHECK(decode_named_response(std::string("1A2B\0", 5)).name == "1A2B");
  const auto bound = decode_named_response(std::string("SMSC\0\x02\x10\x00\x01\x34", 10));
  CHECK(bound.name == "SMSC");
  CHECK(*tlv_number(bound.tlvs, tag::sc_interface_version) == 0x34);
}

TEST_CASE("Statuses are named for people, and unknown ones by their number") {
  CHECK(to_string(Status::throttled) == "ESME_RTHROTTLED");
  CHECK(to_string(static_cast<Status>(0x0401)) == "0x00000401");
}

TEST_CASE("Any message survives the way out and back (seeded)") {
  std::mt19937 random(1);
  const auto text = [&](std::size_t most, bool any) {
    std::string s(random() % (most + 1), 'x');
    for (char& c : s) c = static_cast<char>(any ? random() % 256 : 0x21 + random() % 90);
    return s;
  };
  const auto octet = [&] { return static_cast<std::uint8_t>(random() % 256); };
  for (int round = 0; round < 2000; ++round) {
    ShortMessage m;
    m.service_type = text(5, false);
    m.source = {octet(), octet(), text(20, false)};
    m.destination = {octet(), octet(), text(20, false)};
    m.esm_class = octet();
    m.registered_delivery = octet();
    m.data_coding = octet();
    const bool data = round % 2;
    if (!data) {
      m.protocol_id = octet();
      m.priority = octet();
      m.schedule = text(16, false);
      m.validity = text(16, false);
      m.replace_if_present = octet();
      m.default_message = octet();
      m.text = text(254, true);
    }
    for (std::size_t i = random() % 4; i > 0; --i)
      m.tlvs.push_back({static_cast<std::uint16_t>(random()), text(40, true)});
    const Command command = data ? Command::data_sm : Command::submit_sm;
    const auto read = decode_short_message(command, encode_body(m, command));
    REQUIRE(read.status == Status::ok);
    CHECK(read.message == m);
  }
}

TEST_CASE("The decoder takes any octets (seeded)") {
  std::mt19937 random(2);
  const std::string good = bytes(receipt_pdu).substr(16);
  for (int round = 0; round < 20000; ++round) {
    std::string body = random() % 2 ? good : std::string(random() % 80, '\0');
    for (std::size_t i = random() % 8; i > 0 && !body.empty(); --i)
      body[random() % body.size()] = static_cast<char>(random() % 256);
    body.resize(random() % 3 ? body.size() : random() % (body.size() + 1));
    const auto read = decode_short_message(random() % 2 ? Command::deliver_sm : Command::data_sm, body);
    CHECK(read.message.text.size() <= body.size());
    (void)decode_named_response(body);
  }
}
