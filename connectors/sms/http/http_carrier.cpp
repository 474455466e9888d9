#include "connectors/sms/http/http_carrier.hpp"

#include "connectors/sms/http/catch_up.hpp"
#include "connectors/sms/http/webhook.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wherry::sms::http {

namespace {

using connector::Errc;
using std::chrono::seconds;

constexpr int most_failed_listings = 3;  // of listings, one after the other, before the service counts as down
constexpr seconds wait_after_failed_listing{5};
constexpr seconds wait_for_a_person{300};

// Providers that list texts only briefly were not listed once: their old entry, "cursor", has stood still since.
std::string cursor_of(const Provider& provider) {
  return provider.idempotency() == connector::Idempotency::queryable ? "cursor" : "listed";
}

class HttpCarrier final : public Carrier {
 public:
  HttpCarrier(std::unique_ptr<Provider> provider, connector::Services services, CarrierEvents& events)
      : provider_(std::move(provider)),
        services_(services),
        api_(*provider_, services),
        events_(events),
        ledger_(services.storage, services.clock, provider_->setting.name, cursor_of(*provider_)),
        reports_(ledger_, events, !provider_->message_url("wherry").empty()),
        sender_(*provider_, services, api_, ledger_),
        media_(*provider_, services),
        catch_up_(*provider_, services, api_, events, ledger_, reports_, sender_, media_),
        webhooks_(*provider_, services, events, ledger_, reports_, media_,
                  [this](const std::string& id) { catch_up_.seen(id); }) {
    serve(std::move(provider_->setting.numbers));
  }

  std::string_view name() const override { return provider_->setting.name; }
  bool is_up() const override { return up_; }
  connector::Idempotency idempotency() const override { return provider_->idempotency(); }
  bool reports_delivery() const override { return true; }
  // The most that can fit, in the characters that take the most octets for one unit; send() counts exactly.
  std::size_t most_text_bytes() const override { return provider_->most_units() * 3; }

  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<connector::Changes>> send(OutgoingText text) override;
  asio::awaitable<connector::Result<void>> try_once() override;
  void serve(std::vector<std::string> numbers) override { provider_->serve(std::move(numbers)); }

 private:
  asio::awaitable<void> begin();
  asio::awaitable<void> watch();
  void set_up(bool up);

