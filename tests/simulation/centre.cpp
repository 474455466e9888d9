#include "tests/simulation/centre.hpp"

#include "connectors/sms/text/segments.hpp"
#include "tests/simulation/sms_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace wherry::simulation {

using smpp::Command;
using smpp::MessageState;
using smpp::Status;

namespace {

constexpr std::size_t most_unanswered = 4;  // deliver_sm on one link
constexpr Microseconds a_second = 1'000'000;
constexpr Microseconds answered_too_late = 65 * a_second;  // the connector waits for a minute
constexpr std::uint8_t receipt_bits = 0x04, intermediate_bits = 0x20, header_bit = 0x40;
constexpr std::uint8_t wide_coding = 8;

// Our bodies are ASCII and Cyrillic; GSM 7 has the same octets for what they have of ASCII.
std::string to_wide(std::string_view text) {
  std::string wide;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned unit = static_cast<unsigned char>(text[i]);
    if (unit >= 0xC0 && i + 1 < text.size())
      unit = (unit & 0x1FU) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3FU);
    wide += static_cast<char>(unit >> 8);
    wide += static_cast<char>(unit & 0xFFU);
  }
  return wide;
}

smpp::NetworkAddress written(const std::string& number) { return {1, 1, number.substr(1)}; }

std::string from_wide(std::string_view octets) {
  std::string text;
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) {
    const unsigned unit = static_cast<unsigned char>(octets[i]) * 256U + static_cast<unsigned char>(octets[i + 1]);
    if (unit >= 0x80) text += static_cast<char>(0xC0U | unit >> 6);
    text += static_cast<char>(unit >= 0x80 ? 0x80U | (unit & 0x3FU) : unit);
  }
  return text;
}

Part read_part(const smpp::ShortMessage& message) {
  Part part;
  part.from = "+" + message.source.digits;
  part.to = "+" + message.destination.digits;
  std::string_view data = message.user_data();
  if ((message.esm_class & header_bit) != 0) {
    const auto header = sms::parse_header(data);
    if (header && header->position) {
      part.reference = header->position->reference;
      part.total = header->position->total;
      part.number = header->position->part;
    }
    if (header) data.remove_prefix(header->octets);
  }
  if (const auto total = tlv_number(message.tlvs, smpp::tag::sar_total_segments)) {
    part.reference = tlv_number(message.tlvs, smpp::tag::sar_msg_ref_num).value_or(0);
    part.total = *total;
    part.number = tlv_number(message.tlvs, smpp::tag::sar_segment_seqnum).value_or(1);
  }
  part.octets = data;
  part.text = message.data_coding == wide_coding ? from_wide(data) : std::string(data);
  return part;
}

const char* name_of(MessageState state) {
  switch (state) {
    case MessageState::delivered: return "DELIVRD";
    case MessageState::enroute: return "ENROUTE";
    case MessageState::expired: return "EXPIRED";
    default: return "UNDELIV";
  }
}

}  // namespace

// What it does with one submit_sm.
struct Centre::Outcome {
  enum class Kind { taken, cut_before, cut_after, silent, late };
  Kind kind = Kind::taken;
};

// One link. What either side writes arrives in order, each a little after the one before.
struct Centre::Bind {
  std::uint64_t number = 0;
  std::shared_ptr<Wire> wire;
  std::string input;
  bool transmits = false, receives = false;  // once it is bound
  bool is_over = false;                      // nothing of it counts any more
  std::uint32_t sequence = 0;
  std::size_t unanswered = 0;
  Microseconds last_in = 0, last_out = 0;
};

Centre::Centre(asio::io_context& loop, int index, SmsNetwork& network)
    : loop_(loop),
      index_(index),
      network_(network),
      recorder_(network.recorder()),
      numbers_(
          static_cast<std::uint64_t>(network.draw().between(1, 300, "first_id", static_cast<std::uint64_t>(index)))),
      next_parcel_(loop) {}

