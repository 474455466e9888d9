// Whom the account knows, and how they are: the lists of the server, kept up to date, and the events that follow. Pure.
#pragma once

#include "connectors/msn/client/notification.hpp"
#include "gateway/connector/contract.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::msn {

class Contacts {
 public:
  // What there is to tell after a login: the list, names, who waits for an answer, and who was there `before` (as
  // memory() had it) and is not any more.
  std::vector<connector::Event> begin(Roster roster, std::string_view before = {});
  // Who is a contact and whose contact the user is, for the next begin(): a line for each, like "3 juliet@example.com".
  std::string memory() const;

  std::vector<connector::Event> take(const StatusChanged& changed);
  std::vector<connector::Event> take(const PersonalMessageChanged& changed);
  void take(const PhoneChanged& changed);
  std::vector<connector::Event> take(const AddedUs& added);
  std::vector<connector::Event> take(const RemovedUs& removed);

  // The member's lists as we know them; 0: on none.
  unsigned lists_of(const std::string& email) const;
  bool is_on(const std::string& email, list::Bit bit) const { return (lists_of(email) & bit) != 0; }
  // Whether the server surely has them on PL. Of others RL may not be changed: it closes the connection then.
  bool is_surely_pending(const std::string& email) const;
  // Of members of FL.
  std::string guid_of(const std::string& email) const;
  // A member of FL as the server has just named it, or as we have.
  void set_guid(const std::string& email, const std::string& guid);
  std::vector<connector::Event> set_name(const std::string& email, const std::string& name);
  // What the user calls a contact.
  void rename(const std::string& email, const std::string& alias) { entry(email).alias = alias; }
  void put_on(const std::string& email, list::Bit bit);
  void take_off(const std::string& email, list::Bit bit);
  // How a contact is now.
  connector::Event presence_of(const std::string& email) const;
  // The list's entry of a contact, as news: new, renamed, or removed.
  connector::Event listing_of(const std::string& email) const;
  // What is known of a person; nothing: nobody knows them.
  std::optional<connector::Profile> profile_of(const std::string& email) const;
  // What a person is called, or the address.
  std::string name_of(const std::string& email) const;

 private:
  struct Entry {
    Member member;
    std::string status = "FLN";
    std::string personal_message = {};
    bool is_listed = false;    // `pending` is the server's list's word, and not ours
    bool is_kept = false;      // so is `reverse` or `pending`, or the server keeps them of others at least
    std::string picture = {};  // its name
    std::string alias = {};    // in place of its own name, where the user has renamed it in this session
  };
  static connector::Event changed(const Entry& entry);
  connector::ListedContact listed(const Entry& entry) const;
  Entry& entry(const std::string& email);
  const Entry* find(const std::string& email) const;
  connector::Event presence_of(const Entry& entry) const;
  connector::Event listing_of_all() const;
  std::vector<connector::Event> losses_since(std::string_view before, bool is_whole);

  std::map<std::string, Entry> entries_;
  std::map<std::string, unsigned> unsure_;  // who may be on lists, though no line that could be read says so
  bool keeps_reverse_ = false;              // the server has listed somebody on RL or PL, now or at an earlier login
  std::map<std::string, std::string> groups_;
  std::size_t strangers_ = 0;  // who are here only because they have added the user within this session
};

}  // namespace wherry::msn
