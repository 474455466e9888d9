#include "connectors/sms/http/api/form_signature.hpp"

#include "connectors/sms/http/api/values.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/base/text.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace wherry::sms::http {

namespace {

std::string hmac(Hash kind, std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  const auto* made = HMAC(kind == Hash::sha256 ? EVP_sha256() : EVP_sha1(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data(), &length);
  if (!made) throw std::runtime_error("OpenSSL cannot compute an HMAC");
  return {reinterpret_cast<const char*>(hash.data()), length};
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot compute SHA-256");
  }
  return {reinterpret_cast<const char*>(hash.data()), length};
}

}  // namespace

std::string sign(std::string_view key, std::string_view url, net::FormFields fields, Hash hash) {
  std::sort(fields.begin(), fields.end());
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  std::string text(url);
  for (const auto& [name, value] : fields) text += name + value;
  return base::to_base64(hmac(hash, key, text));
}

std::vector<std::string> spellings(std::string_view url) {
  std::vector<std::string> all = {std::string(url)};
  const auto scheme_end = url.find("://");
  if (scheme_end == url.npos) return all;
  const auto authority = scheme_end + 3;
  const auto end = std::min(url.find_first_of("/?#", authority), url.size());
  const std::string_view host = url.substr(authority, end - authority);
  const auto colon = host.rfind(':');
  // The colons inside an IPv6 address are no port's (RFC 3986 §3.2.2).
  const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
  const std::string before(url.substr(0, authority + (has_port ? colon : host.size()))), after(url.substr(end));
  all.push_back(has_port ? before + after : before + (url.starts_with("https:") ? ":443" : ":80") + after);
  return all;
}

bool is_signed(std::string_view key, std::string_view url, const net::FormFields& fields, std::string_view signature,
               Hash hash) {
  bool is = false;
  for (const std::string& spelling : spellings(url))
    is |= base::equal_in_constant_time(sign(key, spelling, fields, hash), signature);
  return is;
}

bool is_signed_body(std::string_view key, std::string_view url, std::string_view body, std::string_view signature,
                    Hash hash) {
  const bool same_body = base::equal_in_constant_time(base::to_hex(sha256(body)), value_in_query(url, "bodySHA256"));
  return is_signed(key, url, {}, signature, hash) && same_body;
}

bool is_signed_raw(std::string_view key, std::string_view url, std::string_view body, std::string_view signature) {
  bool is = false;
  for (const std::string& spelling : spellings(url)) {
    is |= base::equal_in_constant_time(base::to_hex(hmac(Hash::sha1, key, spelling + std::string(body))), signature);
  }
  return is;
}

}  // namespace wherry::sms::http
