// A form in a chat: one question after the other, and what a person answers to each. Pure.
#pragma once

#include "gateway/connector/contract.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wherry::convert {

class Questions {
 public:
  explicit Questions(connector::Form form);

  const connector::Form& form() const { return form_; }
  // What stands above the questions: title, instructions, notes, links and pictures.
  std::string opening() const;
  // Nothing is left to ask. What has one possible answer is never asked.
  bool is_complete() const { return at_ == form_.fields.size(); }
  // The next one.
  std::string question() const;
  // What a press of a button may answer to it (XEP-0439): what is sent, and what the button says.
  using Response = std::pair<std::string, std::string>;
  std::vector<Response> responses() const;
  // The answer to it: for a choice also its number; "-" leaves things as they are. Gives what is wrong with it.
  std::optional<std::string> take(std::string_view line);
  const connector::Answers& answers() const { return answers_; }

 private:
  void skip();

  connector::Form form_;
  std::size_t at_ = 0;
  connector::Answers answers_;
};

}  // namespace wherry::convert