const CarrierTraits& Centre::traits() const { return recorder_.plan.carriers[static_cast<std::size_t>(index_)]; }
std::string Centre::name() const { return fmt::format("centre{}", index_ + 1); }

nlohmann::json Centre::configuration() const {
  constexpr std::array concatenations = {"udh", "udh16", "sar"};
  return {{"name", name()},
          {"type", "smpp"},
          {"host", name()},
          {"system_id", "wherry"},
          {"password", "secret"},
          {"bind", traits().two_binds ? "transmitter_receiver" : "transceiver"},
          {"concatenation", concatenations.at(static_cast<std::size_t>(traits().concatenation))},
          {"window", traits().window}};
}

Microseconds Centre::delay(std::string_view purpose, std::uint64_t a) const {
  return network_.delay(purpose, static_cast<std::uint64_t>(index_), a) / 4;
}
bool Centre::happens(int per_mille, std::string_view purpose, std::uint64_t a, std::uint64_t b) const {
  return recorder_.draw.happens(per_mille, purpose, a * 16 + static_cast<std::uint64_t>(index_), b);
}
bool Centre::fails(std::string_view purpose, std::uint64_t a, std::uint64_t b) const {
  return !recorder_.is_healed() && happens(recorder_.plan.bad_luck, purpose, a, b);
}

void Centre::later(Microseconds due, std::function<void()> then) {
  const auto timer = std::make_shared<asio::steady_timer>(loop_);
  timer->expires_after(std::chrono::microseconds(std::max<Microseconds>(due - now(), 0)));
  timer->async_wait([timer, then = std::move(then)](boost::system::error_code) { then(); });
}

void Centre::note(const std::string& what) {
  recorder_.add(What::note, network_.name(), "", "", "", name() + " " + what);
}

// ---- One link ----

std::shared_ptr<Wire> Centre::connect(asio::any_io_executor executor) {
  ++connections_;
  if (network_.is_away()) return nullptr;
  const auto bind = std::make_shared<Bind>();
  bind->number = connections_;
  bind->wire = std::make_shared<Wire>(std::move(executor));
  const std::weak_ptr<Bind> weak = bind;
  bind->wire->wrote = [this, weak](std::string_view octets) {
    if (const auto alive = weak.lock()) read(alive, octets);
  };
  // What was written before the end still arrives, or is lost with the connection.
  bind->wire->closed = [this, bind] {
    if (happens(300, "lost_with_the_link", bind->number)) return forget(bind);
    later(bind->last_in + 1, [this, bind] { forget(bind); });
  };
  binds_.push_back(bind);
  return bind->wire;
}

void Centre::read(const BindPtr& bind, std::string_view octets) {
  bind->input += octets;
  while (bind->input.size() >= smpp::header_octets) {
    const smpp::Header header = smpp::decode_header(bind->input);
    if (bind->input.size() < header.length) return;
    std::string body = bind->input.substr(smpp::header_octets, header.length - smpp::header_octets);
    bind->input.erase(0, header.length);
    bind->last_in = std::max(bind->last_in + 1, now() + delay("reads", ++events_));
    later(bind->last_in, [this, bind, header, body = std::move(body)] {
      if (!bind->is_over) handle(bind, header, body);
    });
  }
}

void Centre::handle(const BindPtr& bind, const smpp::Header& header, const std::string& body) {
  switch (header.command) {
    case Command::bind_receiver:
    case Command::bind_transmitter:
    case Command::bind_transceiver: return accept_bind(bind, header);
    case Command::submit_sm: return submit(bind, header, body);
    case Command::enquire_link:
      if (!fails("deaf", ++events_) || !happens(100, "deaf_now", events_)) answer(bind, header, Status::ok);
      return;
    case Command::unbind:
      // Some close without a word.
      if (!happens(200, "says_no_farewell", bind->number)) answer(bind, header, Status::ok);
      return later(bind->last_out + 1, [this, bind] { forget(bind); });
    default: break;
  }
  if (header.command == response_to(Command::deliver_sm)) acknowledged(bind, header);
}

