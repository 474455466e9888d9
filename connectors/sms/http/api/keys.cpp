#include "connectors/sms/http/api/keys.hpp"

namespace wherry::sms::http {

namespace {

using connector::Key;
using connector::Section;
using connector::Type;

constexpr Key common_keys[] = {
    {"webhook_path", Type::text(), "",
     "of this carrier alone; otherwise /TYPE/NAME. The addresses of pictures begin with it, too"},
    {"webhooks", Type::flag(), "true",
     "false, of twilio, signalwire and telnyx: the gateway cannot be reached, and everything is looked for. It needs "
     "no public_url; files that only the operator's account may fetch are lost"},
    {"rate", Type::decimal(0, 10000), "1", "texts a second from one number; 0: no limit of ours"},
    {"poll_seconds", Type::whole(1, 86400), "300", "between looks for what no webhook told"},
    {"look_again_seconds", Type::whole(1, 600), "20",
     "after a lost answer, until a text that is not listed counts as not sent"},
    {"request_limit_seconds", Type::whole(1, 600), "30", "no answer to a request for so long: it is lost"},
};

constexpr Section all_sections[] = {
    {"carriers", "http jasmin kannel signalwire telnyx twilio", true,
     "A carrier over HTTP. Texts and reports come to `http.public_url` and `webhook_path`", common_keys},
};

}  // namespace

std::span<const Section> common_sections() { return all_sections; }

std::vector<Key> with_common_keys(std::initializer_list<std::span<const Key>> own) {
  std::vector<Key> keys(std::begin(common_keys), std::end(common_keys));
  for (const std::span<const Key> some : own) keys.insert(keys.end(), some.begin(), some.end());
  return keys;
}

}  // namespace wherry::sms::http
