// An SMS centre that takes every text at once and costs nothing itself: the far end of bench/run's way from XMPP to
// SMPP. SMPP 3.4: binds, submit_sm, deliver_sm with a receipt where one is wanted (appendix B), enquire_link, unbind.
// Its messages are numbered 1, 2, 3 …: each id is, read in hexadecimal, also that of another one, and no receipt may go
// astray by that. Argument: none. Prints "port N", then after each read how many texts it has taken so far.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

enum : std::uint32_t {
  bind_receiver = 1,
  bind_transmitter = 2,
  submit_sm = 4,
  deliver_sm = 5,
  unbind = 6,
  bind_transceiver = 9,
  enquire_link = 0x15,
  response = 0x80000000
};
constexpr std::size_t header_octets = 16;

std::uint32_t number_at(std::string_view octets, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + 4; ++i) number = number << 8 | static_cast<unsigned char>(octets.at(i));
  return number;
}

void append_number(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xFF);
}

void append_pdu(std::string& out, std::uint32_t command, std::uint32_t sequence, std::string_view body) {
  append_number(out, static_cast<std::uint32_t>(header_octets + body.size()));
  append_number(out, command);
  append_number(out, 0);
  append_number(out, sequence);
  out += body;
}

// Takes what ends at the next NUL (with it) off the front.
std::string_view take_c_string(std::string_view& rest) {
  const std::string_view text = rest.substr(0, rest.find('\0') + 1);
  rest.remove_prefix(text.size());
  return text;
}

// From sender to receiver as in the text, with its two addresses exchanged.
std::string receipt_for(std::string_view text, std::string_view id) {
  take_c_string(text);  // service_type
  const auto take_address = [&text] {
    const std::string_view kind = text.substr(0, 2);  // ton, npi
    text.remove_prefix(2);
    return std::string(kind) + std::string(take_c_string(text));
  };
  const std::string from = take_address(), to = take_address();
  const std::string report =
      "id:" + std::string(id) +
      " sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:";
  std::string body(1, '\0');
  body += to + from;
  body += '\x04';  // esm_class: a delivery receipt (§5.2.12)
  body += std::string(8, '\0');
  body += static_cast<char>(report.size());
  return body + report;
}

bool wants_receipt(std::string_view text) {
  take_c_string(text);
  for (int address = 0; address < 2; ++address) {
    text.remove_prefix(2);
    take_c_string(text);
  }
  text.remove_prefix(3);  // esm_class, protocol_id, priority_flag
  take_c_string(text), take_c_string(text);
  return (text.at(0) & 3) != 0;
}

class Link {
 public:
  explicit Link(int socket) : socket_(socket) {}

  // Until the peer leaves.
  void serve() {
    std::string buffer(64 << 10, '\0');
    for (;;) {
      const ssize_t size = read(socket_, buffer.data(), buffer.size());
      if (size <= 0) return;
      in_.append(buffer, 0, static_cast<std::size_t>(size));
      std::size_t done = 0;
      while (in_.size() - done >= header_octets && in_.size() - done >= number_at(in_, done)) {
        const std::size_t length = number_at(in_, done);
        if (length < header_octets) return;
        handle(std::string_view(in_).substr(done, length));
        done += length;
      }
      in_.erase(0, done);
      if (!write_all()) return;
      std::printf("%llu\n", taken_);
      std::fflush(stdout);
    }
  }

 private:
  void handle(std::string_view pdu) {
    const std::uint32_t command = number_at(pdu, 4), sequence = number_at(pdu, 12);
    const std::string_view body = pdu.substr(header_octets);
    using namespace std::string_view_literals;
    switch (command) {
      case bind_receiver:
      case bind_transmitter:
      case bind_transceiver: return append_pdu(out_, command | response, sequence, "sink\0"sv);
      case submit_sm: {
        char id[24];
        const int digits = std::snprintf(id, sizeof id, "%llu", ++taken_);
        append_pdu(out_, command | response, sequence, std::string_view(id, static_cast<std::size_t>(digits) + 1));
        if (!wants_receipt(body)) return;
        return append_pdu(out_, deliver_sm, ++sequence_,
                          receipt_for(body, std::string_view(id, static_cast<std::size_t>(digits))));
      }
      case enquire_link:
      case unbind: return append_pdu(out_, command | response, sequence, {});
      default: return;  // answers to our receipts
    }
  }

  bool write_all() {
    for (std::size_t done = 0; done < out_.size();) {
      const ssize_t n = write(socket_, out_.data() + done, out_.size() - done);
      if (n <= 0) return false;
      done += static_cast<std::size_t>(n);
    }
    out_.clear();
    return true;
  }

  int socket_;
  std::string in_, out_;
  unsigned long long taken_ = 0;
  std::uint32_t sequence_ = 0;
};

}  // namespace

int main() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 4) != 0) return 1;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const int socket = accept(listener, nullptr, nullptr);
  if (socket < 0) return 1;
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  Link(socket).serve();
}
