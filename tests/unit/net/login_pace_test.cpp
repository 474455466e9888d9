// How often one logs in at a server.
#include "gateway/net/login_pace.hpp"

#include "gateway/base/task_group.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <vector>

using namespace wherry;
using net::LoginPace;
namespace asio = boost::asio;

TEST_CASE("In no minute are there more logins than may be") {
  asio::io_context loop;
  LoginPace pace(3, loop.get_executor());
  LoginPace::Time now{std::chrono::seconds(1000)};
  std::vector<LoginPace::Time> logins;
  for (int i = 0; i < 10; ++i) {
    now = pace.next(now);
    pace.note(now);
    logins.push_back(now);
  }
  for (std::size_t i = 3; i < logins.size(); ++i) CHECK(logins[i] - logins[i - 3] > std::chrono::seconds(60));
  CHECK(logins[2] == logins[0]);
  CHECK(LoginPace::of("h:1", 10, loop.get_executor()).get() != LoginPace::of("h:2", 10, loop.get_executor()).get());
  const auto one = LoginPace::of("h:1", 10, loop.get_executor());
  CHECK(LoginPace::of("h:1", 20, loop.get_executor()) == one);
}
