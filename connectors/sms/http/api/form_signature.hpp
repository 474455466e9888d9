// Signatures over a webhook's URL and form fields (HMAC), as several providers make them. Pure.
#pragma once

#include "gateway/net/http_client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::http {

enum class Hash { sha1, sha256 };

// base64(HMAC(key, url + fields)). The fields are sorted by name; each is its name and its value, with nothing
// between. Of a field that is repeated every different value counts once, in order.
std::string sign(std::string_view key, std::string_view url, net::FormFields fields, Hash hash = Hash::sha1);

// `url`, and the same with its port left out, or with the scheme's standard port: either may have been signed.
std::vector<std::string> spellings(std::string_view url);

// Whether `signature` is the one of a webhook with a form, or with another body: then the URL's query names the body's
// hash as bodySHA256, and the signature is over the URL alone. Compared in constant time.
bool is_signed(std::string_view key, std::string_view url, const net::FormFields& fields, std::string_view signature,
               Hash hash = Hash::sha1);
bool is_signed_body(std::string_view key, std::string_view url, std::string_view body, std::string_view signature,
                    Hash hash = Hash::sha1);

// Whether `signature` is the hexadecimal HMAC-SHA1 over the URL and the raw body, with nothing between.
bool is_signed_raw(std::string_view key, std::string_view url, std::string_view body, std::string_view signature);

}  // namespace wherry::sms::http