void Centre::accept_bind(const BindPtr& bind, const smpp::Header& header) {
  if (fails("bind", connections_) && happens(300, "already_bound", connections_))
    return answer(bind, header, Status::already_bound);
  bind->transmits = header.command != Command::bind_receiver;
  bind->receives = header.command != Command::bind_transmitter;
  answer(bind, header, Status::ok, "CENTRE");
  later(bind->last_out + 1, [this] { pump(); });
}

void Centre::say(const BindPtr& bind, std::string octets, Microseconds after) {
  bind->last_out = std::max(bind->last_out + 1, now() + after + delay("writes", ++events_));
  later(bind->last_out, [bind, octets = std::move(octets)] {
    if (!bind->is_over) bind->wire->say(octets);
  });
}

void Centre::answer(const BindPtr& bind, const smpp::Header& request, Status status, const std::string& id,
                    Microseconds after) {
  say(bind, encode(response_to(request.command), status, request.sequence, id.empty() ? "" : smpp::encode_c_string(id)),
      after);
}

void Centre::cut(const BindPtr& bind) {
  if (bind->is_over) return;
  note(fmt::format("breaks link {}", bind->number));
  bind->wire->cut();
  forget(bind);
}

// What was written to it and not acknowledged is to be delivered again.
void Centre::forget(const BindPtr& bind) {
  if (std::exchange(bind->is_over, true)) return;
  binds_.remove(bind);
  bind->wire->cut();
  parcels_.remove_if([&](const Parcel& p) { return p.is_receipt && p.bind == bind->number && tells_once(); });
  for (Parcel& parcel : parcels_) {
    if (parcel.bind == bind->number) parcel.bind = 0;
  }
  pump();
}

void Centre::break_links() {
  for (const BindPtr& bind : std::list<BindPtr>(binds_)) cut(bind);
}

void Centre::process_died() {
  // A new process cannot tell a receipt that comes again from one for a later text with the same id
  // (connectors/sms/README.md).
  if (traits().ids == Ids::by_recipient)
    parcels_.remove_if([](const Parcel& parcel) { return parcel.is_receipt && parcel.bind != 0; });
  for (const BindPtr& bind : std::list<BindPtr>(binds_)) bind->wire->orphan();
}

// ---- Texts from us ----

void Centre::submit(const BindPtr& bind, const smpp::Header& header, const std::string& body) {
  const Part part = read_part(smpp::decode_short_message(header.command, body).message);
  const std::string part_name = fmt::format("{}: {}", part.name(), part.octets);
  const std::uint64_t about = hash_of(part_name), attempt = ++attempts_[part_name];
  const auto text = network_.text_of(part);
  if (const auto status = refusal(*text, part, attempt)) {
    note(fmt::format("refuses part {} of {} from {} to {}: {}", part.number, part.total, text->user, text->contact,
                     to_string(*status)));
    return answer(bind, header, *status);
  }
  auto kind = Outcome::Kind::taken;
  if (fails("submit", about, attempt)) {
    constexpr std::array kinds = {Outcome::Kind::cut_before, Outcome::Kind::cut_after, Outcome::Kind::silent,
                                  Outcome::Kind::late, Outcome::Kind::taken};
    kind = kinds.at(static_cast<std::size_t>(recorder_.draw.between(0, kinds.size() - 1, "outcome", about, attempt)));
  }
  if (kind == Outcome::Kind::cut_before) return cut(bind);
  if (kind != Outcome::Kind::taken || !has_plain_receipts()) text->is_plain = false;
  const std::string id = next_id(*text, part);
  const bool early = traits().receipts != ReceiptForm::unmarked && happens(150, "early", about, attempt);
  network_.accepted(text, part);
  report(text, part, id, early);
  if (kind == Outcome::Kind::cut_after) return cut(bind);
  if (kind == Outcome::Kind::silent) return;
  const Microseconds after = kind == Outcome::Kind::late ? answered_too_late : early ? delay("answers", about) * 4 : 0;
  if (kind != Outcome::Kind::late) return answer(bind, header, Status::ok, id, after);
  later(now() + after, [this, bind, header, id] {
    if (!bind->is_over) answer(bind, header, Status::ok, id);
  });
}

