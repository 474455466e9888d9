#include "tests/simulation/child.hpp"

#include "gateway/connector/action_codec.hpp"
#include "gateway/connector/event_codec.hpp"
#include "tests/support/played_process.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>

namespace wherry::simulation {

using connector::Errc;
using nlohmann::json;
using tests::Pipes;

namespace {

// What becomes of a send; those beyond `done_not_answered` are a child's own.
enum class Fate {
  done,
  not_now,
  never,
  not_done,
  not_done_unclear,
  done_unclear,
  done_not_answered,
  done_answered_late,
  done_answered_twice,
  forgotten,
  garbage,
  answers_what_was_not_asked,
  hangs,
  dies_before,
  dies_after,
};
constexpr auto last_fate = static_cast<std::int64_t>(Fate::dies_after);

class Child final : public std::enable_shared_from_this<Child> {
 public:
  Child(asio::io_context& loop, Network& network, std::shared_ptr<Pipes> pipes)
      : loop_(loop), network_(network), pipes_(std::move(pipes)), number_(network.next_number()) {}

  void start() {
    pipes_->took = [this](const std::string& line) { note_taken(line); };
    pipes_->woken = [self = weak_from_this()] {
      if (const auto child = self.lock()) child->wake();
    };
    pipes_->died = [this] { died(); };
    if (is_unlucky(30, "dies_at_once")) after(delay("dies"), [this] { pipes_->exit(3); });
  }
  // The gateway's process is gone.
  void close_input() {
    if (!is_alive()) return;
    pipes_->waiting.clear();  // was in its memory
    pipes_->close();
  }

 private:
  // One `open` under way.
  struct Opened final : NetworkSession {
    Opened(Child& c, json r, std::int64_t a, std::string u)
        : child(c), request(std::move(r)), account(a), user(std::move(u)) {}
    void wake() override { child.look_soon(request["id"].get<std::int64_t>()); }
    Child& child;
    json request;
    std::int64_t account;
    std::string user;
    bool is_publishing = false;
  };
  using Answered = std::function<void(const json& answer)>;

  bool is_alive() const { return !pipes_->code; }
  Recorder& recorder() { return network_.recorder(); }
  bool is_unlucky(int per_mille, std::string_view purpose, std::uint64_t about = 0) {
    return !recorder().is_healed() && network_.draw().happens(per_mille, purpose, number_, about);
  }
  Microseconds delay(std::string_view purpose, std::uint64_t a = 0, std::uint64_t b = 0) const {
    return network_.delay(purpose, a, b);
  }
  template <class Then>
  void after(Microseconds wait, Then then) {
    const auto timer = std::make_shared<asio::steady_timer>(loop_, std::chrono::microseconds(wait));
    timer->async_wait([self = shared_from_this(), timer, then = std::move(then)](boost::system::error_code) {
      if (self->is_alive()) then();
    });
  }

  // ---- The lines ----

  void note_taken(const std::string& line) {
    if (line.find(R"("method":"perform")") == std::string::npos) return;
    const json params = json::parse(line)["params"];
    const auto action = connector::parse_action(params["action"]);
    const std::string* const key = connector::key_of(*action);
    if (key)
      recorder().add(What::performing, network_.name(), users_[params["account"].get<std::int64_t>()],
                     base::to_string(*connector::chat_of(*action)).substr(2), *key, network_.text_of(*action));
  }

  void wake() {
    if (std::exchange(is_reading_, true)) return;
    after(delay("reads", number_, ++reads_) / 20, [this] { read(); });
  }
  void read() {
    if (hangs_until_ > now()) return after(hangs_until_ - now(), [this] { read(); });
    is_reading_ = false;
    const auto line = pipes_->read();
    if (!line) {
      if (pipes_->has_input_ended()) after(delay("ends", number_), [this] { pipes_->exit(0); });
      return;
    }
    if (is_unlucky(3, "dies_reading", reads_)) return pipes_->exit(9);
    take(json::parse(*line));
    wake();
  }

