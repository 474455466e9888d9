#include "connectors/oscar/client/login.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <stdexcept>

namespace wherry::oscar {

namespace {

constexpr std::uint16_t standard_port = 5190;
constexpr std::size_t most_challenge = 512, most_cookie = 4096, most_host = 255;
constexpr std::string_view hash_salt = "AOL Instant Messenger (SM)";

// What servers want to know of the program. Those that check versions at all want one of the time.
void put_client(Writer& out) {
  out.tlv(0x03, "ICQ Client").tlv16(0x16, 0x010A);
  out.tlv16(0x17, 20).tlv16(0x18, 52).tlv16(0x19, 0).tlv16(0x1A, 3007).tlv32(0x14, 0x043D);
  out.tlv(0x0F, "en").tlv(0x0E, "us");
}

}  // namespace

Refusal meaning_of(std::uint16_t code) {
  switch (code) {
    case 0x01:
    case 0x04:
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x11:
    case 0x22: return Refusal::credentials;
    case 0x16:
    case 0x17:
    case 0x18:
    case 0x1D: return Refusal::too_fast;
    case 0x1C: return Refusal::client;
    default: return Refusal::later;
  }
}

std::string to_sentence(const Refused& refused) {
  const auto with_code = [&](std::string_view text) { return fmt::format("{} (code {})", text, refused.code); };
  switch (refused.code) {
    case 0x01:
    case 0x04:
    case 0x05:
    case 0x06: return with_code("the name or the password is wrong");
    case 0x07:
    case 0x08: return with_code("there is no such account");
    case 0x09: return with_code("the account has expired");
    case 0x11: return with_code("the account is suspended");
    case 0x22: return with_code("the account's owner is too young");
    default: break;
  }
  if (refused.kind == Refusal::too_fast) return with_code("the server wants fewer logins from here");
  if (refused.kind == Refusal::client) return with_code("the server does not take this program");
  return with_code("the service is out of order");
}

std::string md5(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &length, EVP_md5(), nullptr) != 1)
    throw std::runtime_error("OpenSSL cannot make an MD5 hash");
  return {reinterpret_cast<const char*>(hash.data()), length};
}

std::string md5_answer(std::string_view challenge, std::string_view password) {
  return md5(std::string(challenge) + md5(password) + std::string(hash_salt));
}

std::string roast(std::string_view password) {
  constexpr std::array<unsigned char, 16> mask{0xF3, 0x26, 0x81, 0xC4, 0x39, 0x86, 0xDB, 0x92,
                                               0x71, 0xA3, 0xB9, 0xE6, 0x53, 0x7A, 0x95, 0x7C};
  std::string roasted(password);
  for (std::size_t i = 0; i < roasted.size(); ++i)
    roasted[i] = static_cast<char>(static_cast<unsigned char>(roasted[i]) ^ mask[i % mask.size()]);
  return roasted;
}

std::optional<Ticket> parse_address(std::string_view address, std::uint16_t standard) {
  Ticket ticket;
  ticket.port = standard;
  const auto colon = address.rfind(':');
  const bool has_port = colon != address.npos && address.find(']', colon) == address.npos &&
                        (address.find(':') == colon || address.starts_with('['));
  if (has_port) {
    const std::string_view digits = address.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ticket.port);
    if (error != std::errc() || end != digits.data() + digits.size() || ticket.port == 0) return std::nullopt;
    address = address.substr(0, colon);
  }
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  const bool is_plain = address.find_first_of(std::string_view(" \t\r\n\0/[]", 8)) == address.npos;
  if (address.empty() || address.size() > most_host || !is_plain) return std::nullopt;
  ticket.host = address;
  return ticket;
}

Login::Login(LoginRequest request, Time now, std::chrono::seconds limit)
    : request_(std::move(request)), deadline_(now + limit) {}

void Login::fail(std::string reason) {
  if (result_) return;
  Failed failed;
  failed.reason = std::move(reason);
  failed.is_method_unknown = request_.method == LoginRequest::Method::md5 && greeted_ && !challenged_;
  result_ = std::move(failed);
}

void Login::feed(std::string_view octets, Time) {
  if (result_) return;
  flap_.feed(octets);
  while (!result_) {
    const auto frame = flap_.next();
    if (!frame) break;
    handle(*frame);
  }
  if (flap_.is_broken()) fail("the server's framing is lost");
}

void Login::tick(Time now) {
  if (now >= deadline_) fail("the server did not answer the login in time");
}

void Login::closed() { fail("the server closed the connection instead of answering the login"); }

void Login::send(std::uint16_t subtype, std::string body) {
  Snac snac;
  snac.family = family::authorisation;
  snac.subtype = subtype;
  snac.id = next_id_++;
  snac.body = std::move(body);
  output_ += flap_.frame(Channel::data, write_snac(snac));
}

void Login::greet() {
  greeted_ = true;
  Writer hello;
  hello.u32(1);
  if (request_.method == LoginRequest::Method::roasted) {
    hello.tlv(0x01, request_.name).tlv(0x02, roast(request_.password.reveal()));
    put_client(hello);
    if (!request_.replaces_others) hello.tlv(0x4A, std::string_view("\x01", 1));
  }
  output_ += flap_.frame(Channel::hello, hello.take());
  if (request_.method == LoginRequest::Method::roasted) return;
  Writer ask;
  ask.tlv(0x01, request_.name).tlv(0x4B).tlv(0x5A);
  send(0x06, ask.take());
}

void Login::handle(const Frame& frame) {
  if (frame.channel == Channel::hello && !greeted_) return greet();
  if (frame.channel == Channel::close) {
    Reader in(frame.data);
    return conclude(read_tlvs(in));
  }
  if (frame.channel != Channel::data) return;
  const auto snac = read_snac(frame.data);
  if (!snac) return fail("the server sent a packet that cannot be read");
  handle(*snac);
}

void Login::handle(const Snac& snac) {
  Reader in(snac.body);
  if (snac.is(family::authorisation, 0x07) && !challenged_) {
    const std::string challenge = in.text16();
    if (!in.ok() || challenge.empty() || challenge.size() > most_challenge)
      return fail("the server's challenge cannot be read");
    challenged_ = true;
    Writer answer;
    answer.tlv(0x01, request_.name).tlv(0x25, md5_answer(challenge, request_.password.reveal())).tlv(0x4C);
    put_client(answer);
    // Otherwise a login ends the account's other sessions.
    if (!request_.replaces_others) answer.tlv(0x4A, std::string_view("\x01", 1));
    return send(0x02, answer.take());
  }
  if (snac.is(family::authorisation, 0x03)) return conclude(read_tlvs(in));
  if (snac.is(family::authorisation, 0x01)) fail(fmt::format("the server refuses the login with error {}", in.u16()));
}

void Login::conclude(const Tlvs& tlvs) {
  const auto code = number(tlvs, 0x08);
  const std::string* address = find(tlvs, 0x05);
  const std::string* cookie = find(tlvs, 0x06);
  if (code && *code != 0) {
    Refused refused;
    refused.code = static_cast<std::uint16_t>(*code);
    refused.kind = meaning_of(refused.code);
    result_ = refused;
    return;
  }
  if (!address || !cookie) return fail("the server closed the connection instead of answering the login");
  auto ticket = parse_address(*address, standard_port);
  if (!ticket || cookie->empty() || cookie->size() > most_cookie)
    return fail("the server redirects to an address that cannot be read");
  ticket->cookie = *cookie;
  result_ = std::move(*ticket);
}

}  // namespace wherry::oscar
