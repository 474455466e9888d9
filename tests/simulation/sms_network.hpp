// The telephone network of a simulated run: its carriers, and the phones of the contacts. The connector is the real
// one.
#pragma once

#include "tests/simulation/network.hpp"
#include "tests/simulation/watched.hpp"

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <set>

namespace wherry::simulation {

namespace asio = boost::asio;

// One part of a text from us, as its carrier got it.
struct Part {
  std::string from, to;  // numbers
  unsigned reference = 0, total = 1, number = 1;
  std::string octets;  // what is written on it
  std::string text;    // the same, decoded
  std::string name() const;
};

// A text from us that comes to a phone in parts.
struct PhoneText {
  std::string user, contact;
  unsigned total = 1;
  std::map<unsigned, std::string> accepted;  // by the carrier, decoded
  std::set<unsigned> at_phone, receipted;
  std::string tag;          // once it is all there
  std::string id;           // where all its parts have one
  bool is_put_off = false;  // once, with all its parts …
  Microseconds put_off_until = 0;
  bool is_plain = true;  // its receipts can be told from all others
};

// One of the network's carriers: its end that is not ours.
class TextCarrier {
 public:
  virtual ~TextCarrier() = default;
  virtual std::string name() const = 0;
  virtual nlohmann::json configuration() const = 0;
  virtual void bring(const std::string& tag, int user, int contact) = 0;  // a text from a contact
  virtual void report_nonsense(int user) = 0;
  virtual void break_links() = 0;
  virtual void process_died() = 0;
};

class SmsNetwork final : public Network, private Watcher {
 public:
  SmsNetwork(asio::io_context& loop, Recorder& recorder);

  // The connector of a new process; its configuration and storage are the real ones.
  std::unique_ptr<connector::Connector> make_connector(connector::Services services) override;

  // ---- The plan's steps ----
  void write(const Step& step) override;
  void report_nonsense(const Step& step) override;
  void break_session(const std::string& user) override;
  void break_all() override;
  void want_login(const std::string& user) override { break_session(user); }
  void note_mail_left(std::vector<Record>& left) const override;
  void process_died() override;

  // ---- For the carriers ----
  // The text that the part belongs to, of those that are not all there.
  std::shared_ptr<PhoneText> text_of(const Part& part);
  void accepted(const std::shared_ptr<PhoneText>& text, const Part& part);
  void at_phone(PhoneText& text, const Part& part);
  void receipted(PhoneText& text, const Part& part);
  // A contact's text is on its way in so many parts; one of them has come, or nobody has the number.
  void posted(const std::string& tag, int user, int contact, std::size_t parts, bool loses_part);
  void brought(const std::string& tag, bool taken);

 private:
  std::string person_of(const connector::Account& account) const override;
  void performing(const std::string& user, const connector::Action& action) override;
  TextCarrier& carrier_of(int user) { return *carriers_[static_cast<std::size_t>(user) % carriers_.size()]; }
  nlohmann::json configuration() const;

  std::vector<std::unique_ptr<TextCarrier>> carriers_;
  std::map<std::string, std::shared_ptr<PhoneText>> open_;  // by the parts' name
  std::map<std::string, std::string> keys_;                 // the newest of each text
  struct Written {
    Record record;
    std::size_t left = 0;  // parts that are not acknowledged
  };
  std::map<std::string, Written> written_;  // by tag
};

}  // namespace wherry::simulation
