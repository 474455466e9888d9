#include "gateway/net/http_client.hpp"

#include "gateway/base/text.hpp"
#include "gateway/net/dial.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <curl/curl.h>

#include <cstring>
#include <stdexcept>

namespace wherry::net {

namespace {

using base::Errc;
using base::Error;
using Descriptor = asio::posix::stream_descriptor;

constexpr long most_host_connections = 64, most_connections = 256;
constexpr std::size_t most_header_bytes = 64 << 10;

void check(CURLMcode code) {
  if (code != CURLM_OK) throw std::runtime_error(std::string("libcurl: ") + curl_multi_strerror(code));
}
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code != CURLE_OK) throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(code));
}

bool is_token(std::string_view text) {
  return !text.empty() && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == text.npos;
}

// A socket of libcurl's that the loop watches. Shared with the wait under way, which may end after libcurl closed it.
struct Watch {
  Watch(const asio::any_io_executor& executor, curl_socket_t socket) : descriptor(executor, socket) {}
  Descriptor descriptor;
  int wanted = 0;  // CURL_POLL_*
  bool reading = false, writing = false;
  bool gone = false;
};

// One exchange. Lives in the frame of send().
struct Transfer {
  explicit Transfer(const asio::any_io_executor& executor, HttpRequest r) : request(std::move(r)), done(executor) {}
  ~Transfer() {
    if (multi) curl_multi_remove_handle(multi, easy);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void prepare();
  Error failure() const;

  HttpRequest request;
  HttpResponse response;
  std::size_t body_sent = 0, header_bytes = 0;
  bool too_long = false;
  CURL* easy = curl_easy_init();
  CURLM* multi = nullptr;  // while it is added
  curl_slist* headers = nullptr;
  std::array<char, CURL_ERROR_SIZE> reason{};
  std::optional<CURLcode> result;
  asio::steady_timer done;
};

std::size_t on_body(char* data, std::size_t, std::size_t bytes, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.too_long = transfer.response.body.size() + bytes > transfer.request.most_bytes;
  if (transfer.too_long) return 0;
  transfer.response.body.append(data, bytes);
  return bytes;
}

std::size_t on_header(char* data, std::size_t, std::size_t bytes, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line(data, bytes);
  transfer.header_bytes += bytes;
  transfer.too_long = transfer.header_bytes > most_header_bytes;
  if (transfer.too_long) return 0;
  if (line.starts_with("HTTP/")) transfer.response.headers.clear();  // what came before was of a 1xx answer
  const auto colon = line.find(':');
  if (colon != line.npos) {
    transfer.response.headers.insert_or_assign(base::to_lower_ascii(line.substr(0, colon)),
                                               std::string(base::trim(line.substr(colon + 1))));
  }
  return bytes;
}

std::size_t on_upload(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view rest = std::string_view(transfer.request.body).substr(transfer.body_sent);
  const std::size_t bytes = std::min(rest.size(), size * count);
  std::memcpy(data, rest.data(), bytes);
  transfer.body_sent += bytes;
  return bytes;
}

// libcurl repeats a request by itself when a kept connection turns out to be closed. That is right for what may be
// repeated (RFC 9110 §9.2.2); a POST it must not send twice, and refusing to rewind its body prevents that.
int on_rewind(void* context, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(context);
  const bool repeatable = transfer.request.method == "PUT" || transfer.request.method == "DELETE";
  if (!repeatable || offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_FAIL;
  transfer.body_sent = 0;
  return CURL_SEEKFUNC_OK;
}

// No child is to inherit a connection.
int on_socket_opened(void*, curl_socket_t socket, curlsocktype) { return close_on_exec(socket), CURL_SOCKOPT_OK; }

void Transfer::prepare() {
  if (!easy) throw std::bad_alloc();
  set(easy, CURLOPT_PRIVATE, this);
  set(easy, CURLOPT_ERRORBUFFER, reason.data());
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_SOCKOPTFUNCTION, &on_socket_opened);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // One request at a time on a connection, so that what was sent is known.
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!request.ca_file.empty()) set(easy, CURLOPT_CAINFO, request.ca_file.c_str());
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.limit.count()));
  set(easy, CURLOPT_USERAGENT, "wherry/" WHERRY_VERSION);
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, this);
  if (!request.user.empty()) {
    set(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    set(easy, CURLOPT_USERNAME, request.user.c_str());
    set(easy, CURLOPT_PASSWORD, request.password.c_str());
  }

  bool typed = false;
  for (const std::string& header : request.headers) {
    typed = typed || base::to_lower_ascii(header).starts_with("content-type:");
    headers = curl_slist_append(headers, header.c_str());
  }
  const bool has_body =
      !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (request.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(easy, CURLOPT_READFUNCTION, &on_upload);
    set(easy, CURLOPT_READDATA, this);
    set(easy, CURLOPT_SEEKFUNCTION, &on_rewind);
    set(easy, CURLOPT_SEEKDATA, this);
    headers = curl_slist_append(headers, "Expect:");                    // no second's wait for "100 Continue"
    if (!typed) headers = curl_slist_append(headers, "Content-Type:");  // libcurl would claim that it is a form
  }
  // Nothing to rewind, so nothing that could be refused: a connection of its own instead.
  if (request.body.empty() && (has_body || !request.may_repeat)) set(easy, CURLOPT_FRESH_CONNECT, 1L);
  set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(easy, CURLOPT_HTTPHEADER, headers);
}

