#include "gateway/xmpp/jid.hpp"

#include "gateway/xmpp/prep/idna.hpp"
#include "gateway/xmpp/prep/precis.hpp"

#include <algorithm>
#include <array>

namespace wherry::xmpp {

namespace {

constexpr std::size_t most_bytes = 1023;  // of each part (RFC 7622 §3.2–3.4)
// Of a part as given: narrow forms, final dots and combining marks can shrink, but nothing sane shrinks by more.
constexpr std::size_t most_bytes_given = 4 * most_bytes;
constexpr std::size_t most_label_bytes = 63;                   // RFC 1035 §2.3.4
constexpr std::string_view excluded_from_local = "\"&'/:<>@";  // RFC 7622 §3.3.1

// What each ASCII character becomes in a part; 0: not for the fast path.
using Mapping = std::array<char, 256>;
constexpr char lower(std::size_t c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); }
constexpr Mapping local_mapping = [] {
  Mapping mapping{};
  for (std::size_t c = 0x21; c < 0x7F; ++c) mapping[c] = lower(c);
  for (const char c : excluded_from_local) mapping[static_cast<unsigned char>(c)] = 0;
  return mapping;
}();
constexpr Mapping domain_mapping = [] {
  Mapping mapping{};
  for (std::size_t c = '0'; c <= '9'; ++c) mapping[c] = lower(c);
  for (std::size_t c = 'a'; c <= 'z'; ++c) mapping[c] = lower(c);
  for (std::size_t c = 'A'; c <= 'Z'; ++c) mapping[c] = lower(c);
  mapping['-'] = '-';
  mapping['.'] = '.';
  return mapping;
}();
constexpr Mapping resource_mapping = [] {
  Mapping mapping{};
  for (std::size_t c = 0x20; c < 0x7F; ++c) mapping[c] = static_cast<char>(c);
  return mapping;
}();

base::Error refused(std::string_view text) { return {base::Errc::bad_input, std::string(text)}; }
base::Error too_long(std::string_view part) {
  return refused("The " + std::string(part) + " of the address is longer than 1023 bytes.");
}

// Appends `part` mapped. Where it has a character outside the mapping: appends nothing, returns false.
bool append_mapped(std::string& out, std::string_view part, const Mapping& mapping) {
  const auto size = out.size();
  out += part;
  for (auto i = size; i < out.size(); ++i) {
    const char mapped = mapping[static_cast<unsigned char>(out[i])];
    if (mapped == 0) {
      out.resize(size);
      return false;
    }
    out[i] = mapped;
  }
  return true;
}

// Whether letters, digits, hyphens and dots are a name that IDNA leaves as it is: no A-label, no misplaced hyphen.
bool is_plain_name(std::string_view name) {
  for (;;) {
    const auto label = name.substr(0, name.find('.'));
    if (label.empty() || label.size() > most_label_bytes || label.front() == '-' || label.back() == '-') return false;
    if (label.size() >= 4 && label[2] == '-' && label[3] == '-') return false;
    if (label.size() == name.size()) return true;
    name.remove_prefix(label.size() + 1);
  }
}

base::Result<void> append_local(std::string& out, std::string_view local) {
  if (local.size() > most_bytes_given) return too_long("name");
  if (append_mapped(out, local, local_mapping)) return base::ok();
  const auto prepared = to_username_case_mapped(local);
  if (!prepared) return prepared.error();
  if (prepared->find_first_of(excluded_from_local) != std::string::npos) {
    return refused("The name of an address may hold none of \" & ' / : < > @.");
  }
  out += *prepared;
  return base::ok();
}

base::Result<void> append_domain(std::string& out, std::string_view domain) {
  if (domain.empty()) return refused("The address has no domain. Write it like name@example.org.");
  if (domain.size() > most_bytes_given) return too_long("domain");
  const auto plain = domain.ends_with('.') ? domain.substr(0, domain.size() - 1) : domain;
  if (is_plain_name(plain) && append_mapped(out, plain, domain_mapping)) return base::ok();
  const auto canonical = to_canonical_domain(domain);
  if (!canonical) return canonical.error();
  out += *canonical;
  return base::ok();
}

base::Result<void> append_resource(std::string& out, std::string_view resource) {
  if (resource.size() > most_bytes_given) return too_long("resource");
  if (append_mapped(out, resource, resource_mapping)) return base::ok();
  const auto prepared = to_opaque_string(resource);
  if (!prepared) return prepared.error();
  out += *prepared;
  return base::ok();
}

struct JidParts {
  std::string_view local, domain, resource;
};

base::Result<JidParts> split_jid(std::string_view text) {
  const auto slash = text.find('/');  // the first: a resource may hold more, and '@' too (RFC 7622 §3.1)
  const auto bare = text.substr(0, slash);
  const auto at = bare.find('@');
  if (at == 0) return refused("The address has no name before the @.");
  if (slash != std::string_view::npos && slash + 1 == text.size())
    return refused("The address has nothing after the /.");
  const auto resource = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
  if (at == std::string_view::npos) return JidParts{{}, bare, resource};
  return JidParts{bare.substr(0, at), bare.substr(at + 1), resource};
}

}  // namespace

