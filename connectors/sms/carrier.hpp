// One way to the telephone network: an SMPP link, an HTTP provider, a modem. What a carrier must do, and no more:
// numbers, users, accounts and JIDs are the connector's business.
#pragma once

#include "connectors/sms/text/numbering.hpp"
#include "gateway/base/clock.hpp"
#include "gateway/connector/contract.hpp"

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace wherry::sms {

namespace asio = boost::asio;

struct OutgoingText {
  std::string key;  // one per message, for ever: reports come back with it
  Address from, to;
  std::string text;                // UTF-8, links of files already in it
  std::vector<std::string> media;  // URLs, where the carrier can send media; else empty
};

struct IncomingText {
  // the carrier's id, or one derived from the content where it has none; the same text again has the same id
  std::string id;
  Address from, to;
  std::string text;
  base::Time sent_at;
  std::vector<connector::File> files{};
  // To the carrier's storage, in the commit of the first and of the last message that comes of it: several may have the
  // number. Where nobody has it, `last` alone.
  connector::Changes first{}, last{};
};

// How far a text has come; the segments of a long one already folded into one (all delivered → delivered, one failed →
// failed).
struct TextProgress {
  std::string key;
  connector::Stage stage = connector::Stage::accepted;
  std::string text;              // why it failed, for the sender
  connector::Changes changes{};  // to the carrier's storage, in the commit of the event
};

// Both return once the event is durable: only then may the carrier answer its network. They throw when the store is
// lost. `received` returns false where nobody has the number: answer so that the network keeps or bounces it.
struct CarrierEvents {
  virtual ~CarrierEvents() = default;
  virtual asio::awaitable<bool> received(IncomingText text) = 0;
  virtual asio::awaitable<void> progressed(TextProgress progress) = 0;
  // Carrier::is_up() has changed.
  virtual void link_changed() = 0;
};

// Carrier::run() ended without being asked to. `at_least`: earlier attempts cannot succeed or do harm (a wrong
// password).
struct LinkDown : std::runtime_error {
  explicit LinkDown(const std::string& why, std::chrono::seconds wait = std::chrono::seconds(0))
      : std::runtime_error(why), at_least(wait) {}
  std::chrono::seconds at_least;
};

struct Carrier {
  virtual ~Carrier() = default;
  virtual std::string_view name() const = 0;  // as configured, unique; prefixes the carrier's keys in Storage

  // Keeps the way open until cancelled; throws (LinkDown) on a broken link and is called again after a back-off.
  virtual asio::awaitable<void> run() = 0;
  virtual bool is_up() const = 0;

  // Sends, and returns when the network has taken (every segment of) the text. unavailable: provably not sent.
  // uncertain: perhaps sent, or sent in part. After either the same key continues where that left off, and no segment
  // that may be out is sent again. A text that a killed process was sending is asked for again only where idempotency()
  // is not `none`. What comes back is written in the commit that says that the text is sent.
  virtual asio::awaitable<connector::Result<connector::Changes>> send(OutgoingText text) = 0;

  virtual connector::Idempotency idempotency() const = 0;
  virtual bool reports_delivery() const = 0;
  virtual bool sends_media() const { return false; }  // otherwise files go as links in the text
  virtual std::size_t most_text_bytes() const = 0;

  // Tries the way once, and ends it again: in place of run(). unavailable: it may be there later.
  virtual asio::awaitable<connector::Result<void>> try_once() { co_return base::ok(); }
  // From now on these are the numbers of CarrierSetting.
  virtual void serve(std::vector<std::string> /*numbers*/) {}
};

// What every carrier is made from. `settings`: its table of the configuration, without name and type; errors begin with
// `path`. `region`: the country that national numbers are read in, or empty. `numbers`: ours that it serves, in E.164
// or as short codes. `events` outlives the carrier.
struct CarrierSetting {
  std::string name;
  nlohmann::json settings;
  std::string path;
  std::string region;
  std::vector<std::string> numbers;
};

using MakeCarrier = connector::Result<std::unique_ptr<Carrier>> (*)(CarrierSetting setting,
                                                                    connector::Services services,
                                                                    CarrierEvents& events);

}  // namespace wherry::sms
