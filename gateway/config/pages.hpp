// The example file and the reference page, made from the tables of keys.
#pragma once

#include "gateway/connector/keys.hpp"

#include <span>
#include <string>
#include <vector>

namespace wherry::config {

struct ConnectorKeys {
  std::string name;  // "sms"
  std::span<const connector::Section> sections;
};

// A whole configuration with every key that has an example, and what it means; of the first connector's own, too.
std::string example(const std::vector<ConnectorKeys>& connectors);

// Every key, its type, its default and what it means, as Markdown.
std::string reference(const std::vector<ConnectorKeys>& connectors);

}  // namespace wherry::config
