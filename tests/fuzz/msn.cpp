// What a server of MSNP sends: cut or whole it is read alike, a session ends or goes on, every payload is read as
// something, and whom a list names is not missed in the same list.
#include "connectors/msn/client/notification.hpp"
#include "connectors/msn/client/switchboard.hpp"
#include "connectors/msn/convert/letters.hpp"
#include "connectors/msn/convert/message.hpp"
#include "connectors/msn/convert/status.hpp"
#include "connectors/msn/roster.hpp"
#include "gateway/base/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace wherry::msn;

namespace {

constexpr Time begin{};

void read_payloads(std::string_view bytes) {
  HOLDS(wherry::base::is_utf8(read_payload(bytes).text));
  HOLDS(wherry::base::is_utf8(parse_personal_message(bytes)));
  HOLDS(wherry::base::is_utf8(parse_picture_name(bytes)));
  ChunkedTexts chunks;
  (void)chunks.add(bytes);
  (void)chunks.add(bytes);
  chunks.give_up();
  for (const auto& torn : chunks.take_torn()) HOLDS(wherry::base::is_utf8(read_payload(torn.payload).text));
}

// What comes once the list is begun: two lines of it, and then the session.
void read_session(std::string_view bytes) {
  Notification machine("a@x.test", begin);
  machine.feed("VER 1 MSNP12\r\nCVR 2 a b c d e\r\nUSR 3 TWN S p\r\n", begin);
  machine.give_ticket("t", begin);
  machine.feed("USR 4 OK a@x.test 1 0\r\nSYN 5 0 0 2 0\r\n", begin);
  machine.feed(bytes, begin);
  Contacts contacts;
  for (const auto& event : machine.take_events()) {
    if (const auto* signed_in = std::get_if<SignedIn>(&event)) {
      contacts.begin(signed_in->roster, bytes);
      const std::string memory = contacts.memory();
      const std::size_t events = contacts.begin(signed_in->roster).size();
      if (signed_in->roster.unread + signed_in->roster.left_out == 0)
        HOLDS(contacts.begin(signed_in->roster, memory).size() == events);
    }
    if (const auto* changed = std::get_if<StatusChanged>(&event)) (void)contacts.take(*changed);
    if (const auto* added = std::get_if<AddedUs>(&event)) (void)contacts.take(*added);
    if (const auto* removed = std::get_if<RemovedUs>(&event)) (void)contacts.take(*removed);
  }
}

// What the server of offline messages answers.
void read_letters(std::string_view bytes) {
  const wherry::base::Time now{};
  if (const auto notice = read_mail_notice(bytes)) HOLDS(notice->notes.size() <= 1000);
  const MailNotice list = parse_mail_data(bytes);
  const LetterNote note = list.notes.empty() ? LetterNote{} : list.notes.front();
  if (const auto letter = parse_letter(bytes, note, now)) {
    HOLDS(wherry::base::is_utf8(letter->text));
    HOLDS(letter->written <= now);
  }
  (void)parse_fault(bytes);
  (void)parse_mail_date(bytes);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wherry::fuzz::Input input(data, size);
  const std::size_t step = input.byte() + std::size_t{1};
  const std::string_view bytes = input.rest();

  Notification whole("a@x.test", begin), cut("a@x.test", begin);
  whole.feed(bytes, begin);
  for (std::size_t i = 0; i < bytes.size(); i += step) cut.feed(bytes.substr(i, step), begin);
  HOLDS(whole.take_events().size() == cut.take_events().size());
  HOLDS(whole.protocol().ended() == cut.protocol().ended());
  HOLDS(whole.protocol().take_output() == cut.protocol().take_output());

  Switchboard board = Switchboard::create("a@x.test", "key", begin);
  board.feed(bytes, begin);
  for (const auto& event : board.take_events()) {
    if (const auto* heard = std::get_if<Heard>(&event)) read_payloads(heard->payload);
  }
  read_payloads(bytes);
  read_letters(bytes);
  read_session(bytes);
  return 0;
}
