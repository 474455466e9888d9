#include "connectors/sms/http/listing.hpp"

#include "connectors/sms/http/api/verdict.hpp"

#include <algorithm>
#include <set>

namespace wherry::sms::http {

namespace {

// RFC 9110 §6.6.1. An answer is seconds old at most, which is less than what clocks may differ.
std::chrono::seconds clock_ahead(const net::HttpResponse& answer, base::Time now) {
  const auto date = answer.headers.find("date");
  const auto theirs = date == answer.headers.end() ? std::nullopt : parse_date(date->second);
  return theirs ? std::chrono::round<std::chrono::seconds>(*theirs - now) : std::chrono::seconds(0);
}

// A row that cannot be read, and has no date that could be, is as old as the next older one.
void date_holes(std::vector<Message>& newest_first) {
  std::optional<base::Time> older;
  for (auto m = newest_first.rbegin(); m != newest_first.rend(); ++m) {
    if (m->time()) older = m->time();
    else if (m->id.empty()) m->created = older;
  }
}

// Adds what is wanted of a page. False: all of it is old, and so is what comes behind it.
bool add_page(Listed& listed, std::vector<Message> messages, const Bounds& bounds) {
  // Never later than we were asked for: clocks are set, too.
  const auto behind = bounds.is_since_ours ? std::min(listed.ahead, std::chrono::seconds(0)) : std::chrono::seconds(0);
  const base::Time oldest = bounds.since + behind;
  bool all_old = true;
  date_holes(messages);
  for (Message& m : messages) {
    if (m.time() && std::max(m.time(), m.created) < oldest) continue;
    all_old = false;
    if (m.id.empty()) listed.holes.push_back(m.time());
    else if (!bounds.is_wanted || bounds.is_wanted(m)) listed.messages.push_back(std::move(m));
  }
  return !all_old;
}

}  // namespace

asio::awaitable<base::Result<Listed>> list_messages(const Provider& provider, connector::Services services,
                                                    ApiClient& api, Filter filter, Bounds bounds) {
  Listed listed;
  std::set<std::string> read;
  std::string url = provider.list_url(filter);
  for (int pages = 0; pages < bounds.most_pages; ++pages) {
    if (!read.insert(url).second)
      co_return connector::Error{connector::Errc::unavailable, "its list of messages goes round in a circle"};
    net::HttpRequest request = provider.get(url);
    auto answer = co_await api.send(std::move(request));
    if (!answer)
      co_return connector::Error{connector::Errc::unavailable, "it cannot be reached: " + answer.error().text};
    if (answer->status != 200) co_return reading_failed(*answer, services.clock.now());
    auto page = provider.read_page(answer->body, url);
    if (!page)
      co_return connector::Error{connector::Errc::unavailable, "it answers with something that is no list of messages"};

    listed.ahead = clock_ahead(*answer, services.clock.now());
    // A page of old messages has only older ones behind it. An empty page has nothing behind it.
    if (!add_page(listed, std::move(page->messages), bounds) || page->next.empty()) co_return listed;
    // Never to another host: our password would go with it.
    if (!page->next.starts_with(provider.setting.origin() + "/"))
      co_return connector::Error{connector::Errc::unavailable, "its list goes on elsewhere"};
    url = std::move(page->next);
  }
  if (!bounds.may_be_cut) co_return connector::Error{connector::Errc::unavailable, "its list of messages does not end"};
  listed.is_cut = true;
  co_return listed;
}

}  // namespace wherry::sms::http
