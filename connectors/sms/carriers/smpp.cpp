#include "connectors/sms/carriers/smpp.hpp"

#include "connectors/sms/smpp/address.hpp"
#include "connectors/sms/smpp/inbound.hpp"
#include "connectors/sms/smpp/sender.hpp"
#include "gateway/base/log.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace wherry::sms {

namespace smpp {

namespace {

class SmppCarrier final : public Carrier {
 public:
  SmppCarrier(Setting setting, connector::Services services, CarrierEvents& events)
      : setting_(std::move(setting)),
        services_(services),
        events_(events),
        ledger_(services.storage, services.clock, setting_.name),
        reports_(ledger_, services.storage, events),
        gate_(services.executor, setting_.window, setting_.rate),
        sender_(setting_, services, ledger_, reports_, gate_),
        inbound_(setting_, services, events, ledger_, reports_),
        changed_(services.executor),
        link_tasks_(services.executor),
        gate_tasks_(services.executor),
        inbound_tasks_(services.executor),
        closing_(services.executor) {}

  std::string_view name() const override { return setting_.name; }
  bool is_up() const override { return up_; }
  connector::Idempotency idempotency() const override { return connector::Idempotency::none; }
  bool reports_delivery() const override { return setting_.delivery_reports; }
  // The most that can fit, in the characters that take the most octets for the room they need; send() counts exactly.
  std::size_t most_text_bytes() const override {
    return std::max<std::size_t>(160, setting_.split.most_parts * 153) * 2;
  }

  asio::awaitable<connector::Result<connector::Changes>> send(OutgoingText text) override {
    return sender_.send(std::move(text));
  }
  asio::awaitable<void> run() override;
  asio::awaitable<connector::Result<void>> try_once() override;
  void serve(std::vector<std::string> numbers) override { smpp::serve(setting_.addresses, std::move(numbers)); }

 private:
  asio::awaitable<void> open();
  asio::awaitable<std::unique_ptr<Link>> open_link(Command command);
  asio::awaitable<void> run_link(Link* link);
  asio::awaitable<void> close(bool gracefully);
  asio::awaitable<void> unbind(Link* link, bool* confirmed);
  void set_up(bool up);

  Setting setting_;
  connector::Services services_;
  CarrierEvents& events_;
  Ledger ledger_;
  Reports reports_;
  Gate gate_;
  Sender sender_;
  Inbound inbound_;
  std::unique_ptr<Link> transmitter_, receiver_;  // a transceiver is the transmitter alone
  base::Signal changed_;
  base::TaskGroup link_tasks_, gate_tasks_, inbound_tasks_, closing_;
  std::string broken_;  // why a link ended
  bool up_ = false;
  unsigned attempts_ = 0;  // to open it
};

void SmppCarrier::set_up(bool up) {
  if (std::exchange(up_, up) == up) return;
  log::info(up ? "smpp.bound" : "smpp.unbound", {{"carrier", setting_.name}});
  events_.link_changed();
}

asio::awaitable<std::unique_ptr<Link>> SmppCarrier::open_link(Command command) {
  Link::Events events;
  events.asked = [this](Link& link, Asked asked) { inbound_.take(link, std::move(asked)); };
  events.proved = [this](const Link& link, Proved proved) { inbound_.proved(link, proved); };
  Endpoint endpoint = setting_.endpoint;
  endpoint.attempt = attempts_;
  return Link::open(std::move(endpoint), command, setting_.bind, setting_.limits, std::move(events));
}

asio::awaitable<void> SmppCarrier::open() {
  ++attempts_;
  if (setting_.two_binds) {
    transmitter_ = co_await open_link(Command::bind_transmitter);
    receiver_ = co_await open_link(Command::bind_receiver);
  } else {
    transmitter_ = co_await open_link(Command::bind_transceiver);
  }
}

asio::awaitable<void> SmppCarrier::run_link(Link* link) {
  const std::string reason = co_await link->run();
  if (broken_.empty()) broken_ = reason.empty() ? "it ended" : reason;
  changed_.notify();
}

asio::awaitable<void> SmppCarrier::run() {
  broken_.clear();
  std::exception_ptr failure;
  bool cancelled = false;
  try {
    co_await open();
    for (Link* link : {transmitter_.get(), receiver_.get()}) {
      if (link) link_tasks_.spawn("smpp.link", run_link(link));
    }
    gate_tasks_.spawn("smpp.gate", gate_.run());
    gate_tasks_.spawn("smpp.tick", inbound_.tick());
    inbound_tasks_.spawn("smpp.inbound", inbound_.run());
    sender_.use(transmitter_.get());
    gate_.open();
    set_up(true);
    while (broken_.empty()) co_await changed_.wait();
  } catch (const boost::system::system_error& e) {
    cancelled = e.code() == asio::error::operation_aborted;
    failure = std::current_exception();
  } catch (...) {
    failure = std::current_exception();
  }
  // Also when the gateway stops, what is under way is brought to an end: by a task of its own, which is not cancelled.
  co_await asio::this_coro::throw_if_cancelled(false);
  closing_.spawn("smpp.close", close(cancelled && up_ && broken_.empty()));
  co_await closing_.join();
  co_await asio::this_coro::throw_if_cancelled(true);
  if (failure) std::rethrow_exception(failure);
  throw LinkDown(broken_);
}

asio::awaitable<void> SmppCarrier::unbind(Link* link, bool* confirmed) {
  const bool answered = co_await link->unbind(setting_.drain);
  *confirmed = *confirmed && answered;
}

asio::awaitable<void> SmppCarrier::close(bool gracefully) {
  set_up(false);
  sender_.use(nullptr);
  gate_.close();
  inbound_.stop();
  co_await inbound_tasks_.join();
  bool confirmed = gracefully;
  if (gracefully) {
    base::TaskGroup unbinding(services_.executor);
    for (Link* link : {transmitter_.get(), receiver_.get()}) {
      if (link) unbinding.spawn("smpp.unbind", unbind(link, &confirmed));
    }
    co_await unbinding.join();
  }
  co_await link_tasks_.end();
  co_await sender_.join();
  co_await gate_tasks_.end();
  co_await inbound_.session_ended(confirmed);
  transmitter_.reset();
  receiver_.reset();
}

// Binds as run() would, and unbinds.
asio::awaitable<connector::Result<void>> SmppCarrier::try_once() {
  std::string why;
  try {
    co_await open();
    for (Link* link : {transmitter_.get(), receiver_.get()}) {
      if (link) link_tasks_.spawn("smpp.link", run_link(link));
    }
    bool confirmed = true;
    for (Link* link : {transmitter_.get(), receiver_.get()}) {
      if (link) co_await unbind(link, &confirmed);
    }
  } catch (const LinkDown& e) {
    why = e.what();
    if (e.at_least.count() > 0) co_return connector::Error{connector::Errc::bad_input, why};
  } catch (const boost::system::system_error& e) {
    why = e.code().message();
  }
  co_await link_tasks_.end();
  transmitter_.reset();
  receiver_.reset();
  if (!why.empty()) co_return connector::Error{connector::Errc::unavailable, why};
  co_return base::ok();
}

}  // namespace

}  // namespace smpp

connector::Result<std::unique_ptr<Carrier>> make_smpp(CarrierSetting setting, connector::Services services,
                                                      CarrierEvents& events) {
  auto parsed = smpp::parse_setting(setting);
  if (!parsed) return parsed.error();
  return std::unique_ptr<Carrier>(std::make_unique<smpp::SmppCarrier>(std::move(*parsed), services, events));
}

}  // namespace wherry::sms
