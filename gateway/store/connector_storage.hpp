// Table `connector_storage`: the small durable memory that each connector has (connector::Storage).
#pragma once

#include "gateway/connector/entry.hpp"
#include "gateway/db/database.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wherry::store {

// The first text after all that start with `prefix`, bytewise; none after a prefix that is empty or all U+10FFFF.
// Well-formed UTF-8 as the prefix is, where adding one to its last byte would not be.
std::optional<std::string> end_of_prefix(std::string prefix);

// Puts and erases, in their order; `transport`: whose memory it is.
void write_entries(db::Transaction& transaction, const std::string& transport,
                   std::span<const connector::Entry> changes);
// As connector::Storage::read.
std::vector<connector::Entry> read_entries(db::Transaction& transaction, const std::string& transport,
                                           const std::string& prefix, const std::string& after, std::size_t limit);

}  // namespace wherry::store