  void say(json message) {
    message["jsonrpc"] = "2.0";
    pipes_->say(message.dump());
  }
  void answer(const json& request, json result) {
    json message;
    message["id"] = request["id"];
    message["result"] = std::move(result);
    say(std::move(message));
  }
  void refuse(const json& request, Errc code, const char* text) {
    json message;
    message["id"] = request["id"];
    message["error"] = {{"code", -32000}, {"message", text}, {"data", {{"code", std::string(base::to_string(code))}}}};
    say(std::move(message));
  }
  void ask(const char* method, json params, Answered answered) {
    const std::int64_t id = ++last_id_;
    waiting_[id] = std::move(answered);
    json message;
    message["id"] = id;
    message["method"] = method;
    message["params"] = std::move(params);
    say(std::move(message));
  }

  void take(json said) {
    const std::string method = said.value("method", "");
    if (method.empty()) {
      const auto found = waiting_.extract(said["id"].get<std::int64_t>());
      if (!found.empty()) found.mapped()(said);
    } else if (method == "hello") {
      greet(said);
    } else if (method == "know_account") {
      const json& params = said["params"];
      const auto credentials = params["credentials"].get<connector::Answers>();
      users_[params["account"].get<std::int64_t>()] = account_in(credentials, params["user"].get<std::string>());
      answer(said, json::object());
    } else if (method == "open") {
      open(std::move(said));
    } else if (method == "cancel") {
      cancel(said["params"]["id"].get<std::int64_t>());
    } else if (method == "perform") {
      perform(std::move(said));
    } else if (method == "parse_contact") {
      parse_contact(std::move(said));
    } else if (method == "log_in") {
      log_in(std::move(said));
    } else {
      answer(said, json::object());  // ping, forget_account
    }
  }

  void greet(const json& said) {
    if (is_unlucky(30, "says_no_hello")) return;
    const NetworkTraits& traits = network_.traits();
    constexpr const char* kinds[] = {"by_key", "queryable", "none"};
    json described = {{"id", network_.name()}, {"name", network_.name()}, {"disco_type", "x"}};
    described["idempotency"] = kinds[static_cast<std::size_t>(traits.idempotency)];
    described["has_presence"] = traits.has_presence;
    described["has_contact_list"] = traits.has_contact_list;
    described["reports_delivery"] = traits.reports_delivery;
    answer(said, {{"protocol", 2}, {"network", described}});
  }

  // ---- Sessions ----

  void open(json said) {
    const auto account = said["params"]["account"].get<std::int64_t>();
    const auto known = users_.find(account);
    if (known == users_.end()) {
      recorder().add(What::breach, network_.name(), "", "", "", "open comes before know_account");
      return refuse(said, Errc::unavailable, "who?");
    }
    const auto id = said["id"].get<std::int64_t>();
    opened_[id] = std::make_shared<Opened>(*this, std::move(said), account, known->second);
    const std::uint64_t connection = ++network_.mailbox(known->second).connections;
    after(delay("connects", connection), [this, id] { begin(id); });
  }
  void begin(std::int64_t id) {
    const auto found = opened_.find(id);
    if (found == opened_.end()) return;
    const std::shared_ptr<Opened> opened = found->second;
    if (network_.is_away()) return finish(id, Errc::unavailable, "the network is away");
    Mailbox& box = network_.mailbox(opened->user);
    box.breaks = false;
    box.session = opened.get();
    if (!box.needs_login) {
      connector::AccountChanged up;
      up.online = true;
      publish(opened->account, up, [](const json&) {});
    }
    look_soon(id);
  }
  void look_soon(std::int64_t id) {
    after(0, [this, id] { look(id); });
  }
  void look(std::int64_t id) {
    const auto found = opened_.find(id);
    if (found == opened_.end() || found->second->is_publishing) return;
    Opened& opened = *found->second;
    Mailbox& box = network_.mailbox(opened.user);
    if (box.needs_login) return finish(id, Errc::not_authorized, "Please log in again.");
    if (box.breaks || box.session != &opened)
      return finish(id, Errc::unavailable, "the network has closed the connection");
    const auto ready =
        std::find_if(box.mails.begin(), box.mails.end(), [](const Mail& mail) { return mail.due <= now(); });
    if (ready == box.mails.end()) {
      Microseconds next = -1;
      for (const Mail& mail : box.mails) next = next < 0 ? mail.due : std::min(next, mail.due);
      if (next >= 0) after(next - now(), [this, id] { look(id); });
      return;
    }
    std::rotate(box.mails.begin(), ready, ready + 1);
    opened.is_publishing = true;
    network_.hand_over(opened.user);
    publish(opened.account, box.mails.front().event, [this, id](const json& answer) { published(id, answer); });
  }
  void published(std::int64_t id, const json& answer) {
    const auto found = opened_.find(id);
    if (found == opened_.end()) return;
    found->second->is_publishing = false;
    if (answer.contains("error")) return finish(id, Errc::unavailable, "it was not stored");
    // Only the connection that delivered it acknowledges it.
    if (network_.mailbox(found->second->user).session == found->second.get()) network_.acknowledge(found->second->user);
    look(id);
  }
  void publish(std::int64_t account, const connector::Event& event, Answered answered) {
    json params;
    params["account"] = account;
    params["event"] = connector::to_json(event);
    ask("publish", std::move(params), std::move(answered));
  }
  void finish(std::int64_t id, Errc code, const char* text) {
    const json request = opened_.at(id)->request;
    close(id);
    refuse(request, code, text);
  }
  void close(std::int64_t id) {
    const auto found = opened_.extract(id);
    if (found.empty()) return;
    Mailbox& box = network_.mailbox(found.mapped()->user);
    if (box.session == found.mapped().get()) box.session = nullptr;
  }
  // A good child ends what it does; it need not answer.
  void cancel(std::int64_t id) {
    close(id);
    const auto found = sending_.find(id);
    if (found == sending_.end() || network_.draw().happens(500, "goes_on", number_, static_cast<std::uint64_t>(id)))
      return;
    network_.sending.erase(found->second);
    sending_.erase(found);
  }

