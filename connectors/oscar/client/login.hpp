// Logging in at the authoriser, as a pure object: octets in, octets and a result out. What it gives is a ticket to the
// server that keeps the session.
#pragma once

#include "connectors/oscar/client/machine.hpp"
#include "connectors/oscar/client/wire.hpp"
#include "gateway/base/secret.hpp"

#include <optional>
#include <string>
#include <variant>

namespace wherry::oscar {

struct LoginRequest {
  enum class Method {
    md5,      // a challenge, answered with a hash (BUCP, family 17)
    roasted,  // the password behind a fixed mask: whoever reads the line can read it
  };
  std::string name;  // a number or a screen name, as the server knows it
  base::Secret password;
  Method method = Method::md5;
  bool replaces_others = false;  // ends the account's other sessions, where the server knows several
};

struct Ticket {
  std::string host;
  std::uint16_t port = 0;
  std::string cookie;
};

// What a refusal means for the next attempt.
enum class Refusal {
  credentials,  // the name or the password is wrong, or the account is closed: only its owner can help
  too_fast,     // too many logins from here: wait a minute at least
  later,        // the service is out of order
  client,       // it does not want such a program: only the operator can help
};
struct Refused {
  Refusal kind = Refusal::later;
  std::uint16_t code = 0;
};
// `is_method_unknown`: it ended before a word was said about the account, as a server does that knows no challenges.
struct Failed {
  std::string reason;
  bool is_method_unknown = false;
};
using LoginResult = std::variant<Ticket, Refused, Failed>;

Refusal meaning_of(std::uint16_t code);
// "the password is wrong (code 5)": for people.
std::string to_sentence(const Refused& refused);

std::string md5(std::string_view text);
std::string md5_answer(std::string_view challenge, std::string_view password);
std::string roast(std::string_view password);
// "host:5191", "[::1]:5191" or "host", whose port is then `standard_port`.
std::optional<Ticket> parse_address(std::string_view address, std::uint16_t standard_port);

class Login final : public Machine {
 public:
  Login(LoginRequest request, Time now, std::chrono::seconds limit = std::chrono::seconds(20));

  void feed(std::string_view octets, Time now) override;
  void tick(Time now) override;
  void closed() override;
  Time next_tick() const override { return result_ ? Time::max() : deadline_; }
  std::string take_output() override { return std::exchange(output_, {}); }
  bool has_output() const override { return !output_.empty(); }
  bool ended() const override { return result_.has_value(); }

  const LoginResult& result() const { return *result_; }  // once it has ended

 private:
  void handle(const Frame& frame);
  void handle(const Snac& snac);
  void conclude(const Tlvs& tlvs);
  void fail(std::string reason);
  void greet();
  void send(std::uint16_t subtype, std::string body);

  LoginRequest request_;
  Flap flap_;
  std::string output_;
  std::optional<LoginResult> result_;
  Time deadline_;
  bool greeted_ = false, challenged_ = false;
  std::uint32_t next_id_ = 1;
};

}  // namespace wherry::oscar
