#include "gateway/store/connector_storage.hpp"

#include <algorithm>

namespace wherry::store {

namespace {

using connector::Entry;

// Decodes the UTF-8 character that starts at `at`; the text is well-formed (the drivers refuse any other).
char32_t code_point(std::string_view text, std::size_t at) {
  const char32_t lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return lead;
  char32_t code = lead & (lead < 0xE0 ? 0x1Fu : lead < 0xF0 ? 0x0Fu : 0x07u);
  for (std::size_t i = at + 1; i < text.size(); ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  return code;
}

void append_utf8(std::string& text, char32_t code) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    tail(12), tail(6), tail(0);
  }
}

}  // namespace

std::optional<std::string> end_of_prefix(std::string prefix) {
  while (!prefix.empty()) {
    std::size_t last = prefix.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(prefix[last]) & 0xC0) == 0x80) --last;
    const char32_t code = code_point(prefix, last);
    prefix.resize(last);
    if (code >= 0x10FFFF) continue;                           // nothing comes after it
    append_utf8(prefix, code == 0xD7FF ? 0xE000 : code + 1);  // surrogates are no characters (RFC 3629 §3)
    return prefix;
  }
  return std::nullopt;
}

void write_entries(db::Transaction& transaction, const std::string& transport, std::span<const Entry> changes) {
  for (const Entry& entry : changes) {
    if (entry.value.empty()) {
      transaction.execute("DELETE FROM connector_storage WHERE transport = $1 AND key = $2", {transport, entry.key});
    } else {
      transaction.execute(
          "INSERT INTO connector_storage (transport, key, value) VALUES ($1, $2, $3) "
          "ON CONFLICT (transport, key) DO UPDATE SET value = excluded.value",
          {transport, entry.key, entry.value});
    }
  }
}

std::vector<Entry> read_entries(db::Transaction& transaction, const std::string& transport, const std::string& prefix,
                                const std::string& after, std::size_t limit) {
  const auto most = static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000));
  const auto end = end_of_prefix(prefix);
  // One lower bound: given both, SQLite starts at the one that it meets first, and reads all that lies before the
  // other.
  const std::string& from = std::max(prefix, after);
  const auto rows = end ? transaction.query(
                              "SELECT key, value FROM connector_storage WHERE transport = $1 AND key >= $2 AND key < "
                              "$3 AND key <> $4 ORDER BY key LIMIT $5",
                              {transport, from, *end, after, most})
                        : transaction.query(
                              "SELECT key, value FROM connector_storage WHERE transport = $1 AND key >= $2 AND key <> "
                              "$3 ORDER BY key LIMIT $4",
                              {transport, from, after, most});
  std::vector<Entry> entries;
  entries.reserve(rows.size());
  for (const db::Row& row : rows) entries.push_back({row.text(0), row.text(1)});
  return entries;
}

}  // namespace wherry::store
