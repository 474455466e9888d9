#include "connectors/sms/carriers/relayed.hpp"

#include "connectors/sms/smpp/receipt.hpp"
#include "connectors/sms/smpp/verdict.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace wherry::sms {

namespace {

constexpr std::uint8_t ton_unknown = 0, ton_international = 1, npi_isdn = 1;  // SMPP 3.4 §5.2.5, §5.2.6

smpp::NetworkAddress to_address(std::string_view written) {
  return {written.starts_with('+') ? ton_international : ton_unknown, npi_isdn, std::string(written)};
}

}  // namespace

RelayedNumbers::RelayedNumbers(const CarrierSetting& source) : rules_(smpp::address_rules(source)) {
  serve(source.numbers);
}

void RelayedNumbers::serve(std::vector<std::string> numbers) { smpp::serve(rules_, std::move(numbers)); }

std::string RelayedNumbers::sender(std::string_view written) const {
  return smpp::from_network(to_address(written), rules_).text;
}

std::string RelayedNumbers::receiver(std::string_view written) const {
  return smpp::destination_from_network(to_address(written), rules_).text;
}

std::size_t segments_of(std::size_t units, std::size_t whole, std::size_t part) {
  return units <= whole ? 1 : (units - 1) / part + 1;
}

std::string why_too_many(std::size_t segments, int most) {
  if (segments <= static_cast<std::size_t>(most)) return {};
  return fmt::format("The text would take {} text messages, and {} is the most. Send it in pieces.", segments, most);
}

http::Status status_of_receipt(std::string_view text) {
  using smpp::MessageState;
  http::Status status;
  const auto receipt = smpp::parse_receipt({}, text);
  if (!receipt) return status;
  if (receipt->state == MessageState::delivered) status.stage = connector::Stage::delivered;
  else if (smpp::is_final_failure(receipt->state)) status.stage = connector::Stage::failed;
  else if (receipt->state != MessageState::unknown) status.stage = connector::Stage::accepted;
  if (status.stage == connector::Stage::failed) status.why = smpp::explain(*receipt);
  return status;
}

http::Status refused_with(smpp::Status refusal) {
  http::Status status;
  status.stage = connector::Stage::failed;
  status.why = smpp::judge(refusal).text;
  return status;
}

std::optional<std::uint32_t> from_hex_number(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace wherry::sms
