// The keys that every HTTP carrier has; a provider's own stand in its file. One table for the reader and for the
// reference page.
#pragma once

#include "gateway/connector/keys.hpp"

#include <initializer_list>
#include <span>
#include <vector>

namespace wherry::sms::http {

std::span<const connector::Section> common_sections();

// A provider's own keys, and the common ones.
std::vector<connector::Key> with_common_keys(std::initializer_list<std::span<const connector::Key>> own);

inline constexpr connector::Key webhook_secret_key = {
    "webhook_secret", connector::Type::secret(), connector::required,
    "the end of the webhooks' address, 16 to 100 letters, digits, - and _: whoever knows it can write as anybody"};

}  // namespace wherry::sms::http
