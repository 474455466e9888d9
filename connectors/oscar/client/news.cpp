#include "connectors/oscar/client/news.hpp"

namespace wherry::oscar {

namespace {

constexpr std::size_t most_users = 100;  // of one packet

News read_arrived(Reader& in) {
  Arrived arrived;
  while (!in.empty() && arrived.users.size() < most_users) {
    auto user = read_user_info(in);
    if (!user) break;
    arrived.users.push_back(std::move(*user));
  }
  if (arrived.users.empty()) return {};
  return arrived;
}

News read_departed(Reader& in) {
  Departed departed;
  while (!in.empty() && departed.names.size() < most_users) {
    Reader behind = in;
    if (auto user = read_user_info(in)) {
      departed.names.push_back(std::move(user->name));
      continue;
    }
    std::string name = behind.text8();  // some say no more than that
    if (behind.ok() && behind.empty() && !name.empty()) departed.names.push_back(std::move(name));
    break;
  }
  if (departed.names.empty()) return {};
  return departed;
}

News read_asked(Reader& in) {
  AuthorisationAsked asked;
  asked.name = in.text8();
  if (!in.ok() || asked.name.empty()) return {};
  asked.reason = in.text16();
  return asked;
}

News read_answered(Reader& in) {
  AuthorisationAnswered answered;
  answered.name = in.text8();
  answered.is_granted = in.u8() == 1;
  if (!in.ok() || answered.name.empty()) return {};
  answered.reason = in.text16();
  return answered;
}

News read_icon_noted(Reader& in) {
  const auto icon = read_icon_id(in);
  if (!icon) return {};
  return IconNoted{*icon, (icon->flags & icon_is_not_there) != 0};
}

News read_missed(Reader& in) {
  Missed missed;
  in.u16();
  const auto sender = read_user_info(in);
  missed.count = in.u16();
  missed.reason = in.u16();
  if (!sender || !in.ok()) return {};
  missed.name = sender->name;
  return missed;
}

News read_roster_news(const Snac& snac, Reader& in) {
  switch (snac.subtype) {
    case 0x08:
    case 0x09:
    case 0x0A: {
      RosterChange change;
      change.kind = static_cast<RosterChange::Kind>(snac.subtype);
      change.items = read_items(in, 1000);
      if (change.items.empty()) return {};
      return change;
    }
    case 0x15: {
      AuthorisationGiven given{in.text8()};
      if (given.name.empty()) return {};
      return given;
    }
    case 0x19: return read_asked(in);
    case 0x1B: return read_answered(in);
    case 0x1C: {
      Added added{in.text8()};
      if (added.name.empty()) return {};
      return added;
    }
    default: return {};
  }
}

News read_message_news(const Snac& snac, Reader& in) {
  switch (snac.subtype) {
    case 0x07: {
      auto message = read_message(snac.body);
      if (!message) return {};
      return std::move(*message);
    }
    case 0x0A: return read_missed(in);
    case 0x0B: {
      const auto acknowledgement = read_acknowledgement(snac.body);
      if (!acknowledgement) return {};
      return Heard{*acknowledgement};
    }
    case 0x14: {
      const auto typing = read_typing(snac.body);
      if (!typing) return {};
      return *typing;
    }
    case 0x17: return StoredEnd{};
    default: return {};
  }
}

}  // namespace

News read_news(const Snac& snac) {
  Reader in(snac.body);
  if (snac.is(0x03, 0x0B)) return read_arrived(in);
  if (snac.is(0x03, 0x0C)) return read_departed(in);
  if (snac.is(0x01, 0x21)) return read_icon_noted(in);
  if (snac.family == 0x04) return read_message_news(snac, in);
  if (snac.family == 0x13) return read_roster_news(snac, in);
  if (snac.is(0x15, 0x03)) {
    auto packet = read_icq(snac.body);
    if (!packet) return {};
    packet->has_more = snac.has_more();
    return std::move(*packet);
  }
  return {};
}

}  // namespace wherry::oscar
