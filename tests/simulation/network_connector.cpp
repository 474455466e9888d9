// The simulated network's connector: keeps the promises of gateway/connector/contract.hpp to the letter, and none
// beyond them.
#include "gateway/base/signal.hpp"
#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "tests/simulation/network.hpp"

#include <algorithm>

namespace wherry::simulation {

using connector::Action;
using connector::Errc;
using connector::Error;
using connector::Receipt;
using connector::Result;

namespace {

asio::awaitable<void> pause(Microseconds length) {
  if (length > 0) co_await base::sleep(std::chrono::microseconds(length));
}

struct NeedsLogin {};

// Until run() ends, however it ends.
class Online {
 public:
  explicit Online(bool& flag) : flag_(flag) {}
  ~Online() { flag_ = false; }
  Online(const Online&) = delete;
  Online& operator=(const Online&) = delete;

 private:
  bool& flag_;
};

class SimulatedSession final : public connector::Session, public NetworkSession {
 public:
  SimulatedSession(Network& network, std::string user, connector::EventSink& events)
      : network_(network), user_(std::move(user)), events_(events) {}
  ~SimulatedSession() override { detach(); }

  void wake() override {
    if (news_) news_->notify();
  }

  asio::awaitable<void> run() override {
    if (!news_) news_ = std::make_unique<base::Signal>(co_await asio::this_coro::executor);
    detach();
    Mailbox& box = network_.mailbox(user_);
    const std::uint64_t connection = ++box.connections;
    // Some networks know at once that they have nobody of that name.
    if (!network_.draw().happens(300, "at_once", connection)) co_await pause(network_.delay("connects", connection));
    if (network_.is_away()) throw std::runtime_error("the network is away");
    box.breaks = false;
    box.session = this;
    bool needs_login = false;
    const Online while_it_lasts(is_online_);
    try {
      co_await talk();
    } catch (const NeedsLogin&) {
      needs_login = true;
    }
    detach();
    if (!needs_login) co_return;
    connector::AccountChanged change;
    change.needs_login = true;
    change.text = "Please log in again.";
    co_await events_.publish(std::move(change));
  }

  asio::awaitable<Result<Receipt>> perform(Action action) override {
    if (!is_online_)
      network_.recorder().add(What::breach, network_.name(), user_, "", "",
                              "perform() is called while the session is not online");
    if (connector::key_of(action)) return send(std::move(action));
    return do_other(std::move(action));
  }

  // Some questions are never answered.
  asio::awaitable<Result<connector::Answer>> query(connector::Query query) override {
    const std::uint64_t number = network_.next_number();
    co_await think("queries", number);
    if (const auto* avatar = std::get_if<connector::AvatarQuery>(&query)) {
      connector::File file;
      file.handle = avatar->avatar;
      co_return connector::Answer(std::move(file));
    }
    if (std::holds_alternative<connector::SearchQuery>(query))
      co_return connector::Answer(
          std::vector<connector::ListedContact>{{connector::ContactId{contact_name(0)}, "", {}}});
    connector::Profile profile;
    profile.name = "somebody";
    co_return connector::Answer(std::move(profile));
  }

  asio::awaitable<Result<void>> fetch(std::string handle, connector::FileSink& sink) override {
    const std::uint64_t number = network_.next_number();
    const auto begun = co_await sink.write("\x89PNG\r\n\x1A\n" + handle);
    if (!begun) co_return begun.error();
    co_await think("fetches", number);
    co_return co_await sink.write(std::string(1000, 'x'));
  }

  connector::Capabilities capabilities(const connector::ChatId&) const override {
    connector::Capabilities can;
    if (network_.traits().refers) can.edit = can.retract = can.react = can.reply = connector::Support::full;
    return can;
  }

 private:
  void detach() {
    Mailbox& box = network_.mailbox(user_);
    if (box.session == this) box.session = nullptr;
  }

  // As long as an answer takes: it may fail, break, or never come.
  asio::awaitable<void> think(std::string_view about, std::uint64_t number) {
    const Draw& draw = network_.draw();
    const bool is_healed = network_.recorder().is_healed();
    if (!is_healed && draw.happens(100, "hangs", number)) co_await base::sleep(std::chrono::hours(24));
    co_await pause(network_.delay(about, number));
    if (!is_healed && draw.happens(100, "breaks", number)) throw std::runtime_error("the question broke");
  }

  void look_at_fate() {
    const Mailbox& box = network_.mailbox(user_);
    if (box.needs_login) throw NeedsLogin{};
    if (box.breaks || box.session != this) throw std::runtime_error("the network has closed the connection");
  }

  asio::awaitable<void> talk() {
    look_at_fate();
    connector::AccountChanged up;
    up.online = true;
    is_online_ = true;
    co_await events_.publish(std::move(up));
    co_await base::together(watch(), deliver());
  }

  // Its failure ends the session at whatever wait deliver() is in.
  asio::awaitable<void> watch() {
    for (;;) {
      look_at_fate();
      co_await news_->wait();
    }
  }

  asio::awaitable<void> deliver() {
    for (;;) {
      Mailbox& box = network_.mailbox(user_);
      const auto ready =
          std::find_if(box.mails.begin(), box.mails.end(), [](const Mail& mail) { return mail.due <= now(); });
      if (ready == box.mails.end()) {
        co_await await_mail();
        continue;
      }
      std::rotate(box.mails.begin(), ready, ready + 1);
      network_.hand_over(user_);
      connector::Event event = box.mails.front().event;
      co_await events_.publish(std::move(event));
      // Only the connection that delivered it acknowledges it.
      if (network_.mailbox(user_).session != this) throw std::runtime_error("the connection is another's");
      network_.acknowledge(user_);
    }
  }

