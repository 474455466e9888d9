// The keys of an SMPP carrier: one table for the reader (settings.cpp) and for the reference page.
#pragma once

#include "gateway/connector/keys.hpp"

#include <span>
#include <string_view>

namespace wherry::sms::smpp {

std::span<const connector::Section> sections();

// Of "carriers", or of a table below it: "carriers.tls".
std::span<const connector::Key> keys_of(std::string_view section);

}  // namespace wherry::sms::smpp
