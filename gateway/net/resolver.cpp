#include "gateway/net/resolver.hpp"

#include "gateway/base/signal.hpp"
#include "gateway/base/within.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <ares.h>
#include <netdb.h>
#include <sys/time.h>

#include <cstring>
#include <map>
#include <memory>
#include <utility>

namespace wherry::net {

namespace {

using asio::ip::tcp;

// A socket of c-ares, which opens and closes it.
struct Watched {
  explicit Watched(asio::any_io_executor executor, int fd) : descriptor(std::move(executor), fd) {}
  ~Watched() { descriptor.release(); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  asio::posix::stream_descriptor descriptor;
  bool wants_read = false, wants_write = false;  // c-ares does
  bool reading = false, writing = false;         // a wait is under way
};

// One look-up, with a channel of its own.
class Lookup {
 public:
  Lookup(asio::any_io_executor executor, const std::string& servers)
      : executor_(std::move(executor)), ended_(executor_) {
    static const int ready = ares_library_init(ARES_LIB_INIT_ALL);  // once per process
    if (ready != ARES_SUCCESS) throw std::runtime_error("c-ares cannot be initialised");
    ares_options options{};
    options.sock_state_cb = &Lookup::on_socket;
    options.sock_state_cb_data = this;
    options.timeout = 2000;  // ms, of the first try; doubled with each: whoever dials has little more patience
    options.tries = 3;
    if (ares_init_options(&channel_, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) !=
        ARES_SUCCESS)
      fail("the system's settings cannot be read");
    if (!servers.empty() && ares_set_servers_ports_csv(channel_, servers.c_str()) != ARES_SUCCESS) {
      ares_destroy(channel_);
      fail("no such name servers: " + servers);
    }
  }
  ~Lookup() {
    over_ = true;
    ares_destroy(channel_);
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  asio::awaitable<std::vector<tcp::endpoint>> run(std::string host, std::uint16_t port) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_, host.c_str(), std::to_string(port).c_str(), &hints, &Lookup::on_answer, this);
    while (!over_) {
      timeval next{};
      const bool limited = ares_timeout(channel_, nullptr, &next) != nullptr;
      const auto pause = limited ? std::chrono::seconds(next.tv_sec) + std::chrono::microseconds(next.tv_usec)
                                 : std::chrono::microseconds(std::chrono::seconds(1));
      try {
        co_await base::within(pause, ended_.wait());
      } catch (const base::TimedOut&) {
        ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // asks again, or gives up
      }
    }
    if (status_ != ARES_SUCCESS) fail(host + ": " + ares_strerror(status_));
    if (endpoints_.empty()) fail(host + " has no address");
    co_return std::move(endpoints_);
  }

 private:
  [[noreturn]] static void fail(const std::string& why) {
    throw boost::system::system_error(asio::error::host_not_found, why);
  }

  static void on_answer(void* self, int status, int, ares_addrinfo* found) {
    static_cast<Lookup*>(self)->answered(status, found);
  }
  static void on_socket(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Lookup*>(self)->watch(fd, readable != 0, writable != 0);
  }

  void answered(int status, ares_addrinfo* found) {
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(found, &ares_freeaddrinfo);
    if (std::exchange(over_, true)) return;  // this is being destroyed
    status_ = status;
    for (const ares_addrinfo_node* node = found ? found->nodes : nullptr; node; node = node->ai_next) {
      tcp::endpoint endpoint;
      if (node->ai_addrlen > endpoint.capacity()) continue;
      std::memcpy(endpoint.data(), node->ai_addr, node->ai_addrlen);
      endpoint.resize(node->ai_addrlen);
      endpoints_.push_back(endpoint);
    }
    ended_.notify();
  }

  void watch(int fd, bool wants_read, bool wants_write) {
    if (!wants_read && !wants_write) {
      watched_.erase(fd);
      return;
    }
    auto& watched = watched_[fd];
    if (!watched) watched = std::make_shared<Watched>(executor_, fd);
    watched->wants_read = wants_read;
    watched->wants_write = wants_write;
    wait(watched);
  }

  // The waits outlive neither their socket nor this: both cancel them, and a cancelled one touches nothing.
  void wait(const std::shared_ptr<Watched>& watched) {
    if (watched->wants_read && !std::exchange(watched->reading, true)) {
      watched->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                     [this, weak = std::weak_ptr(watched)](boost::system::error_code) {
                                       if (const auto alive = weak.lock()) {
                                         alive->reading = false;
                                         ready(alive, alive->descriptor.native_handle(), ARES_SOCKET_BAD);
                                       }
                                     });
    }
    if (watched->wants_write && !std::exchange(watched->writing, true)) {
      watched->descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                     [this, weak = std::weak_ptr(watched)](boost::system::error_code) {
                                       if (const auto alive = weak.lock()) {
                                         alive->writing = false;
                                         ready(alive, ARES_SOCKET_BAD, alive->descriptor.native_handle());
                                       }
                                     });
    }
  }

  void ready(const std::shared_ptr<Watched>& watched, int to_read, int to_write) {
    const int fd = watched->descriptor.native_handle();
    ares_process_fd(channel_, to_read, to_write);
    const auto present = watched_.find(fd);
    if (present != watched_.end() && present->second == watched) wait(watched);
  }

  asio::any_io_executor executor_;
  base::Signal ended_;
  ares_channel channel_ = nullptr;
  std::map<int, std::shared_ptr<Watched>> watched_;
  bool over_ = false;
  int status_ = ARES_SUCCESS;
  std::vector<tcp::endpoint> endpoints_;
};

}  // namespace

asio::awaitable<std::vector<tcp::endpoint>> resolve(std::string host, std::uint16_t port, std::string servers) {
  boost::system::error_code is_name;
  const auto address = asio::ip::make_address(host, is_name);
  if (!is_name) co_return std::vector<tcp::endpoint>(1, tcp::endpoint(address, port));
  const auto executor = co_await asio::this_coro::executor;
  const auto lookup = std::make_unique<Lookup>(executor, servers);
  auto running = lookup->run(std::move(host), port);
  co_return co_await std::move(running);
}

}  // namespace wherry::net