// Where all segments have one id, a receipt that comes again cannot be told from another segment's; and one that is not
// marked becomes a text once nobody waits for it (connectors/sms/README.md).
bool Centre::tells_once() const { return traits().ids == Ids::by_text || traits().receipts == ReceiptForm::unmarked; }

// Their ids are read in one way only, and they are nothing but receipts.
bool Centre::has_plain_receipts() const {
  const Ids ids = traits().ids;
  return traits().receipts != ReceiptForm::unmarked &&
         (ids == Ids::names || ids == Ids::by_recipient || ids == Ids::by_text);
}

// A passing trouble meets all parts of a text at once, and each text once: it is never the reason to give a text up.
std::optional<Status> Centre::refusal(PhoneText& text, const Part& part, std::uint64_t attempt) {
  constexpr std::array passing = {Status::system_error, Status::unknown_error, Status::temporary_failure,
                                  Status::queue_full};
  const std::uint64_t about = hash_of(part.name());
  if (!std::exchange(text.is_put_off, true) && fails("puts_off", about) && happens(500, "puts_off_now", about))
    text.put_off_until = now() + 10 * a_second;
  if (now() < text.put_off_until)
    return passing.at(static_cast<std::size_t>(recorder_.draw.between(0, passing.size() - 1, "passing", about)));
  const std::uint64_t part_about = about + part.number;
  if (attempt <= 2 && fails("throttles", part_about, attempt) && happens(300, "throttles_now", part_about, attempt))
    return Status::throttled;
  if (fails("refuses", about) && happens(60, "refuses_now", about)) return Status::invalid_source;
  return std::nullopt;
}

std::string Centre::next_id(PhoneText& text, const Part& part) {
  switch (traits().ids) {
    case Ids::by_recipient: return fmt::format("id-{}", ++counted_[part.to]);
    case Ids::by_text:
      if (text.id.empty()) text.id = fmt::format("id-{}", ++numbers_);
      return text.id;
    case Ids::hex_answers: return fmt::format("{:x}", ++numbers_);
    case Ids::names: return fmt::format("id-{}", ++numbers_);
    default: return std::to_string(++numbers_);
  }
}

std::string Centre::in_receipt(const std::string& id) const {
  switch (traits().ids) {
    case Ids::padded: return fmt::format("{:0>10}", id);
    case Ids::hex_answers: return std::to_string(std::stoull(id, nullptr, 16));
    case Ids::hex_receipts: return fmt::format("{:x}", std::stoull(id));
    default: return id;
  }
}

// The part comes to the phone, or not; then the centre tells, if it does.
void Centre::report(std::shared_ptr<PhoneText> text, const Part& part, const std::string& id, bool early) {
  const std::uint64_t about = hash_of(part.name() + part.octets);
  const bool arrives = !happens(120, "fails_later", about);
  const Microseconds due = early ? now() : now() + delay("phone", about) * 8;
  const auto state = arrives                          ? MessageState::delivered
                     : happens(500, "expires", about) ? MessageState::expired
                                                      : MessageState::undeliverable;
  if (happens(150, "on_its_way", about)) put_receipt(text, part, id, MessageState::enroute, now(), false);
  const auto ends = [this, text, part, id, arrives, state, about] {
    if (arrives) network_.at_phone(*text, part);
    if (happens(100, "never_reported", about)) return;
    put_receipt(text, part, id, state, now(), true);
    if (!tells_once() && happens(150, "reported_twice", about))
      put_receipt(text, part, id, state, now() + delay("again", about) * 16, false);
  };
  if (early) ends();
  else later(due, ends);
}

