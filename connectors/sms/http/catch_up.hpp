// What no webhook told, because we or the way to us were down: read from the service's lists, at the start, after
// outages and now and then.
#pragma once

#include "connectors/sms/http/listing.hpp"
#include "connectors/sms/http/media/media.hpp"
#include "connectors/sms/http/sender.hpp"
#include "gateway/base/log_limit.hpp"

#include <deque>
#include <set>

namespace wherry::sms::http {

class CatchUp {
 public:
  CatchUp(const Provider& provider, connector::Services services, ApiClient& api, CarrierEvents& events, Ledger& ledger,
          Reports& reports, Sender& sender, const Media& media)
      : provider_(provider),
        services_(services),
        api_(api),
        events_(events),
        ledger_(ledger),
        reports_(reports),
        sender_(sender),
        media_(media) {}

  // Once: publishes the texts that came, then asks what became of ours. The error is the service's; throws when the
  // store is lost.
  asio::awaitable<base::Result<void>> run();

  // An incoming text is safe already. Only saves work: the inbox knows ids too.
  void seen(const std::string& id);

 private:
  asio::awaitable<base::Result<void>> read_texts();
  asio::awaitable<base::Result<bool>> read_window();
  asio::awaitable<base::Result<Listed>> list(std::optional<base::Time> until);
  asio::awaitable<base::Result<void>> publish_all(std::vector<Message> texts, base::Time now,
                                                  std::optional<base::Time>* held);
  void note_gaps(const Listed& listed, base::Time now, std::optional<base::Time>* held);
  asio::awaitable<base::Result<bool>> publish(Message message, bool may_wait);
  asio::awaitable<base::Result<bool>> read_whole(Message& message);
  asio::awaitable<base::Result<void>> read_files(Message& message);
  asio::awaitable<base::Result<void>> ask_statuses();
  asio::awaitable<base::Result<void>> ask_status(std::shared_ptr<Record> record);

  const Provider& provider_;
  connector::Services services_;
  ApiClient& api_;
  CarrierEvents& events_;
  Ledger& ledger_;
  Reports& reports_;
  Sender& sender_;
  const Media& media_;
  std::set<std::string> seen_;
  std::deque<std::string> seen_order_;  // the oldest first
  std::chrono::seconds ahead_{0};       // the service's clock before ours, when it was last seen
  base::LogLimit gaps_ = base::LogLimit::of_stanzas();
  base::Time swept_;
};

}  // namespace wherry::sms::http
