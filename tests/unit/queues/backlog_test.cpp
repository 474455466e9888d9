// Whose turn it is: steps and their answers, without a loop.
#include "gateway/queues/backlog.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::queues;
using Kind = Backlog::Step::Kind;
using Reach = Backlog::Reach;
using store::OutboxState;

namespace {

constexpr base::AccountId romeo{1};
constexpr std::int64_t noon = 1000000, day = 24 * 3600 * 1000;

// A row that has just been committed; whether it had a turn before.
bool add(Backlog& backlog, std::int64_t id, const std::string& chat, bool is_online = true) {
  auto item = std::make_unique<Backlog::Item>();
  item->row.id = id;
  item->row.account = romeo;
  item->row.chat = chat;
  item->has_turn = backlog.enter(romeo, chat, is_online);
  if (item->has_turn) item->row.state = OutboxState::sending;
  const bool had_turn = item->has_turn;
  backlog.add(std::move(item), is_online, noon + day);
  return had_turn;
}

OutboxLimits two_chats_at_once() {
  OutboxLimits limits;
  limits.performing_per_account = 2;
  return limits;
}

}  // namespace

TEST_CASE("Before their commits one row of a chat has a turn, and no more rows than chats are worked on at once") {
  Backlog backlog(two_chats_at_once());
  CHECK(backlog.enter(romeo, "+1", true));
  CHECK(!backlog.enter(romeo, "+1", true));
  CHECK(backlog.enter(romeo, "+2", true));
  CHECK(!backlog.enter(romeo, "+3", true));
  CHECK(!backlog.enter(base::AccountId{2}, "+1", false));
  CHECK(backlog.enter(base::AccountId{2}, "+2", true));  // another account's places are its own
}

TEST_CASE("A chat's first row is with the connector, and the next one only when that is done with") {
  Backlog backlog{OutboxLimits()};
  CHECK(add(backlog, 1, "+1"));
  CHECK(!add(backlog, 2, "+1"));
  REQUIRE(backlog.begin(romeo, "+1", Reach::online, noon));
  CHECK(!backlog.begin(romeo, "+1", Reach::online, noon));
  Backlog::Step step = backlog.next(romeo, "+1", Reach::online, noon);
  CHECK(step.kind == Kind::perform);
  CHECK(step.item->row.id == 1);
  backlog.begin_perform(romeo, "+1");
  CHECK(!backlog.begin(romeo, "+1", Reach::online, noon));
  REQUIRE(backlog.end_perform(romeo, "+1", 1));
  backlog.remove_first(romeo, "+1");
  step = backlog.next(romeo, "+1", Reach::online, noon);
  CHECK(step.kind == Kind::mark);
  CHECK(step.item->row.id == 2);
}

TEST_CASE("What was looked up before a wait is asked for anew: away, gone, expired") {
  Backlog backlog{OutboxLimits()};
  add(backlog, 1, "+1");
  REQUIRE(backlog.begin(romeo, "+1", Reach::online, noon));
  CHECK(backlog.next(romeo, "+1", Reach::away, noon).kind == Kind::unmark);  // it was written as sending
  CHECK(backlog.next(romeo, "+1", Reach::gone, noon).kind == Kind::stop);
  CHECK(backlog.next(romeo, "+1", Reach::away, noon + day).kind == Kind::expire);
  backlog.first(romeo, "+1")->row.state = OutboxState::queued;
  CHECK(backlog.next(romeo, "+1", Reach::away, noon).kind == Kind::stop);
  CHECK(backlog.next(romeo, "+1", Reach::online, noon).kind == Kind::mark);
  backlog.first(romeo, "+1")->row.state = OutboxState::unsure;
  CHECK(backlog.next(romeo, "+1", Reach::online, noon).kind == Kind::perform);
}

