#include "connectors/oscar/account/icq_services.hpp"

#include "connectors/oscar/convert/names.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"

namespace wherry::oscar {

namespace {

constexpr std::chrono::seconds answer_limit{15}, quiet_limit{2};
constexpr std::size_t most_packets = 200;  // of one answer

}  // namespace

// Some servers give the answers of one session to all of an account's sessions: the numbers begin anywhere.
IcqServices::IcqServices(std::string account, const asio::any_io_executor& executor)
    : account_(std::move(account)),
      executor_(executor),
      next_(static_cast<std::uint16_t>(base::random_number() & 0x7FFF)) {}

bool IcqServices::are_there(const Conversation& at) const { return is_uin(account_) && at.offers(family::icq); }

bool IcqServices::send(Conversation& at, std::uint16_t type, std::uint16_t sequence, std::string data) {
  IcqPacket packet;
  packet.uin = static_cast<std::uint32_t>(std::stoul(account_));
  packet.type = type;
  packet.sequence = sequence;
  packet.data = std::move(data);
  return at.tell(family::icq, 0x02, write_icq(packet));
}

void IcqServices::fetch_stored(Conversation& at) { send(at, IcqPacket::fetch_stored, next_++, {}); }
void IcqServices::delete_stored(Conversation& at) { send(at, IcqPacket::delete_stored, next_++, {}); }

bool IcqServices::take(IcqPacket packet) {
  const auto found = asked_.find(packet.sequence);
  if (found == asked_.end()) return false;
  Waiting& waiting = *found->second;
  // Only some servers say that more follows.
  waiting.is_whole = ends_answer(packet) || (waiting.has_more && !packet.has_more);
  waiting.has_more = packet.has_more;
  if (waiting.packets.size() < most_packets) waiting.packets.push_back(std::move(packet));
  waiting.changed.notify();
  return true;
}

void IcqServices::end() {
  for (const auto& [sequence, waiting] : std::exchange(asked_, {})) {
    waiting->is_whole = true;
    waiting->changed.notify();
  }
}

asio::awaitable<void> IcqServices::more_than(std::shared_ptr<Waiting> waiting, std::size_t count) {
  while (waiting->packets.size() <= count && !waiting->is_whole) co_await waiting->changed.wait();
}

asio::awaitable<std::vector<IcqPacket>> IcqServices::ask(std::shared_ptr<Conversation> at, std::string question) {
  const std::uint16_t sequence = next_++;
  const auto waiting = std::make_shared<Waiting>(executor_);
  asked_[sequence] = waiting;
  std::exception_ptr cancelled;
  try {
    if (send(*at, IcqPacket::question, sequence, std::move(question))) {
      auto beginning = more_than(waiting, 0);
      co_await base::within(answer_limit, std::move(beginning));
      while (!waiting->is_whole && waiting->packets.size() < most_packets) {
        auto next = more_than(waiting, waiting->packets.size());
        co_await base::within(quiet_limit, std::move(next));
      }
    }
  } catch (const base::TimedOut&) {
  } catch (...) {
    cancelled = std::current_exception();
  }
  const auto mine = asked_.find(sequence);
  if (mine != asked_.end() && mine->second == waiting) asked_.erase(mine);
  if (cancelled) std::rethrow_exception(cancelled);
  co_return std::move(waiting->packets);
}

}  // namespace wherry::oscar
