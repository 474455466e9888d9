#include "connectors/sms/text/row.hpp"

#include "connectors/sms/text/storage_key.hpp"
#include "gateway/base/text.hpp"

#include <utility>

namespace wherry::sms {

namespace {

constexpr char between_fields = '/';  // escape_key() leaves none in them

}  // namespace

void RowWriter::add(std::string_view field) {
  text_ += between_fields;
  text_ += escape_key(field);
}

std::optional<RowReader> RowReader::open(std::string_view row, std::string_view version) {
  auto fields = base::split(row, between_fields);
  if (fields.empty() || fields.front() != version) return std::nullopt;
  return RowReader(std::move(fields));
}

std::string_view RowReader::next() {
  if (next_ >= fields_.size()) throw std::invalid_argument("a field is missing");
  return fields_[next_++];
}

std::string RowReader::text() { return unescape_key(next()); }

}  // namespace wherry::sms