Error Transfer::failure() const {
  const std::string why = too_long ? "the answer is too long" : reason[0] ? reason.data() : curl_easy_strerror(*result);
  if (*result == CURLE_URL_MALFORMAT || *result == CURLE_UNSUPPORTED_PROTOCOL) return {Errc::bad_input, why, {}};
  long request_bytes = 0;  // of what was sent of the request, headers included
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  return {request_bytes == 0 ? Errc::unavailable : Errc::uncertain, why, {}};
}

}  // namespace

// Shared with waits on sockets that end after the client has gone.
struct HttpClient::Impl {
  explicit Impl(asio::any_io_executor e) : executor(std::move(e)), timer(executor) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);  // once per process
    multi = curl_multi_init();
    if (ready != CURLE_OK || !multi) throw std::runtime_error("libcurl cannot be initialised");
    check(curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket));
    check(curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this));
    check(curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer));
    check(curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this));
    check(curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, most_host_connections));
    check(curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most_connections));
  }
  ~Impl() {
    curl_multi_cleanup(multi);
    for (auto& [socket, watch] : watches) forget(*watch);
  }

  // libcurl wants to know when `socket` can be read or written, or no longer.
  static int on_socket(CURL*, curl_socket_t socket, int what, void* context, void*) {
    auto& self = *static_cast<Impl*>(context);
    auto found = self.watches.find(socket);
    if (what == CURL_POLL_REMOVE) {
      if (found == self.watches.end()) return 0;
      forget(*found->second);
      self.watches.erase(found);
      return 0;
    }
    if (found == self.watches.end())
      found = self.watches.emplace(socket, std::make_shared<Watch>(self.executor, socket)).first;
    found->second->wanted = what;
    self.arm(found->second);
    return 0;
  }
  static void forget(Watch& watch) {
    watch.gone = true;
    watch.descriptor.release();  // it is libcurl's to close
  }

  void arm(const std::shared_ptr<Watch>& watch) {
    if ((watch->wanted & CURL_POLL_IN) && !watch->reading) {
      watch->reading = true;
      watch->descriptor.async_wait(Descriptor::wait_read, [this, watch](boost::system::error_code failed) {
        watch->reading = false;
        ready(watch, CURL_CSELECT_IN, failed);
      });
    }
    if ((watch->wanted & CURL_POLL_OUT) && !watch->writing) {
      watch->writing = true;
      watch->descriptor.async_wait(Descriptor::wait_write, [this, watch](boost::system::error_code failed) {
        watch->writing = false;
        ready(watch, CURL_CSELECT_OUT, failed);
      });
    }
  }
  void ready(const std::shared_ptr<Watch>& watch, int event, boost::system::error_code failed) {
    if (watch->gone) return;  // then `this` may be gone too
    const bool wanted = watch->wanted & (event == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT);
    if (wanted || failed) act(watch->descriptor.native_handle(), failed ? CURL_CSELECT_ERR : event);
    if (!watch->gone && !failed) arm(watch);
  }

  static int on_timer(CURLM*, long milliseconds, void* context) {
    auto& self = *static_cast<Impl*>(context);
    self.timer.cancel();
    if (milliseconds < 0) return 0;
    self.timer.expires_after(std::chrono::milliseconds(milliseconds));
    self.timer.async_wait([&self](boost::system::error_code failed) {
      if (!failed) self.act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
  }

  void act(curl_socket_t socket, int events) {
    int running = 0;
    check(curl_multi_socket_action(multi, socket, events, &running));
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      transfer->result = message->data.result;
      transfer->done.cancel();
    }
  }

  asio::any_io_executor executor;
  CURLM* multi = nullptr;
  asio::steady_timer timer;
  std::map<curl_socket_t, std::shared_ptr<Watch>> watches;
};

HttpClient::HttpClient(asio::any_io_executor executor) : executor_(std::move(executor)) {}
HttpClient::~HttpClient() = default;

asio::awaitable<base::Result<HttpResponse>> HttpClient::send(HttpRequest request) {
  if (!is_token(request.method)) co_return Error{Errc::bad_input, "an HTTP method is upper-case letters"};
  for (const std::string& header : request.headers) {
    if (header.find_first_of(std::string_view("\r\n\0", 3)) != header.npos)
      co_return Error{Errc::bad_input, "an HTTP header has no line break"};
  }
  if (!impl_) impl_ = std::make_shared<Impl>(executor_);
  const auto impl = impl_;
  Transfer transfer(impl->executor, std::move(request));
  transfer.prepare();
  check(curl_multi_add_handle(impl->multi, transfer.easy));
  transfer.multi = impl->multi;

  transfer.done.expires_at(asio::steady_timer::time_point::max());  // libcurl keeps the limit
  boost::system::error_code woken;
  co_await transfer.done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!transfer.result) throw boost::system::system_error(woken);  // cancelled
  if (*transfer.result != CURLE_OK) co_return transfer.failure();
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  co_return std::move(transfer.response);
}

}  // namespace wherry::net
