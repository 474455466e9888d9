// The ceiling that bench/run prints beside its figures: a component that parses everything with expat and echoes each
// message, and does nothing else. Arguments: port, domain.
#include <arpa/inet.h>
#include <expat.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct State {
  std::string from, to, id, body, out;
  int depth = 0;
  bool in_body = false;
};

void start(void* data, const char* name, const char** attributes) {
  State& state = *static_cast<State*>(data);
  if (++state.depth == 2) {
    state.from.clear(), state.to.clear(), state.id.clear(), state.body.clear();
    for (; *attributes; attributes += 2) {
      if (!std::strcmp(attributes[0], "from")) state.from = attributes[1];
      if (!std::strcmp(attributes[0], "to")) state.to = attributes[1];
      if (!std::strcmp(attributes[0], "id")) state.id = attributes[1];
    }
  }
  state.in_body = state.depth == 3 && !std::strcmp(name, "body");
}

void end(void* data, const char* name) {
  State& state = *static_cast<State*>(data);
  state.in_body = false;
  if (--state.depth != 1 || std::strcmp(name, "message") != 0) return;
  state.out += "<message type='chat' from='" + state.to + "' to='" + state.from + "' id='" + state.id + "'><body>" +
               state.body + "</body></message>";
}

void text(void* data, const char* bytes, int size) {
  State& state = *static_cast<State*>(data);
  if (state.in_body) state.body.append(bytes, static_cast<std::size_t>(size));
}

void write_all(int socket, const std::string& out) {
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n = write(socket, out.data() + done, out.size() - done);
    if (n <= 0) std::exit(0);
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  write_all(socket,
            "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='" +
                std::string(argv[2]) + "'><handshake>bench</handshake>");
  State state;
  XML_Parser parser = XML_ParserCreate(nullptr);
  XML_SetUserData(parser, &state);
  XML_SetElementHandler(parser, start, end);
  XML_SetCharacterDataHandler(parser, text);
  std::string buffer(64 << 10, '\0');
  for (;;) {
    const ssize_t size = read(socket, buffer.data(), buffer.size());
    if (size <= 0) return 0;
    if (XML_Parse(parser, buffer.data(), static_cast<int>(size), 0) != XML_STATUS_OK) return 1;
    write_all(socket, state.out);
    state.out.clear();
  }
}