  asio::awaitable<void> await_mail() {
    const Mailbox& box = network_.mailbox(user_);
    Microseconds next = -1;
    for (const Mail& mail : box.mails) next = next < 0 ? mail.due : std::min(next, mail.due);
    if (next < 0) {
      co_await news_->wait();
      co_return;
    }
    try {
      co_await base::within(std::chrono::microseconds(std::max<Microseconds>(next - now(), 1)), news_->wait());
    } catch (const base::TimedOut&) {}
  }

  asio::awaitable<Result<Receipt>> send(Action action) {
    Recorder& recorder = network_.recorder();
    const std::string text = network_.text_of(action), key = *connector::key_of(action);
    const std::string contact = base::to_string(*connector::chat_of(action)).substr(2);
    const std::uint64_t about = hash_of(text), attempt = network_.count_attempt(text);
    recorder.add(What::performing, network_.name(), user_, contact, key, text);
    const bool is_unlucky =
        !recorder.is_healed() && network_.draw().happens(recorder.plan.bad_luck, "unlucky", about, attempt);
    auto fate = is_unlucky ? network_.draw().between(1, 6, "fate", about, attempt) : 0;
    if (network_.is_refused(key)) fate = 2;
    if (fate == 2 && network_.has_taken(key)) fate = 0;  // no network refuses what it has
    // Some networks answer without a wait.
    if (fate == 1) co_return Error{Errc::unavailable, "not now"};
    if (fate == 2) {
      network_.refuse(key);
      co_return Error{Errc::rejected, "never"};
    }
    const std::uint64_t number = network_.next_number();
    network_.sending[number] = {user_, action};
    try {
      co_await pause(network_.delay("sends", about, attempt));
    } catch (...) {
      network_.forget_or_take(number);
      throw;
    }
    if (network_.sending.erase(number) == 0) throw std::runtime_error("the process is dead");
    if (fate == 3) co_return Error{Errc::unavailable, "the connection broke before anything was sent"};
    if (fate == 4) co_return Error{Errc::uncertain, ""};
    Receipt receipt;
    receipt.ids = network_.take(user_, action);
    co_await pause(network_.delay("answers", about, attempt));
    if (fate == 5) co_return Error{Errc::uncertain, ""};
    if (fate == 6) throw std::runtime_error("the connector has a bug");
    recorder.add(What::acknowledged, network_.name(), user_, contact, key, text);
    co_return receipt;
  }

  asio::awaitable<Result<Receipt>> do_other(Action action) {
    co_await pause(network_.delay("does", network_.next_number()));
    if (const auto* add = std::get_if<connector::AddContact>(&action)) network_.add_contact(user_, add->contact.value);
    co_return Receipt{};
  }

  Network& network_;
  std::string user_;
  connector::EventSink& events_;
  std::unique_ptr<base::Signal> news_;
  bool is_online_ = false;
};

class SimulatedConnector final : public connector::Connector {
 public:
  explicit SimulatedConnector(Network& network) : network_(network) {}

  connector::Network describe() const override {
    const NetworkTraits& traits = network_.traits();
    connector::Network described;
    described.id = network_.name();
    described.name = network_.name();
    described.idempotency = traits.idempotency;
    described.has_presence = traits.has_presence;
    described.has_contact_list = traits.has_contact_list;
    described.has_search = described.has_profile = traits.has_presence;
    described.reports_delivery = traits.reports_delivery;
    described.refers_to_messages = traits.refers;
    return described;
  }
  asio::awaitable<void> run() override { co_return; }

  asio::awaitable<Result<connector::Answers>> log_in(connector::Applicant applicant,
                                                     connector::Dialogue& user) override {
    const std::string present = applicant.present ? account_in(applicant.present->credentials, applicant.user) : "";
    connector::Form form;
    form.instructions = "Who are you?";
    form.fields.emplace_back();
    form.fields.back().name = "nick";
    auto answers = co_await user.ask(std::move(form));
    if (!answers) co_return answers.error();
    const std::string name = account_in(*answers, applicant.user);
    if (!is_account(network_.recorder().plan, name)) co_return Error{Errc::not_authorized, "Nobody has that name."};
    if (owner_of(name) != user_of(applicant.user) || (!present.empty() && present != name))
      network_.recorder().add(What::breach, network_.name(), name, "", "",
                              "the login is that of " + applicant.user + " " + present);
    co_await pause(network_.delay("logs_in", network_.next_number()));
    if (network_.is_away()) co_return Error{Errc::unavailable, "The network is away."};
    network_.mailbox(name).needs_login = false;
    co_return answers;
  }

  void know_account(const connector::Account& account, connector::EventSink& events) override {
    accounts_.insert_or_assign(account.id, Known{account_in(account.credentials, account.user), &events});
  }
  void forget_account(connector::AccountId account) override { accounts_.erase(account); }
  std::unique_ptr<connector::Session> open(connector::AccountId account) override {
    const Known& known = accounts_.at(account);
    return std::make_unique<SimulatedSession>(network_, known.user, *known.events);
  }
  asio::awaitable<Result<connector::ContactId>> parse_contact(std::string typed, connector::AccountId) const override {
    const std::uint64_t about = hash_of(typed);
    if (network_.draw().happens(300, "asks_for_contact", about)) co_await pause(network_.delay("parses", about));
    co_return connector::ContactId{std::move(typed)};
  }

 private:
  struct Known {
    std::string user;
    connector::EventSink* events = nullptr;
  };
  Network& network_;
  std::map<connector::AccountId, Known> accounts_;
};

}  // namespace

std::unique_ptr<connector::Connector> Network::make_connector(connector::Services /*services*/) {
  return std::make_unique<SimulatedConnector>(*this);
}

}  // namespace wherry::simulation