  // ---- Sends ----

  void perform(json said) {
    const auto action = connector::parse_action(said["params"]["action"]);
    const std::string user = users_[said["params"]["account"].get<std::int64_t>()];
    if (connector::key_of(*action)) return send(std::move(said), user, *action);
    if (const auto* add = std::get_if<connector::AddContact>(&*action)) network_.add_contact(user, add->contact.value);
    after(delay("does", network_.next_number()), [this, said] { answer(said, json::object()); });
  }

  Fate fate_of(const std::string& key, std::uint64_t about, std::uint64_t attempt) {
    if (network_.is_refused(key)) return Fate::never;
    const bool is_unlucky =
        !recorder().is_healed() && network_.draw().happens(recorder().plan.bad_luck, "unlucky", about, attempt);
    if (!is_unlucky) return Fate::done;
    const auto fate = static_cast<Fate>(network_.draw().between(1, last_fate, "fate", about, attempt));
    return fate == Fate::never && network_.has_taken(key) ? Fate::done : fate;  // no network refuses what it has
  }

  void send(json said, std::string user, connector::Action action) {
    const std::string text = network_.text_of(action), key = *connector::key_of(action);
    const std::uint64_t about = hash_of(text), attempt = network_.count_attempt(text);
    const Fate fate = fate_of(key, about, attempt);
    if (fate == Fate::not_now) return refuse(said, Errc::unavailable, "not now");
    if (fate == Fate::never) {
      network_.refuse(key);
      return refuse(said, Errc::rejected, "never");
    }
    if (fate == Fate::forgotten) return;
    if (fate == Fate::dies_before) return pipes_->exit(9);
    if (fate == Fate::garbage || fate == Fate::answers_what_was_not_asked) misbehave(fate, about);
    if (fate == Fate::hangs) hangs_until_ = now() + network_.draw().between(1, 60, "hangs", about) * 1'000'000;
    const std::uint64_t number = network_.next_number();
    const auto id = said["id"].get<std::int64_t>();
    network_.sending[number] = {std::move(user), std::move(action)};
    sending_[id] = number;
    after(delay("sends", about, attempt), [this, said = std::move(said), id, number, fate, about, attempt] {
      sending_.erase(id);
      const auto one = network_.sending.extract(number);
      if (!one.empty()) arrive(said, one.mapped(), fate, delay("answers", about, attempt));
    });
  }
  // It is busy, so that requests wait in front of it; says what it may not; and a moment later reads on.
  void misbehave(Fate fate, std::uint64_t about) {
    const Microseconds busy = network_.draw().between(1, 8'000, "is_busy", about) * 1000;
    hangs_until_ = now() + busy + network_.draw().between(1, 300, "reads_on", about) * 1000;
    after(busy, [this, fate] {
      if (fate == Fate::garbage) return pipes_->say("%$! oops");
      say({{"id", 999'999'999}, {"result", json::object()}});
    });
  }
  void arrive(const json& said, const Network::Sending& one, Fate fate, Microseconds wait) {
    if (fate == Fate::not_done) return refuse(said, Errc::unavailable, "the connection broke before anything was sent");
    if (fate == Fate::not_done_unclear) return refuse(said, Errc::uncertain, "");
    json ids = json::array();
    for (const connector::MessageId& id : network_.take(one.user, one.action)) ids.push_back(id.value);
    if (fate == Fate::dies_after) return pipes_->exit(9);
    if (fate == Fate::done_not_answered) return;
    if (fate == Fate::done_answered_late) wait += std::chrono::microseconds(child_limits.perform).count();
    after(wait, [this, said, ids, fate] {
      if (fate == Fate::done_unclear) return refuse(said, Errc::uncertain, "");
      answer(said, {{"ids", ids}});
      if (fate == Fate::done_answered_twice) answer(said, {{"ids", ids}});
    });
  }

  // ---- The rest ----

  void parse_contact(json said) {
    const std::string typed = said["params"]["typed"].get<std::string>();
    const std::uint64_t about = hash_of(typed);
    if (is_unlucky(50, "forgets_look_up", about)) return;
    const Microseconds late =
        is_unlucky(100, "is_late", about) ? std::chrono::microseconds(child_limits.answer).count() : 0;
    after(late + delay("parses", about), [this, said, typed] { answer(said, {{"contact", typed}}); });
  }

  void log_in(json said) {
    const std::string person = said["params"]["user"].get<std::string>();
    json params;
    params["login"] = said["params"]["login"];
    params["form"] = {
        {"title", "Login"}, {"instructions", "Who are you?"}, {"fields", json::array({{{"name", "nick"}}})}};
    ask("ask", std::move(params), [this, said, person](const json& reply) {
      if (reply.contains("error")) return refuse(said, Errc::rejected, "The user gave up.");
      const json answers = reply["result"]["answers"];
      const std::string user = account_in(answers.get<connector::Answers>(), person);
      if (!is_account(recorder().plan, user)) return refuse(said, Errc::not_authorized, "Nobody has that name.");
      if (owner_of(user) != user_of(person))
        recorder().add(What::breach, network_.name(), user, "", "", "the login is that of " + person);
      after(delay("logs_in", network_.next_number()), [this, said, user, answers] {
        if (network_.is_away()) return refuse(said, Errc::unavailable, "The network is away.");
        network_.mailbox(user).needs_login = false;
        answer(said, {{"credentials", answers}});
      });
    });
  }

  void died() {
    while (!opened_.empty()) close(opened_.begin()->first);
    for (const auto& [id, number] : std::exchange(sending_, {})) network_.forget_or_take(number);
  }

  asio::io_context& loop_;
  Network& network_;
  const std::shared_ptr<Pipes> pipes_;
  const std::uint64_t number_;
  std::map<std::int64_t, std::string> users_;               // by account
  std::map<std::int64_t, std::shared_ptr<Opened>> opened_;  // by the request's id
  std::map<std::int64_t, std::uint64_t> sending_;           // by the request's id: Network::sending
  std::map<std::int64_t, Answered> waiting_;                // our requests
  std::int64_t last_id_ = 0;
  std::uint64_t reads_ = 0;
  bool is_reading_ = false;
  Microseconds hangs_until_ = 0;
};

}  // namespace

child::StartProcess start_child(asio::io_context& loop, Network& network) {
  return [&loop, &network](asio::any_io_executor executor, auto, auto, std::size_t most_line_bytes) {
    const auto pipes = std::make_shared<Pipes>(executor, static_cast<std::size_t>(network.traits().pipe_bytes));
    const auto child = std::make_shared<Child>(loop, network, pipes);
    network.children.push_back([child] { child->close_input(); });
    child->start();
    return connector::Result<std::unique_ptr<net::LineProcess>>(
        std::make_unique<tests::PlayedProcess>(pipes, most_line_bytes));
  };
}

}  // namespace wherry::simulation
