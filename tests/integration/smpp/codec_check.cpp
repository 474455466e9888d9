// Our SMPP codec against libsmpp34, another implementation in C: what one writes the other must read, and the other way
// about, for many random PDUs. `codec_check SEED ROUNDS`; `codec_check gsm` prints our GSM 7 table for comparison.
#include "connectors/sms/smpp/wire/pdu.hpp"
#include "connectors/sms/text/encoding.hpp"
#include "gateway/base/text.hpp"

extern "C" {  // each of these headers needs those before it
#include <netinet/in.h>

#include <libsmpp34/smpp34.h>

#include <libsmpp34/smpp34_structs.h>

#include <libsmpp34/smpp34_params.h>
}

#include <cstdio>
#include <cstring>
#include <iostream>
#include <random>
#include <string>

namespace {

using namespace wherry;
using namespace wherry::sms::smpp;

int failures = 0;
int unwritten = 0;  // by libsmpp34

void expect(bool right, const char* what, std::string_view octets) {
  if (right) return;
  ++failures;
  std::cerr << "differs: " << what << "; PDU " << base::to_hex(octets) << "; libsmpp34 says " << smpp34_strerror
            << "\n";
}

struct Random {
  std::mt19937 generator;
  std::size_t below(std::size_t n) { return generator() % n; }
  std::uint8_t octet() { return static_cast<std::uint8_t>(generator()); }
  std::string word(std::size_t most) {
    std::string s(below(most + 1), '0');
    for (char& c : s) c = static_cast<char>('0' + below(10));
    return s;
  }
  std::string data(std::size_t most) {
    std::string s(below(most + 1), '\0');
    for (char& c : s) c = static_cast<char>(octet());
    return s;
  }
};

// libsmpp34 knows which values are legal; only those are tried.
ShortMessage random_message(Random& random, Command command) {
  const bool data = command == Command::data_sm;
  static constexpr std::uint8_t tons[] = {0, 1, 2, 3, 4, 5, 6}, npis[] = {0, 1, 3, 4, 6, 8, 9, 10, 14, 18};
  ShortMessage m;
  m.service_type = random.word(5);
  m.source = {tons[random.below(7)], npis[random.below(10)], random.word(20)};
  m.destination = {tons[random.below(7)], npis[random.below(10)], random.word(20)};
  m.esm_class = random.octet();
  m.registered_delivery = random.octet();
  m.data_coding = random.octet();
  if (!data) {
    m.protocol_id = random.octet();
    m.priority = random.octet();
    if (command == Command::submit_sm && random.below(2))
      m.validity = "000003000000000R";  // empty in deliver_sm (§4.6.1)
    m.replace_if_present = random.octet();
    m.default_message = random.octet();
    m.text = random.data(254);
  }
  if (random.below(2)) m.tlvs.push_back(number_tlv(tag::user_message_reference, random.octet() * 256U, 2));
  if (random.below(2)) m.tlvs.push_back(number_tlv(tag::sar_msg_ref_num, random.octet(), 2));
  if (data || random.below(4) == 0) m.tlvs.push_back({tag::message_payload, random.data(900) + "x"});
  return m;
}

template <class Theirs>
bool same_head(const Theirs& t, const ShortMessage& m) {
  const auto text = [](const std::uint8_t* field) { return std::string(reinterpret_cast<const char*>(field)); };
  return text(t.service_type) == m.service_type && t.source_addr_ton == m.source.ton &&
         t.source_addr_npi == m.source.npi && text(t.source_addr) == m.source.digits &&
         t.dest_addr_ton == m.destination.ton && t.dest_addr_npi == m.destination.npi &&
         text(t.destination_addr) == m.destination.digits && t.esm_class == m.esm_class &&
         t.registered_delivery == m.registered_delivery && t.data_coding == m.data_coding;
}

bool same_tlvs(const tlv_t* theirs, const ShortMessage& m) {
  std::size_t count = 0;
  for (const tlv_t* tlv = theirs; tlv; tlv = tlv->next) {
    const std::string* ours = find_tlv(m.tlvs, tlv->tag);
    if (!ours || ours->size() != tlv->length) return false;
    const bool numeric = tlv->tag == tag::user_message_reference || tlv->tag == tag::sar_msg_ref_num;
    if (numeric ? tlv->value.val16 != *tlv_number(m.tlvs, tlv->tag)
                : std::memcmp(tlv->value.octet, ours->data(), ours->size()) != 0)
      return false;
    ++count;
  }
  return count == m.tlvs.size();
}

template <class Theirs>
void there_and_back(Command command, const ShortMessage& m, std::uint32_t sequence) {
  const std::string pdu = encode(command, Status::ok, sequence, encode_body(m, command));
  struct Owned : Theirs {
    ~Owned() { destroy_tlv(this->tlv); }
  } theirs{};
  const bool read =
      smpp34_unpack2(&theirs, reinterpret_cast<const std::uint8_t*>(pdu.data()), static_cast<int>(pdu.size())) == 0;
  expect(read, "it cannot read ours", pdu);
  if (!read) return;
  expect(theirs.command_length == pdu.size() && theirs.sequence_number == sequence, "the header", pdu);
  expect(same_head(theirs, m), "the fields", pdu);
  expect(same_tlvs(theirs.tlv, m), "the parameters", pdu);

  std::string written(8192, '\0');
  int length = 0;
  const bool wrote = smpp34_pack2(reinterpret_cast<std::uint8_t*>(written.data()), static_cast<int>(written.size()),
                                  &length, &theirs) == 0;
  // It reads some PDUs that it does not write again; those are counted, and only one way is compared.
  if (!wrote) ++unwritten;
  if (!wrote) return;
  written.resize(static_cast<std::size_t>(length));
  const Header header = decode_header(written);
  expect(header.length == written.size() && header.command == command && header.sequence == sequence, "its header",
         written);
  const auto back = decode_short_message(command, std::string_view(written).substr(header_octets));
  expect(back.status == Status::ok, "we cannot read its", written);
  expect(back.message.text == m.text && back.message.source == m.source && back.message.destination == m.destination &&
             back.message.data_coding == m.data_coding && back.message.tlvs.size() == m.tlvs.size(),
         "its fields", written);
}

void bind_there_and_back(Random& random, std::uint32_t sequence) {
  Bind bind;
  bind.system_id = random.word(15);
  bind.password = random.word(8);
  bind.system_type = random.word(12);
  bind.address_range = random.word(40);
  const std::string pdu = encode(Command::bind_transceiver, Status::ok, sequence, encode_body(bind));
  bind_transceiver_t theirs{};
  const bool read =
      smpp34_unpack2(&theirs, reinterpret_cast<const std::uint8_t*>(pdu.data()), static_cast<int>(pdu.size())) == 0;
  expect(read && reinterpret_cast<const char*>(theirs.system_id) == bind.system_id &&
             reinterpret_cast<const char*>(theirs.password) == bind.password && theirs.interface_version == 0x34,
         "bind_transceiver", pdu);
}

void print_gsm() {
  for (char32_t c = 0; c <= 0xFFFD; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    if (const auto septets = sms::to_gsm7(std::u32string(1, c)))
      std::printf("U+%04X %s\n", static_cast<unsigned>(c), base::to_hex(*septets).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "gsm") {
    print_gsm();
    return 0;
  }
  Random random{std::mt19937(argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1)};
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 2000;
  for (int round = 1; round <= rounds && failures < 10; ++round) {
    const auto sequence = static_cast<std::uint32_t>(round);
    there_and_back<submit_sm_t>(Command::submit_sm, random_message(random, Command::submit_sm), sequence);
    there_and_back<deliver_sm_t>(Command::deliver_sm, random_message(random, Command::deliver_sm), sequence);
    there_and_back<data_sm_t>(Command::data_sm, random_message(random, Command::data_sm), sequence);
    bind_there_and_back(random, sequence);
  }
  std::cout << rounds << " rounds, " << failures << " differences, " << unwritten
            << " that libsmpp34 read and did not write\n";
  return failures || unwritten > rounds / 4 ? 1 : 0;
}