void Centre::put_receipt(std::shared_ptr<PhoneText> text, const Part& part, const std::string& id, MessageState state,
                         Microseconds due, bool is_first) {
  note(fmt::format("says {} of {}, part {} of {} from {} to {}", name_of(state), id, part.number, part.total,
                   text->user, text->contact));
  Parcel parcel;
  parcel.is_receipt = true;
  parcel.message = write_receipt(part, id, state);
  parcel.due = due;
  const bool counts = is_first && state == MessageState::delivered;
  parcel.ended = [this, text, part, counts](bool) {
    if (counts) network_.receipted(*text, part);
  };
  put(std::move(parcel));
}

smpp::ShortMessage Centre::write_receipt(const Part& part, const std::string& id, MessageState state) const {
  const ReceiptForm form = traits().receipts;
  smpp::ShortMessage message;
  message.source = written(part.to);
  message.destination = written(part.from);
  if (traits().swaps_addresses) std::swap(message.source, message.destination);
  const std::uint8_t bits = state == MessageState::enroute ? intermediate_bits : receipt_bits;
  message.esm_class = form == ReceiptForm::unmarked && state != MessageState::enroute ? 0 : bits;
  if (form != ReceiptForm::parameters)
    message.text =
        fmt::format("id:{} sub:001 dlvrd:001 submit date:2611260101 done date:2611260102 stat:{} err:000 text:{}",
                    in_receipt(id), name_of(state), part.octets.substr(0, 20));
  if (form == ReceiptForm::parameters || form == ReceiptForm::both)
    message.tlvs = {{smpp::tag::receipted_message_id, smpp::encode_c_string(in_receipt(id))},
                    smpp::number_tlv(smpp::tag::message_state, static_cast<std::uint32_t>(state), 1)};
  return message;
}

// ---- Texts and receipts to us ----

// As a contact's phone and network cut it; the last piece has the tag. Of some texts one other piece gets lost.
std::vector<Parcel> Centre::cut_text(const std::string& tag, int user, int contact, bool* loses_part) {
  const Draw& draw = recorder_.draw;
  const std::vector<std::string> pieces = pieces_of(recorder_.plan, tag);
  const std::uint64_t about = hash_of(tag), sender = static_cast<std::uint64_t>(contact);
  const auto total = static_cast<unsigned>(pieces.size());
  const bool is_calm = recorder_.plan.repeats_references;
  *loses_part = total > 1 && !is_calm && draw.happens(150, "loses_part", about);
  const auto lost = *loses_part ? static_cast<unsigned>(draw.between(1, total - 1, "lost_part", about)) : 0U;
  const bool is_wide = body_of(recorder_.plan, tag).find("ж") != std::string::npos;
  const bool by_header = draw.happens(700, "by_header", sender);
  unsigned& reference = references_[contact];
  if (reference == 0) reference = static_cast<unsigned>(draw.between(1, 200, "reference", sender));
  else if (!is_calm) ++reference;

  std::vector<Parcel> parcels;
  for (unsigned part = 1; part <= total; ++part) {
    if (part == lost) continue;
    Parcel parcel;
    smpp::ShortMessage& message = parcel.message;
    message.source = written(contact_number(contact));
    message.destination = written(user_number(user));
    message.data_coding = is_wide ? wide_coding : 0;
    message.text = is_wide ? to_wide(pieces[part - 1]) : pieces[part - 1];
    if (total > 1 && by_header) {
      message.esm_class = header_bit;
      message.text.insert(0, sms::make_header({sms::Position::Kind::udh, reference & 0xFFU, total, part}));
    } else if (total > 1) {
      message.tlvs = {smpp::number_tlv(smpp::tag::sar_msg_ref_num, reference, 2),
                      smpp::number_tlv(smpp::tag::sar_total_segments, total, 1),
                      smpp::number_tlv(smpp::tag::sar_segment_seqnum, part, 1)};
    }
    const bool is_late = !is_calm && draw.happens(300, "late_part", about, part);
    parcel.due = now() + (is_late ? delay("part", about + part) : 0);
    if (is_calm) parcel.lane = fmt::format("{} {}", user, contact);
    parcels.push_back(std::move(parcel));
  }
  if (draw.happens(300, "order_of_parts", about)) std::reverse(parcels.begin(), parcels.end());
  if (parcels.size() < 2 || is_calm || !draw.happens(200, "doubles_part", about)) return parcels;
  // Once more at once, where the text is not complete with it.
  for (Parcel& parcel : parcels) parcel.due = now();
  Parcel again = parcels.front();
  parcels.insert(parcels.begin() + 1, std::move(again));
  return parcels;
}

