#include "connectors/oscar/convert/people.hpp"

#include "connectors/oscar/convert/charset.hpp"
#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::oscar {

namespace {

using Texts = std::vector<std::pair<SearchField, std::string>>;
constexpr std::size_t most_words = 200;

std::string birthday_of(const IcqDetails& details) {
  const bool has_day =
      details.birth_month >= 1 && details.birth_month <= 12 && details.birth_day >= 1 && details.birth_day <= 31;
  if (!has_day) return {};
  if (details.birth_year < 1800 || details.birth_year > 2200)
    return fmt::format("--{:02}-{:02}", details.birth_month, details.birth_day);
  return fmt::format("{:04}-{:02}-{:02}", details.birth_year, details.birth_month, details.birth_day);
}

}  // namespace

connector::Profile to_profile(const IcqDetails& details, const std::string& code_page) {
  const auto shown = [&](const std::string& octets) {
    std::string text(base::trim(from_unnamed(octets, code_page)));
    std::erase(text, '\r');
    return text;
  };
  connector::Profile profile;
  const auto put = [&](const char* key, std::string text) {
    if (!text.empty()) profile.details[key] = std::move(text);
  };
  put("nick", shown(details.nick));
  put("first_name", shown(details.first));
  put("last_name", shown(details.last));
  put("email", shown(details.mail));
  put("phone", shown(details.phone));
  put("city", shown(details.city));
  put("homepage", shown(details.homepage));
  put("about", shown(details.about));
  put("country", std::string(country_of(details.country)));
  put("birthday", birthday_of(details));
  put("gender", details.gender == 1 ? "female" : details.gender == 2 ? "male" : "");
  profile.name = shown(details.nick);
  if (profile.name.empty()) profile.name = std::string(base::trim(shown(details.first) + " " + shown(details.last)));
  return profile;
}

connector::ListedContact to_listed(const FoundUser& user, const std::string& code_page) {
  IcqDetails details;
  details.nick = user.nick;
  details.first = user.first;
  details.last = user.last;
  connector::ListedContact listed;
  listed.contact.value = std::to_string(user.uin);
  listed.name = to_profile(details, code_page).name;
  return listed;
}

std::vector<std::string> to_searches(std::string_view typed, const std::string& code_page) {
  const std::string_view words = base::utf8_prefix(base::trim(typed), most_words);
  std::vector<std::string> searches;
  if (words.empty()) return searches;
  const auto contact = parse_contact(words);
  if (contact && is_uin(contact->value)) {
    searches.push_back(search_number(static_cast<std::uint32_t>(std::stoul(contact->value))));
    return searches;
  }
  const auto add = [&](Texts texts) {
    for (auto& [field, text] : texts) text = to_code_page(text, code_page);
    searches.push_back(search_texts(texts));
  };
  if (words.find('@') != words.npos) {
    add({{SearchField::mail, std::string(words)}});
    return searches;
  }
  add({{SearchField::nick, std::string(words)}});
  const auto space = words.find(' ');
  if (space == words.npos) {
    add({{SearchField::first, std::string(words)}});
    add({{SearchField::last, std::string(words)}});
  } else {
    add({{SearchField::first, std::string(words.substr(0, space))},
         {SearchField::last, std::string(base::trim(words.substr(space)))}});
  }
  return searches;
}

}  // namespace wherry::oscar
