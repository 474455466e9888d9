#include "connectors/sms/carriers/twilio.hpp"

#include "connectors/sms/carriers/twilio_catch_up.hpp"
#include "connectors/sms/carriers/twilio_webhook.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace wherry::sms {

namespace twilio {

namespace {

using connector::Errc;
using std::chrono::seconds;

constexpr int kMostFailures = 3;      // of listings, one after the other, before the service counts as down
constexpr seconds kAfterFailure{5};
constexpr seconds kMisconfigured{300};
constexpr std::size_t kMostTextBytes = 1600 * 3;  // 1,600 UTF-16 units; send() counts exactly

class TwilioCarrier final : public Carrier {
 public:
  TwilioCarrier(Setting setting, connector::Services services, CarrierEvents& events)
      : setting_(std::move(setting)), events_(events), ledger_(services.storage, services.clock, setting_.name), reports_(ledger_, events),
        sender_(setting_, services, ledger_), catch_up_(setting_, services, events, ledger_, reports_, sender_),
        webhooks_(setting_, services, events, ledger_, reports_, [this](const std::string& id) { catch_up_.seen(id); }) {}

  std::string_view name() const override { return setting_.name; }
  bool is_up() const override { return up_; }
  connector::Idempotency idempotency() const override { return connector::Idempotency::queryable; }
  bool reports_delivery() const override { return true; }
  std::size_t most_text_bytes() const override { return kMostTextBytes; }

  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<void>> send(OutgoingText text) override;

 private:
  asio::awaitable<void> watch();
  void set_up(bool up);

  Setting setting_;
  CarrierEvents& events_;
  Ledger ledger_;
  Reports reports_;
  Sender sender_;
  CatchUp catch_up_;
  WebhookServer webhooks_;
  bool up_ = false;
};

void TwilioCarrier::set_up(bool up) {
  if (std::exchange(up_, up) == up) return;
  log::info(up ? "twilio.up" : "twilio.down", {{"carrier", setting_.name}});
  events_.link_changed();
}

asio::awaitable<connector::Result<void>> TwilioCarrier::send(OutgoingText text) {
  // Before that it is not known what was sent already.
  if (!ledger_.is_loaded()) co_return connector::Error{Errc::unavailable, "The SMS service is not connected."};
  co_return co_await sender_.send(std::move(text));
}

// Until the service cannot be reached any more. Webhooks are taken all the while: its way to us may be whole.
asio::awaitable<void> TwilioCarrier::watch() {
  for (int failures = 0;;) {
    auto caught = co_await catch_up_.run();
    seconds wait = setting_.poll;
    if (caught) {
      failures = 0;
      set_up(true);
    } else {
      const connector::Error& error = caught.error();
      if (error.code == Errc::not_authorized) {
        log::error("twilio.credentials_refused", {{"carrier", setting_.name}, {"error", error.text}});
        throw LinkDown(error.text, kMisconfigured);
      }
      if (!up_ || ++failures == kMostFailures) throw LinkDown(error.text, error.retry_after);
      log::warn("twilio.listing_failed", {{"carrier", setting_.name}, {"error", error.text}});
      wait = std::max(kAfterFailure, error.retry_after);
    }
    co_await base::sleep(wait);
  }
}

asio::awaitable<void> TwilioCarrier::run() {
  std::exception_ptr ended;
  bool cancelled = false;
  try {
    if (!ledger_.is_loaded()) co_await ledger_.load();
    webhooks_.open();
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

}  // namespace twilio

connector::Result<std::unique_ptr<Carrier>> make_twilio(CarrierSetting setting, connector::Services services, CarrierEvents& events) {
  auto parsed = twilio::parse_setting(setting, services.webhooks.public_url);
  if (!parsed) return parsed.error();
  return std::unique_ptr<Carrier>(std::make_unique<twilio::TwilioCarrier>(std::move(*parsed), services, events));
}

}  // namespace wherry::sms