TEST_CASE("A chat that waits for its next attempt delays no other, and its rows leave the memory") {
  Backlog backlog{OutboxLimits()};
  add(backlog, 1, "+1");
  add(backlog, 2, "+2");
  REQUIRE(backlog.begin(romeo, "+1", Reach::online, noon));
  backlog.retry_first(romeo, "+1", noon + 10);
  const Backlog::Step step = backlog.next(romeo, "+1", Reach::online, noon);
  CHECK(step.kind == Kind::rest);
  CHECK(step.until == noon + 10);
  backlog.end(romeo, "+1");
  CHECK(backlog.in_memory() == 1);
  CHECK(!backlog.begin(romeo, "+1", Reach::online, noon));
  CHECK(backlog.begin(romeo, "+2", Reach::online, noon));
  CHECK(backlog.next_rest_end() == noon + 10);
  CHECK(backlog.take_rested(noon + 9).empty());
  CHECK(backlog.take_rested(noon + 10) == std::vector{std::pair(romeo, std::string("+1"))});
  CHECK(!backlog.next_rest_end());
  CHECK(backlog.begin(romeo, "+1", Reach::online, noon + 10));
  CHECK(backlog.next(romeo, "+1", Reach::online, noon + 10).ids == std::vector<std::int64_t>{1});
}

TEST_CASE("A damaged or vanished row is forgotten, and the next one has its turn") {
  Backlog backlog{OutboxLimits()};
  backlog.recover(romeo, "+1", 1, noon + day, 0);
  backlog.recover(romeo, "+1", 2, noon + day, 0);
  REQUIRE(backlog.begin(romeo, "+1", Reach::online, noon));
  const auto ids = backlog.next(romeo, "+1", Reach::online, noon).ids;
  CHECK(ids == std::vector<std::int64_t>{1, 2});
  std::vector<std::unique_ptr<Backlog::Item>> found;
  found.push_back(std::make_unique<Backlog::Item>());
  found.back()->row.id = 2;
  backlog.load(romeo, "+1", ids, std::move(found));
  CHECK(backlog.next(romeo, "+1", Reach::online, noon).item->row.id == 2);
  CHECK(backlog.in_memory() == 1);
}

TEST_CASE("At a removal each row is given back, and which of them is with the connector") {
  Backlog backlog{OutboxLimits()};
  add(backlog, 1, "+1");
  add(backlog, 2, "+1");
  backlog.begin(romeo, "+1", Reach::online, noon);
  backlog.begin_perform(romeo, "+1");
  CHECK(backlog.idle_sending().empty());
  const auto removed = backlog.remove(romeo);
  REQUIRE(removed.size() == 2);
  CHECK(removed[0].is_performing);
  CHECK(!removed[1].is_performing);
  CHECK(backlog.in_memory() == 0);
  CHECK(!backlog.end_perform(romeo, "+1", 1));
  backlog.end(romeo, "+1");
  CHECK(!backlog.take_denied(romeo));
}

TEST_CASE("A chat that found no place is named when one is free, in the order in which they asked, and once") {
  Backlog backlog(two_chats_at_once());
  for (std::int64_t id = 1; id <= 5; ++id) add(backlog, id, "+" + std::to_string(id));
  for (const char* chat : {"+1", "+2"}) REQUIRE(backlog.begin(romeo, chat, Reach::online, noon));
  CHECK(!backlog.take_denied(romeo));
  for (const char* chat : {"+4", "+3", "+4"}) CHECK(!backlog.begin(romeo, chat, Reach::online, noon));
  backlog.end(romeo, "+1");
  CHECK(backlog.take_denied(romeo) == "+4");
  CHECK(backlog.take_denied(romeo) == "+3");
  CHECK(!backlog.take_denied(romeo));
  CHECK(!backlog.begin(romeo, "+5", Reach::away, noon));  // it has nothing to do: that is no want of a place
  CHECK(!backlog.take_denied(romeo));
}

TEST_CASE("Whole rows are in memory up to so many bytes; then a chat has one") {
  OutboxLimits limits;
  limits.in_memory_bytes = 1000;
  Backlog backlog(limits);
  const auto add_large = [&](std::int64_t id) {
    auto item = std::make_unique<Backlog::Item>();
    item->row.id = id;
    item->row.account = romeo;
    item->row.chat = "+1";
    item->bytes = 400;
    item->has_turn = backlog.enter(romeo, "+1", true);
    backlog.add(std::move(item), true, noon + day);
  };
  for (std::int64_t id = 1; id <= 6; ++id) add_large(id);
  CHECK(backlog.in_memory() == 3);
  for (int i = 0; i < 3; ++i) backlog.remove_first(romeo, "+1");
  CHECK(backlog.in_memory() == 0);
  REQUIRE(backlog.begin(romeo, "+1", Reach::online, noon));
  CHECK(backlog.next(romeo, "+1", Reach::online, noon).ids.size() == 3);
}
