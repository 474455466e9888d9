// Signatures over a webhook's URL and form fields (HMAC-SHA1), as several providers make them. Pure.
#pragma once

#include "gateway/net/http_client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::http {

// base64(HMAC-SHA1(key, url + fields)). The fields are sorted by name; each is its name and its value, with nothing
// between. Of a field that is repeated every different value counts once, in order.
std::string sign(std::string_view key, std::string_view url, net::FormFields fields);

// `url`, and the same with its port left out, or with the scheme's standard port: either may have been signed.
std::vector<std::string> spellings(std::string_view url);

// Whether `signature` is the one of a webhook with a form, or with another body: then the URL's query names the body's
// hash as bodySHA256, and the signature is over the URL alone. Compared in constant time.
bool is_signed(std::string_view key, std::string_view url, const net::FormFields& fields, std::string_view signature);
bool is_signed_body(std::string_view key, std::string_view url, std::string_view body, std::string_view signature);

}  // namespace wherry::sms::http
