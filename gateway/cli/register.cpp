// wherry register: one user, through the connector's own form, on a store that no gateway runs on.
#include "gateway/cli/commands.hpp"

#include "gateway/base/task_group.hpp"
#include "gateway/base/within.hpp"
#include "gateway/cli/exit.hpp"
#include "gateway/connectors.hpp"
#include "gateway/convert/address.hpp"
#include "gateway/convert/forms.hpp"
#include "gateway/net/http_client.hpp"
#include "gateway/net/http_server.hpp"
#include "gateway/open_store.hpp"
#include "gateway/queues/connector_storage.hpp"
#include "gateway/store/accounts.hpp"
#include "gateway/store/ids.hpp"
#include "gateway/transport/registration.hpp"
#include "gateway/xmpp/namespaces.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iostream>

namespace wherry::cli {

namespace {

namespace asio = boost::asio;
using base::Errc;
using base::Error;
using base::Result;

constexpr std::chrono::seconds log_in_limit{120};

// "phone (one of +1…, +1…), nick"
std::string asked_for(const connector::Form& form) {
  std::string text;
  for (const connector::Field& field : form.fields) {
    text += (text.empty() ? "" : ", ") + field.name;
    if (!field.choices.empty()) text += fmt::format(" (one of {})", fmt::join(field.choices, ", "));
  }
  return text;
}

// Answers the connector's form with what was given, and refuses what a client's registration would.
class Given final : public connector::Dialogue {
 public:
  explicit Given(connector::Answers answers) : answers_(std::move(answers)) {}
  asio::awaitable<Result<connector::Answers>> ask(connector::Form form) override {
    if (std::exchange(asked_, true))
      co_return Error{Errc::unsupported,
                      "This network asks more than once: register with a client. " + form.instructions};
    xmpp::Element query("query", xmpp::ns::registration);
    for (const auto& [name, value] : answers_) {
      const bool is_asked = std::any_of(form.fields.begin(), form.fields.end(),
                                        [&](const connector::Field& field) { return field.name == name; });
      if (!is_asked)
        co_return Error{Errc::bad_input, fmt::format("“{}” is not asked for. Give {}.", name, asked_for(form))};
      query.add_text_child(name, value);
    }
    auto read = convert::read_answers(query, form);
    if (!read && answers_.empty())
      co_return Error{read.error().code, fmt::format("{} Give {}.", read.error().text, asked_for(form))};
    co_return read;
  }

 private:
  connector::Answers answers_;
  bool asked_ = false;
};

// Of the accounts that the connector is told of: it does not run.
struct NoEvents final : connector::EventSink {
  asio::awaitable<void> publish(connector::Event, connector::Changes) override { co_return; }
};

class Registration {
 public:
  Registration(const config::Config& config, const config::TransportEntry& entry, xmpp::Jid user, std::string alias,
               connector::Answers answers, asio::io_context& loop)
      : config_(config),
        entry_(entry),
        user_(std::move(user)),
        alias_(std::move(alias)),
        answers_(std::move(answers)),
        loop_(loop),
        http_(loop.get_executor()),
        webhooks_(loop.get_executor()) {
    webhooks_.public_url = config.http.public_url;
  }

  // Whether the user is new here.
  asio::awaitable<Result<bool>> run();

 private:
  asio::awaitable<Result<bool>> enrol(db::Database& database, const base::Sealer& sealer);
  asio::awaitable<Result<connector::Answers>> log_in(connector::Connector& connector, const store::AccountRow* present);