base::Result<Jid> Jid::parse(std::string_view text) {
  const auto parts = split_jid(text);
  if (!parts) return parts.error();
  return make(parts->local, parts->domain, parts->resource);
}

base::Result<Jid> Jid::vouched(std::string_view text) {
  if (auto usual = parse(text)) return usual;
  const auto parts = split_jid(text);
  if (!parts) return parts.error();
  if (parts->domain.empty()) return refused("The address has no domain.");
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), is_control)) return refused("The address has control characters.");
  if (parts->local.size() > most_bytes) return too_long("name");
  if (parts->domain.size() > most_bytes) return too_long("domain");
  if (parts->resource.size() > most_bytes) return too_long("resource");
  Jid jid;
  if (const auto bare = make(parts->local, parts->domain)) {
    jid = *bare;
  } else {
    jid.text_ = text.substr(0, text.find('/'));
    jid.local_end_ = parts->local.size();
    jid.resource_at_ = jid.text_.size();
  }
  if (!parts->resource.empty()) jid.text_ += '/' + std::string(parts->resource);
  return jid;
}

base::Result<Jid> Jid::make(std::string_view local, std::string_view domain, std::string_view resource) {
  Jid jid;
  std::string& text = jid.text_;
  text.reserve(local.size() + domain.size() + resource.size() + 2);
  if (!local.empty()) {
    if (auto appended = append_local(text, local); !appended) return appended.error();
    if (text.size() > most_bytes) return too_long("name");
    jid.local_end_ = text.size();
    text += '@';
  }
  const auto domain_at = text.size();
  if (auto appended = append_domain(text, domain); !appended) return appended.error();
  if (text.size() - domain_at > most_bytes) return too_long("domain");
  jid.resource_at_ = text.size();
  if (!resource.empty()) {
    text += '/';
    if (auto appended = append_resource(text, resource); !appended) return appended.error();
    if (text.size() - jid.resource_at_ - 1 > most_bytes) return too_long("resource");
  }
  return jid;
}

std::string_view Jid::domain() const {
  const auto at = local_end_ == 0 ? 0 : local_end_ + 1;
  return std::string_view(text_).substr(at, resource_at_ - at);
}

std::string_view Jid::resource() const {
  return is_bare() ? std::string_view() : std::string_view(text_).substr(resource_at_ + 1);
}

Jid Jid::bare() const {
  Jid jid;
  jid.text_ = text_.substr(0, resource_at_);
  jid.local_end_ = local_end_;
  jid.resource_at_ = resource_at_;
  return jid;
}

}  // namespace wherry::xmpp
