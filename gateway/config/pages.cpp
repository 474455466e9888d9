#include "gateway/config/pages.hpp"

#include "gateway/base/text.hpp"
#include "gateway/config/keys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::config {

namespace {

using connector::Key;
using connector::Section;
using connector::Type;
using Kind = connector::Type::Kind;

constexpr std::size_t meaning_column = 46;

std::string words_of(std::string_view choices) { return fmt::format("{}", fmt::join(base::split(choices, ' '), ", ")); }

// Whether it is a table that has a part of its own.
bool has_own_part(const Key& key, const Section& section, std::span<const Section> all) {
  if (key.type.kind != Kind::table && key.type.kind != Kind::tables) return false;
  const std::string path = section.name.empty() ? std::string(key.name) : fmt::format("{}.{}", section.name, key.name);
  return std::any_of(all.begin(), all.end(), [&](const Section& s) { return s.name == path; });
}

// `type = "twilio"` or `"signalwire"`
std::string written_types(std::string_view types) {
  return fmt::format(" with `type = \"{}\"`", fmt::join(base::split(types, ' '), "\"` or `\""));
}

std::string written_name(const Key& key) {
  return std::string(key.name) + (key.type.kind == Kind::secret ? "_file" : "");
}

// "transport.configuration.carriers"
std::string path_of(const Section& section, bool is_connectors) {
  if (!is_connectors) return std::string(section.name);
  return "transport.configuration" + (section.name.empty() ? "" : "." + std::string(section.name));
}

std::string heading(const Section& section, bool is_connectors) {
  const std::string path = path_of(section, is_connectors);
  return section.is_list ? "[[" + path + "]]" : "[" + path + "]";
}

std::string example_of(const Key& key, const std::string& connector) {
  const std::string value(key.example == "{connector}" ? std::string_view(connector) : key.example);
  const Kind kind = key.type.kind;
  const bool is_text = kind == Kind::text || kind == Kind::secret || kind == Kind::file || kind == Kind::choice;
  return is_text ? "\"" + value + "\"" : value;
}

void add_example(const Section& section, bool is_connectors, const std::string& connector, std::string& page) {
  const bool has_any =
      std::any_of(section.keys.begin(), section.keys.end(), [](const Key& key) { return !key.example.empty(); });
  if (!has_any) return;
  if (section.of.empty())  // else it goes on with the entry above it
    page += fmt::format("\n{:<{}}# {}\n", heading(section, is_connectors), meaning_column, section.meaning);
  for (const Key& key : section.keys) {
    if (key.example.empty()) continue;
    const std::string line = fmt::format("{} = {}", written_name(key), example_of(key, connector));
    const std::string choices = key.type.kind == Kind::choice ? words_of(key.type.choices) + ": " : "";
    const std::string end = line.size() < meaning_column ? "" : " ";
    page += fmt::format("{:<{}}{}# {}{}\n", line, meaning_column, end, choices, key.meaning);
  }
}

std::string type_of(const Key& key) {
  switch (key.type.kind) {
    case Kind::text: return "text";
    case Kind::secret: return fmt::format("text; or `{}_file`, a file that holds it", key.name);
    case Kind::file: return "file";
    case Kind::whole: return fmt::format("{} to {}", key.type.least, key.type.most);
    case Kind::decimal: return fmt::format("{} to {}, also with a fraction", key.type.least, key.type.most);
    case Kind::flag: return "true or false";
    case Kind::choice: return words_of(key.type.choices);
    case Kind::texts: return "list of texts";
    case Kind::table: return "table";
    case Kind::tables: return "list of tables";
  }
  return "";
}

std::string default_of(const Key& key) {
  if (key.standard.empty() || key.standard == connector::required) return std::string(key.standard);
  return fmt::format("`{}`", key.standard);
}

void add_reference(const Section& section, std::span<const Section> all, bool is_connectors, std::string& page) {
  const bool is_top = section.name.empty() && !is_connectors;
  const std::string of = section.of.empty() ? "" : written_types(section.of);
  page += fmt::format("\n## {}\n\n{}.\n\n| key | type | default | |\n|---|---|---|---|\n",
                      is_top ? "At the top" : "`" + heading(section, is_connectors) + "`" + of, section.meaning);
  for (const Key& key : section.keys) {
    if (has_own_part(key, section, all)) continue;
    page += fmt::format("| `{}` | {} | {} | {} |\n", key.name, type_of(key), default_of(key), key.meaning);
  }
}

bool has_examples(const ConnectorKeys& connector) {
  return std::any_of(connector.sections.begin(), connector.sections.end(), [](const Section& section) {
    return std::any_of(section.keys.begin(), section.keys.end(), [](const Key& key) { return !key.example.empty(); });
  });
}

}  // namespace

std::string example(const std::vector<ConnectorKeys>& connectors) {
  std::string page =
      "# wherry's configuration, as `wherry config example` prints it. deploy/configuration.md has every key.\n"
      "# Paths are relative to this file. `wherry check --config FILE` reads it and says all that is wrong.\n"
      "# ${NAME} in a text in quotes is the environment variable NAME. systemd sets CREDENTIALS_DIRECTORY for the "
      "unit,\n"
      "# whose LoadCredential= lines name the secrets; in a shell: CREDENTIALS_DIRECTORY=/etc/wherry wherry check.\n";
  // The first that has examples: one network is enough.
  const auto shown = std::find_if(connectors.begin(), connectors.end(), has_examples);
  const std::string connector = shown == connectors.end() ? "echo" : shown->name;
  for (const Section& section : sections()) add_example(section, false, connector, page);
  if (shown == connectors.end()) return page;
  for (const Section& section : shown->sections) add_example(section, true, connector, page);
  return page;
}

std::string reference(const std::vector<ConnectorKeys>& connectors) {
  std::string page =
      "# Every key of the configuration\n\n"
      "Made by `wherry config reference` from the tables that `wherry check` reads with. An example is\n"
      "[wherry.example.toml](wherry.example.toml). A key that is not known is a mistake; all mistakes are told at "
      "once,\n"
      "each with its line.\n";
  for (const Section& section : sections()) add_reference(section, sections(), false, page);
  for (const ConnectorKeys& c : connectors) {
    page += fmt::format("\n# Of the connector {}\n", c.name);
    for (const Section& section : c.sections) add_reference(section, c.sections, true, page);
  }
  page += "\n# The environment\n\n| variable | |\n|---|---|\n";
  for (const Variable& variable : variables()) page += fmt::format("| `{}` | {} |\n", variable.name, variable.meaning);
  return page;
}

}  // namespace wherry::config
