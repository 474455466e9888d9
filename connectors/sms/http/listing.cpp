#include "connectors/sms/http/listing.hpp"

#include "connectors/sms/http/api/verdict.hpp"

#include <algorithm>
#include <iterator>

namespace wherry::sms::http {

namespace {

constexpr int most_pages = 1000;

// RFC 9110 §6.6.1. An answer is seconds old at most, which is less than what clocks may differ.
std::chrono::seconds clock_ahead(const net::HttpResponse& answer, base::Time now) {
  const auto date = answer.headers.find("date");
  const auto theirs = date == answer.headers.end() ? std::nullopt : parse_date(date->second);
  return theirs ? std::chrono::round<std::chrono::seconds>(*theirs - now) : std::chrono::seconds(0);
}

}  // namespace

asio::awaitable<base::Result<Listed>> list_messages(const Provider& provider, connector::Services services,
                                                    ApiClient& api, Filter filter, base::Time since) {
  Listed listed;
  std::string url = provider.list_url(filter);
  for (int pages = 0; pages < most_pages; ++pages) {
    net::HttpRequest request = provider.get(url);
    auto answer = co_await api.send(std::move(request));
    if (!answer)
      co_return connector::Error{connector::Errc::unavailable, "it cannot be reached: " + answer.error().text};
    if (answer->status != 200) co_return reading_failed(*answer, services.clock.now());
    auto page = provider.read_page(answer->body, url);
    if (!page)
      co_return connector::Error{connector::Errc::unavailable, "it answers with something that is no list of messages"};

    listed.ahead = clock_ahead(*answer, services.clock.now());
    // Never later than we were asked for: clocks are set, too.
    const base::Time oldest = since + std::min(listed.ahead, std::chrono::seconds(0));
    const auto is_old = [oldest](const Message& m) { return m.time() && std::max(m.time(), m.created) < oldest; };
    const bool all_old = std::all_of(page->messages.begin(), page->messages.end(), is_old);
    std::copy_if(std::make_move_iterator(page->messages.begin()), std::make_move_iterator(page->messages.end()),
                 std::back_inserter(listed.messages), [&](const Message& m) { return !is_old(m); });
    // A page of old messages has only older ones behind it. An empty page has nothing behind it.
    if (page->next.empty() || all_old) co_return listed;
    // Never to another host: our password would go with it.
    if (!page->next.starts_with(provider.setting.origin() + "/"))
      co_return connector::Error{connector::Errc::unavailable, "its list goes on elsewhere"};
    url = std::move(page->next);
  }
  co_return connector::Error{connector::Errc::unavailable, "its list of messages does not end"};
}

}  // namespace wherry::sms::http