  std::unique_ptr<Provider> provider_;
  connector::Services services_;
  ApiClient api_;
  CarrierEvents& events_;
  Ledger ledger_;
  Reports reports_;
  Sender sender_;
  Media media_;
  CatchUp catch_up_;
  WebhookServer webhooks_;
  bool up_ = false;
};

void HttpCarrier::set_up(bool up) {
  if (std::exchange(up_, up) == up) return;
  log::info(up ? "http_carrier.up" : "http_carrier.down", {{"carrier", provider_->setting.name}});
  events_.link_changed();
}

asio::awaitable<connector::Result<connector::Changes>> HttpCarrier::send(OutgoingText text) {
  // Before that it is not known what was sent already.
  if (!ledger_.is_loaded()) co_return connector::Error{Errc::unavailable, "The SMS service is not connected."};
  const std::string ref = Ledger::ref_of(text.key);
  auto sent = co_await sender_.send(std::move(text));
  const auto record = sent ? ledger_.find(ref) : nullptr;
  if (!record || !webhooks_.has_early(record->id)) co_return sent;
  try {
    co_await webhooks_.take_early(record->id);
  } catch (const std::exception& e) {  // whatever becomes of a report, the text is out
    log::error("http_carrier.report_not_stored", {{"carrier", name()}, {"id", record->id}, {"error", e.what()}});
  }
  co_return ledger_.changes_for(record);  // by now it has come further
}

// What the service must hear first.
asio::awaitable<void> HttpCarrier::begin() {
  std::vector<net::HttpRequest> requests = provider_->at_start();
  for (net::HttpRequest& request : requests) {
    const auto answer = co_await api_.send(std::move(request));
    if (!answer) throw LinkDown("it cannot be reached: " + answer.error().text);
    if (answer->status >= 200 && answer->status < 300) continue;
    const connector::Error error = reading_failed(*answer, services_.clock.now());
    throw LinkDown(error.text, error.code == Errc::not_authorized ? wait_for_a_person : error.retry_after);
  }
}

// Asks for something that only the owner of the account may read. An API that has no such thing is not asked.
asio::awaitable<connector::Result<void>> HttpCarrier::try_once() {
  std::string url = provider_->list_url({});
  if (url.empty()) url = provider_->message_url("wherry-check");
  if (url.empty()) co_return base::ok();
  net::HttpRequest request = provider_->get(std::move(url));
  const auto answer = co_await api_.send(std::move(request));
  if (!answer) co_return connector::Error{Errc::unavailable, answer.error().text};
  if (answer->status == 401 || answer->status == 403)
    co_return connector::Error{Errc::bad_input,
                               "The service refuses the account's credentials: compare them with its."};
  if (answer->status >= 500 || answer->status == 429)
    co_return connector::Error{Errc::unavailable,
                               fmt::format("The service answers with {}: try later.", answer->status)};
  co_return base::ok();
}

// Until the service cannot be reached any more. Webhooks are taken all the while: its way to us may be whole.
asio::awaitable<void> HttpCarrier::watch() {
  for (int failures = 0;;) {
    auto caught = co_await catch_up_.run();
    seconds wait = provider_->setting.poll;
    if (caught) {
      failures = 0;
      set_up(true);
    } else {
      const connector::Error& error = caught.error();
      if (error.code == Errc::not_authorized) {
        log::error("http_carrier.credentials_refused", {{"carrier", provider_->setting.name}, {"error", error.text}});
        throw LinkDown(error.text, wait_for_a_person);
      }
      if (!up_ || ++failures == most_failed_listings) throw LinkDown(error.text, error.retry_after);
      log::warn("http_carrier.listing_failed", {{"carrier", provider_->setting.name}, {"error", error.text}});
      wait = std::max(wait_after_failed_listing, error.retry_after);
    }
    co_await base::sleep(wait);
  }
}

asio::awaitable<void> HttpCarrier::run() {
  std::exception_ptr ended;
  bool cancelled = false;
  try {
    if (!ledger_.is_loaded()) {
      co_await media_.load();
      co_await ledger_.load();
    }
    webhooks_.open();
    co_await begin();
    co_await watch();
  } catch (const boost::system::system_error& e) {
    cancelled = e.code() == asio::error::operation_aborted;
    ended = std::current_exception();
  } catch (...) {
    ended = std::current_exception();
  }
  set_up(false);
  if (cancelled) {  // the gateway stops: what the service has begun to tell is heard to its end
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    webhooks_.close();
    co_await webhooks_.join();
  }
  std::rethrow_exception(ended);
}

}  // namespace

connector::Result<std::unique_ptr<Carrier>> make_http_carrier(std::unique_ptr<Provider> provider,
                                                              connector::Services services, CarrierEvents& events) {
  const Setting& setting = provider->setting;
  if (services.webhooks.has_route(setting.webhook_path)) {
    return connector::Error{
        Errc::bad_input, fmt::format("{}.webhook_path: {} is another carrier's. Give each carrier a path of its own.",
                                     setting.path, setting.webhook_path)};
  }
  if (!setting.takes_webhooks && provider->needs_webhooks()) {
    return connector::Error{Errc::bad_input,
                            fmt::format("{}.webhooks: must be true. This carrier tells of texts by webhooks only, and "
                                        "has no list that could be looked into.",
                                        setting.path)};
  }
  return std::unique_ptr<Carrier>(std::make_unique<HttpCarrier>(std::move(provider), services, events));
}

}  // namespace wherry::sms::http
