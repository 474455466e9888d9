#include "gateway/accounts/live_account.hpp"

namespace wherry::accounts {

std::optional<connector::Capabilities> LiveAccount::capabilities(const base::ChatId& chat) const {
  using connector::Support;
  if (!session) return std::nullopt;
  connector::Capabilities can = session->capabilities(chat);
  const auto rather_refuse = [](Support& support) {
    if (support == Support::fall_back) support = Support::refuse;
  };
  if (row.refuses.edits) rather_refuse(can.edit);
  if (row.refuses.reactions) rather_refuse(can.react);
  if (row.refuses.replies) rather_refuse(can.reply);
  return can;
}

std::string LiveAccount::name_of(const base::ContactId& contact) const {
  const auto known = contacts.find(contact);
  if (known == contacts.end()) return contact.value;
  const store::ContactRow& row = known->second.row;
  for (const std::string* name : {&row.name, &row.nick})
    if (!name->empty()) return *name;
  return contact.value;
}

std::string LiveAccount::name_at_network() const {
  for (const char* field : {"phone", "username", "nick", "email"}) {
    const auto found = row.credentials.find(field);
    if (found != row.credentials.end() && !found->second.empty()) return found->second;
  }
  return "";
}

}  // namespace wherry::accounts