  const config::Config& config_;
  const config::TransportEntry& entry_;
  xmpp::Jid user_;
  std::string alias_;
  connector::Answers answers_;
  asio::io_context& loop_;
  net::HttpClient http_;
  net::HttpServer webhooks_;
  base::SystemClock clock_;
};

connector::Account account_of(const store::AccountRow& row) {
  connector::Account account;
  account.id = row.id;
  account.user = row.user.str();
  account.credentials = row.credentials;
  return account;
}

asio::awaitable<Result<connector::Answers>> Registration::log_in(connector::Connector& connector,
                                                                 const store::AccountRow* present) {
  connector::Applicant applicant;
  applicant.user = user_.str();
  connector::Account account;
  if (present) {
    account = account_of(*present);
    applicant.present = &account;
  }
  Given dialogue(answers_);
  base::TaskGroup running(loop_.get_executor());
  if (!entry_.child.empty()) running.spawn("connector", connector.run());  // a child answers while it runs only
  std::optional<Result<connector::Answers>> credentials;
  std::exception_ptr failure;
  try {
    credentials = co_await base::within(log_in_limit, connector.log_in(std::move(applicant), dialogue));
  } catch (...) {
    failure = std::current_exception();
  }
  co_await running.end();
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*credentials);
}

asio::awaitable<Result<bool>> Registration::enrol(db::Database& database, const base::Sealer& sealer) {
  const std::string transport = entry_.transport.link.domain.str();
  auto read = [&sealer, transport](db::Transaction& t) { return store::read_accounts(t, transport, sealer); };
  const auto rows = co_await database.fetch(std::move(read));
  const auto is_users = [&](const store::AccountRow& row) { return row.user == user_; };
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return is_users(row) && row.alias == alias_; });
  const store::AccountRow* present = found == rows.end() ? nullptr : &*found;
  if (!present && !entry_.transport.registration.allows(user_)) {
    co_return Error{Errc::rejected, fmt::format("{}.register: {} may not register: list the address in jids, or its "
                                                "domain in domains.",
                                                entry_.where, user_.str())};
  }
  if (!present && std::count_if(rows.begin(), rows.end(), is_users) >= std::ptrdiff_t{transport::most_accounts})
    co_return Error{Errc::rejected, fmt::format("{} has {} accounts here, and cannot have more", user_.str(),
                                                transport::most_accounts)};
  queues::Journal journal(loop_.get_executor(), database, transport);
  queues::ConnectorStorage storage(journal, database, transport);
  connector::Services services{loop_.get_executor(), http_, webhooks_, storage, clock_};
  auto connector = co_await make_connector(config_, entry_, services);
  if (!connector) co_return config::locate(config_, connector.error());
  NoEvents nobody;
  for (const store::AccountRow& row : rows) (*connector)->know_account(account_of(row), nobody);
  auto credentials = co_await log_in(**connector, present);
  if (!credentials) co_return credentials.error();
  store::AccountRow row{base::AccountId{},       transport, user_, std::move(*credentials),
                        entry_.transport.policy, "",        true,  alias_};
  if (present) {  // a registration changes no preferences
    row.id = present->id;
    row.policy = present->policy;
    row.lang = present->lang;
    row.imports = present->imports;
  }
  db::Database::Closure write = [row, &sealer](db::Transaction& t) mutable {
    if (row.id.value != 0) return store::update_account(t, row, sealer);
    row.id = base::AccountId{store::reserve_ids(t, 1).first};
    store::insert_account(t, row, sealer);
    row.id = {};
  };
  co_await database.transact(std::move(write));
  co_return present == nullptr;
}

asio::awaitable<Result<bool>> Registration::run() {
  const auto sealer = read_sealer(config_.store);
  if (!sealer) co_return config::locate(config_, sealer.error());
  auto driver = open_store(config_);
  if (!driver) co_return config::locate(config_, driver.error());
  db::Database database(loop_.get_executor(), std::move(*driver));
  auto is_new = co_await enrol(database, *sealer);
  database.close();
  co_return is_new;
}

asio::awaitable<void> run_to_end(Registration& registration, std::optional<Result<bool>>& outcome,
                                 std::string& broken) {
  try {
    outcome = co_await registration.run();
  } catch (const std::exception& e) {
    broken = e.what();
  }
}

}  // namespace

int register_user(const std::filesystem::path& file, const std::string& transport, const std::string& user,
                  const std::string& alias, const std::vector<std::string>& answers) {
  const auto jid = xmpp::Jid::parse(user);
  if (!jid || jid->local().empty()) return complain({Errc::bad_input, user + " is no address like romeo@example.org"});
  if (!alias.empty() && !convert::is_alias(alias))
    return complain({Errc::bad_input, alias + ": an alias has 1 to 32 of a-z, 0-9 and -, and is not “gateway”"});
  const auto config = config::read_config(file);
  if (!config) return complain(config.error());
  const auto entry = std::find_if(config->transports.begin(), config->transports.end(),
                                  [&](const auto& t) { return t.transport.link.domain.str() == transport; });
  if (entry == config->transports.end())
    return complain({Errc::bad_input, file.string() + ": there is no transport with the domain " + transport});
  connector::Answers given;
  for (const std::string& answer : answers) {
    const auto equals = answer.find('=');
    if (equals == 0 || equals == std::string::npos)
      return complain({Errc::bad_input, answer + ": must be written as name=value"});
    given[answer.substr(0, equals)] = answer.substr(equals + 1);
  }
  asio::io_context loop(1);
  Registration registration(*config, *entry, jid->bare(), alias, std::move(given), loop);
  std::optional<Result<bool>> outcome;
  std::string broken;
  asio::co_spawn(loop, run_to_end(registration, outcome, broken), [&](const std::exception_ptr&) { loop.stop(); });
  loop.run();
  if (!outcome) {
    std::cerr << "wherry: " << broken << "\n";
    return exit_failed;
  }
  if (!*outcome) {
    const int code = complain(outcome->error());
    return outcome->error().code == Errc::bad_input || code == exit_not_now ? code : exit_failed;
  }
  std::cout << jid->bare().str() << (**outcome ? " is registered with " : " is registered anew with ")
            << (alias.empty() ? "" : "~" + alias + "@") << transport << "\n";
  return exit_ok;
}

}  // namespace wherry::cli
