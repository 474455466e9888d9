// Contacts' ids, and what people type.
#include "gateway/base/within.hpp"
#include "gateway/conformance/host.hpp"
#include "gateway/conformance/promises/promises.hpp"
#include "gateway/conformance/promises/steps.hpp"
#include "gateway/convert/address.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wherry::conformance {

namespace {

using connector::ContactId;
using connector::Errc;
using connector::Result;

// As a registered user asks, or (0) somebody else.
asio::awaitable<Result<ContactId>> look_up(Host& host, std::string typed, std::int64_t account) {
  auto* network = co_await host.network();
  const std::string shown = excerpt(typed);
  const base::AccountId who{account};
  auto asked = network->parse_contact(std::move(typed), who);
  try {
    auto found = co_await base::within(host.description.wait, std::move(asked));
    if (!found && found.error().code == Errc::unavailable)
      throw Broken(fmt::format("`parse_contact` of {} is not answered as it must be: {}", shown, found.error().text));
    co_return found;
  } catch (const base::TimedOut&) {
    throw Silence(fmt::format("`parse_contact` of {} is not answered within {} s: answer every one.", shown,
                              host.description.wait.count()));
  }
}

asio::awaitable<void> expect_itself(Host& host, std::string id, std::int64_t account) {
  const auto found = co_await look_up(host, id, account);
  if (!found) throw Broken(fmt::format("the id {} itself is refused: {}.", excerpt(id), in_words(found.error())));
  expect(found->value == id, fmt::format("the id {} gives another, {}: an id is stable, so it must give itself.",
                                         excerpt(id), excerpt(found->value)));
}

asio::awaitable<void> gives_the_id(Host& host) {
  if (host.description.typed.empty()) throw NotTried("the description has no [[typed]]");
  for (const Typed& typed : host.description.typed) {
    const auto found = co_await look_up(host, typed.text, 1);
    if (!found) throw Broken(fmt::format("{} is refused: {}.", excerpt(typed.text), in_words(found.error())));
    expect(found->value == typed.id,
           fmt::format("{} gives {}, not {}.", excerpt(typed.text), excerpt(found->value), excerpt(typed.id)));
  }
}

std::vector<std::string> described_ids(const Host& host) {
  std::vector<std::string> ids;
  if (host.description.contact) ids.push_back(host.description.contact->value);
  for (const Typed& typed : host.description.typed) ids.push_back(typed.id);
  if (ids.empty()) throw NotTried("the description has neither `contact` nor [[typed]]");
  return ids;
}

asio::awaitable<void> takes_ids_again(Host& host) {
  for (const std::string& id : described_ids(host)) {
    co_await expect_itself(host, id, 1);
    co_await expect_itself(host, id, 0);
  }
}

// What an address may hold, after all escapes: not every id of 2,000 bytes.
asio::awaitable<void> ids_are_addresses(Host& host) {
  const auto domain = xmpp::Jid::parse("network.example.org").value();
  for (const std::string& id : described_ids(host)) {
    const auto address = convert::write(ContactId{id}, "", domain);
    if (!address)
      throw Broken(fmt::format("{} cannot be written as an address: {}.", excerpt(id), address.error().text));
    const auto read = convert::read(*address);
    if (!read) throw Broken(fmt::format("{} is no address that can be read: {}.", address->str(), read.error().text));
    co_await expect_itself(host, read->id, 1);
  }
}

asio::awaitable<void> refuses_no_contacts(Host& host) {
  if (host.description.no_contacts.empty()) throw NotTried("the description has no `no_contacts`");
  for (const std::string& typed : host.description.no_contacts) {
    const auto found = co_await look_up(host, typed, 1);
    expect(!found, found ? fmt::format("{} gives {}, though the description has it under no_contacts.", excerpt(typed),
                                       excerpt(found->value))
                         : std::string());
    expect_refusal(found.error(), "`parse_contact` of " + excerpt(typed));
    expect(found.error().code == Errc::bad_input || found.error().code == Errc::not_found,
           fmt::format("`parse_contact` of {} is answered {}: the code must be `bad_input` or `not_found`.",
                       excerpt(typed), in_words(found.error())));
  }
}

asio::awaitable<void> answers_whatever_is_typed(Host& host) {
  const std::string strange[] = {"", " ", "a\nb", "\x01", "😀", "'; --\"<&>", "\\20x\\5c", std::string(10'000, 'x')};
  for (const std::string& typed : strange) {
    const auto found = co_await look_up(host, typed, 1);
    if (found) co_await expect_itself(host, found->value, 1);
    else expect_refusal(found.error(), "`parse_contact` of " + excerpt(typed));
  }
}

constexpr Promise all_contact_promises[] = {
    {"what a person types gives the contact's id", 6, gives_the_id},
    {"an id gives itself again, whoever asks", 6, takes_ids_again},
    {"an id survives being an address", 6, ids_are_addresses},
    {"what is no contact is refused with a sentence", 6, refuses_no_contacts},
    {"whatever is typed is answered", 6, answers_whatever_is_typed},
};

}  // namespace

std::span<const Promise> contact_promises() { return all_contact_promises; }

}  // namespace wherry::conformance