void Centre::bring(const std::string& tag, int user, int contact) {
  bool loses_part = false;
  std::vector<Parcel> parcels = cut_text(tag, user, contact, &loses_part);
  network_.posted(tag, user, contact, parcels.size(), loses_part);
  for (Parcel& parcel : parcels) {
    parcel.ended = [this, tag](bool taken) { network_.brought(tag, taken); };
    put(std::move(parcel));
  }
}

// Of a text that nobody sent, from a number that nobody writes to.
void Centre::report_nonsense(int user) {
  Parcel parcel;
  parcel.is_receipt = true;
  parcel.message.source = written("+14155559999");
  parcel.message.destination = written(user_number(user));
  parcel.message.esm_class = receipt_bits;
  parcel.message.text = fmt::format("id:{} sub:001 dlvrd:001 stat:DELIVRD err:000 text:",
                                    recorder_.draw.between(1, 300, "nobodys", ++events_));
  parcel.due = now();
  put(std::move(parcel));
}

void Centre::put(Parcel parcel) {
  parcels_.push_back(std::move(parcel));
  pump();
}

Centre::BindPtr Centre::bind_for(const Parcel& parcel) const {
  for (const BindPtr& bind : binds_) {
    const bool fits = bind->receives || (bind->transmits && parcel.is_receipt && traits().reports_on_transmitter);
    if (fits && bind->unanswered < most_unanswered) return bind;
  }
  return nullptr;
}

void Centre::pump() {
  std::optional<Microseconds> next;
  std::set<std::string> lanes;
  for (Parcel& parcel : parcels_) {
    if (!parcel.lane.empty() && !lanes.insert(parcel.lane).second) continue;
    if (parcel.bind != 0) continue;
    if (parcel.due > now()) {
      next = std::min(next.value_or(parcel.due), parcel.due);
      continue;
    }
    const BindPtr bind = bind_for(parcel);
    if (!bind) continue;
    parcel.bind = bind->number;
    parcel.sequence = ++bind->sequence;
    ++bind->unanswered;
    say(bind,
        encode(Command::deliver_sm, Status::ok, parcel.sequence, encode_body(parcel.message, Command::deliver_sm)));
  }
  if (!next) return;
  next_parcel_.expires_after(std::chrono::microseconds(*next - now()));
  next_parcel_.async_wait([this](boost::system::error_code error) {
    if (!error) pump();
  });
}

void Centre::acknowledged(const BindPtr& bind, const smpp::Header& header) {
  const auto found = std::find_if(parcels_.begin(), parcels_.end(), [&](const Parcel& parcel) {
    return parcel.bind == bind->number && parcel.sequence == header.sequence;
  });
  if (found == parcels_.end()) return;
  // The answer is lost with the link, and what it was about comes again.
  if (fails("loses_answer", ++events_) && happens(100, "loses_answer_now", events_)) return cut(bind);
  --bind->unanswered;
  if (header.status == Status::ok || header.status == Status::permanent_failure) {
    const Parcel parcel = std::move(*found);
    parcels_.erase(found);
    if (parcel.ended) parcel.ended(header.status == Status::ok);
  } else {
    found->bind = 0;
    found->due = now() + a_second + delay("again", ++events_);
  }
  pump();
}

}  // namespace wherry::simulation
