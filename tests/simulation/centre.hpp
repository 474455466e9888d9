// A simulated SMS centre: one account of it, over SMPP. What it does with a text is drawn from what the text says; what
// it has for us it keeps until it is acknowledged. Phones are in sms_network.hpp.
#pragma once

#include "connectors/sms/smpp/receipt.hpp"
#include "connectors/sms/smpp/wire/pdu.hpp"
#include "tests/simulation/sms_network.hpp"
#include "tests/simulation/wire.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace wherry::simulation {

namespace smpp = sms::smpp;

// What the centre holds for us.
struct Parcel {
  smpp::ShortMessage message;
  Microseconds due = 0;
  std::string lane;  // parcels of one lane go one after the other; none: as it comes
  bool is_receipt = false;
  std::function<void(bool taken)> ended;  // acknowledged, or refused for good
  std::uint64_t bind = 0;                 // that it was written to, and awaits the answer; 0: none
  std::uint32_t sequence = 0;
};

class Centre final : public TextCarrier {
 public:
  Centre(asio::io_context& loop, int index, SmsNetwork& network);

  std::string name() const override;
  nlohmann::json configuration() const override;
  void bring(const std::string& tag, int user, int contact) override;
  void report_nonsense(int user) override;
  void break_links() override;
  void process_died() override;
  std::shared_ptr<Wire> connect(asio::any_io_executor executor);  // none: it refuses

 private:
  struct Bind;
  using BindPtr = std::shared_ptr<Bind>;
  struct Outcome;

  // ---- One link ----
  void read(const BindPtr& bind, std::string_view octets);
  void handle(const BindPtr& bind, const smpp::Header& header, const std::string& body);
  void accept_bind(const BindPtr& bind, const smpp::Header& header);
  void say(const BindPtr& bind, std::string octets, Microseconds after = 0);
  void answer(const BindPtr& bind, const smpp::Header& request, smpp::Status status, const std::string& id = {},
              Microseconds after = 0);
  void cut(const BindPtr& bind);
  void forget(const BindPtr& bind);

  // ---- Texts from us ----
  void submit(const BindPtr& bind, const smpp::Header& header, const std::string& body);
  std::optional<smpp::Status> refusal(PhoneText& text, const Part& part, std::uint64_t attempt);
  bool tells_once() const;
  bool has_plain_receipts() const;
  std::string next_id(PhoneText& text, const Part& part);
  void report(std::shared_ptr<PhoneText> text, const Part& part, const std::string& id, bool early);
  void put_receipt(std::shared_ptr<PhoneText> text, const Part& part, const std::string& id, smpp::MessageState state,
                   Microseconds due, bool is_first);
  smpp::ShortMessage write_receipt(const Part& part, const std::string& id, smpp::MessageState state) const;
  std::string in_receipt(const std::string& id) const;

  // ---- Texts to us ----
  std::vector<Parcel> cut_text(const std::string& tag, int user, int contact, bool* loses_part);
  void put(Parcel parcel);
  void pump();
  BindPtr bind_for(const Parcel& parcel) const;
  void acknowledged(const BindPtr& bind, const smpp::Header& header);

  void note(const std::string& what);
  const CarrierTraits& traits() const;
  void later(Microseconds due, std::function<void()> then);
  Microseconds delay(std::string_view purpose, std::uint64_t a = 0) const;
  bool happens(int per_mille, std::string_view purpose, std::uint64_t a = 0, std::uint64_t b = 0) const;
  // Of a thousand, how often something goes wrong just here; never once all is healed.
  bool fails(std::string_view purpose, std::uint64_t a = 0, std::uint64_t b = 0) const;

  asio::io_context& loop_;
  int index_;
  SmsNetwork& network_;
  Recorder& recorder_;
  std::list<BindPtr> binds_;
  std::list<Parcel> parcels_;
  std::map<std::string, std::uint64_t> attempts_, counted_;  // of a part; ids, by recipient
  std::map<int, unsigned> references_;                       // of long texts, by contact
  std::uint64_t connections_ = 0, events_ = 0;
  std::uint64_t numbers_;  // the newest id
  asio::steady_timer next_parcel_;
};

}  // namespace wherry::simulation
