// XMPP addresses (RFC 7622). A Jid cannot exist invalid, and equal addresses compare equal.
#pragma once

#include "gateway/base/error.hpp"

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace wherry::xmpp {

class Jid {
 public:
  // "local@domain/resource". Prepared by PRECIS UsernameCaseMapped (local), OpaqueString (resource) and IDNA (domain;
  // kept as U-labels in lower case, without a final dot); each part at most 1023 bytes.
  static base::Result<Jid> parse(std::string_view text);
  // From its parts, as if joined; an empty local part or resource is none.
  static base::Result<Jid> make(std::string_view local, std::string_view domain, std::string_view resource = {});

  // Who sent a stanza, as the server vouches for it: what our tables refuse (a resource with an emoji that they do not
  // know) is taken as it stands, so that it can be answered. Refused: no domain, control characters, a part of more
  // than 1023 bytes.
  static base::Result<Jid> vouched(std::string_view text);

  std::string_view local() const { return std::string_view(text_).substr(0, local_end_); }
  std::string_view domain() const;
  std::string_view resource() const;
  const std::string& str() const { return text_; }

  bool is_bare() const { return resource_at_ == text_.size(); }
  Jid bare() const;
  std::string_view bare_view() const { return std::string_view(text_).substr(0, resource_at_); }

  auto operator<=>(const Jid& other) const { return text_ <=> other.text_; }
  bool operator==(const Jid& other) const { return text_ == other.text_; }

 private:
  Jid() = default;
  std::string text_;             // canonical
  std::size_t local_end_ = 0;    // of the local part; 0: none
  std::size_t resource_at_ = 0;  // of the slash; text_.size(): none
};

}  // namespace wherry::xmpp

template <>
struct std::hash<wherry::xmpp::Jid> {
  std::size_t operator()(const wherry::xmpp::Jid& jid) const noexcept { return std::hash<std::string>()(jid.str()); }
};
