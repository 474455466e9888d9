#include "gateway/child/logins.hpp"

#include "gateway/base/log.hpp"
#include "gateway/child/values.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace wherry::child {

using nlohmann::json;

asio::awaitable<Result<Answers>> Logins::log_in(Applicant applicant, Dialogue& user) {
  if (logins_.size() >= most)
    co_return Error{Errc::unavailable, "Too many people are registering just now; please try again later.", {}};
  const std::int64_t number = ++last_;
  json params;
  params["login"] = number;
  params["user"] = applicant.user;
  if (applicant.present) params["account"] = to_json(*applicant.present);
  auto begun = peer_.begin("log_in", to_line(params), RpcPeer::Limit::usual);
  if (!begun) co_return begun.error();
  const std::unique_ptr<RpcPeer::Call> call = std::move(*begun);

  Login login{user, base::TaskGroup(executor_)};
  logins_.emplace(number, &login);
  std::exception_ptr failed;
  try {
    while (!call->answer()) co_await call->wait();
  } catch (...) {
    failed = std::current_exception();
  }
  logins_.erase(number);
  co_await asio::this_coro::reset_cancellation_state();
  co_await login.questions.end();
  if (failed) std::rethrow_exception(failed);

  const auto& answer = *call->answer();
  if (!answer) co_return answer.error();
  auto credentials = parse_credentials(member(*answer, "credentials"));
  if (credentials) co_return credentials;
  log::warn("child.bad_credentials", {{"error", credentials.error().text}});
  co_return Error{Errc::unavailable, "The network's connector answered in a way that cannot be understood.", {}};
}

std::optional<Error> Logins::accept(RpcPeer::Incoming& request) {
  const json& number = member(request.params, "login");
  const auto found = number.is_number_integer() ? logins_.find(number.get<std::int64_t>()) : logins_.end();
  if (found == logins_.end()) return Error{Errc::not_found, "login: none of that number is under way", {}};
  auto form = parse_form(member(request.params, "form"));
  if (!form) return form.error();
  Login& login = *found->second;
  if (!login.questions.empty()) return Error{Errc::rejected, "one question at a time", {}};
  login.questions.spawn("child.ask", ask(login, std::move(request.id), std::move(*form)));
  return std::nullopt;
}

asio::awaitable<void> Logins::ask(Login& login, json id, Form form) {
  const auto answers = co_await login.user.ask(std::move(form));
  co_await peer_.wait_room();
  if (!answers) {
    peer_.answer(id, answers.error());
    co_return;
  }
  json result;
  result["answers"] = child::to_json(*answers);
  peer_.answer(id, result);
}

}  // namespace wherry::child
