#include "connectors/sms/http/media/media.hpp"

#include "gateway/base/log.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/base/text.hpp"
#include "gateway/net/http_client.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace wherry::sms::http {

namespace {

constexpr std::size_t key_octets = 32, code_octets = 16;
constexpr std::size_t most_file_bytes = 8 << 20;  // networks carry 5 MiB at most
constexpr int most_fetches = 6;                   // at once: each is in memory
constexpr int most_redirects = 2;
constexpr std::chrono::seconds fetch_limit{5};  // of each request: all of them within the server's limit for an answer
constexpr std::chrono::seconds retry_file_after{5};

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string header(const net::HttpResponse& answer, const char* name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? std::string() : found->second;
}

// Counts for as long as it lives.
class Counted {
 public:
  explicit Counted(int& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  int& count_;
};

}  // namespace

std::string shown_type(std::string_view content_type) {
  const std::string type = base::to_lower_ascii(base::trim(content_type.substr(0, content_type.find(';'))));
  const bool plain = consists_of(type, "/.+-");
  const bool media = type.starts_with("image/") || type.starts_with("audio/") || type.starts_with("video/");
  if (plain && media && type != "image/svg+xml") return type;  // SVG runs scripts
  if (type == "text/vcard" || type == "text/x-vcard") return type;
  return "application/octet-stream";
}

asio::awaitable<void> Media::load() {
  const std::string row = provider_.setting.name + "/media_key";
  const auto saved = co_await services_.storage.read(row, std::string(), 1);
  const auto key = saved.empty() || saved.front().key != row ? std::nullopt : base::from_hex(saved.front().value);
  if (key && key->size() == key_octets) {
    key_ = *key;
    co_return;
  }
  std::string made(key_octets, '\0');
  randombytes_buf(made.data(), made.size());
  std::vector<connector::Entry> entries(1);
  entries.front().key = row;
  entries.front().value = base::to_hex(made);
  co_await services_.storage.write(std::move(entries));
  key_ = std::move(made);
}

std::string Media::code_of(std::string_view name) const {
  const auto octets = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  std::array<unsigned char, code_octets> hash{};
  crypto_generichash(hash.data(), hash.size(), octets(name), name.size(), octets(key_), key_.size());
  return base::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

void Media::make_openable(Message& message) const {
  for (std::string& link : message.links) {
    const std::string name = provider_.file_name(link);
    if (name.empty()) continue;
    const std::string& host = provider_.setting.public_url;
    link = host.empty() ? std::string() : host + path() + code_of(name) + "/" + name;
  }
  // Nobody can come to us for a file that only we may fetch.
  message.lost_files += static_cast<std::int64_t>(std::erase(message.links, std::string()));
}

asio::awaitable<net::ServerResponse> Media::answer(net::ServerRequest request) {
  if (request.method != "GET" && request.method != "HEAD") co_return net::respond(405, "Only GET and HEAD.\n");
  const std::string_view target = std::string_view(request.target).substr(0, request.target.find('?'));
  const std::string_view rest = target.substr(std::min(target.size(), path().size()));
  const auto slash = rest.find('/');
  const std::string name(slash == rest.npos ? std::string_view() : rest.substr(slash + 1));
  const bool is_ours = slash != rest.npos && base::equal_in_constant_time(code_of(name), rest.substr(0, slash));
  if (!is_ours) co_return net::respond(404, "There is no such file.\n");
  if (fetches_ >= most_fetches)
    co_return net::respond(503, "Too many files are asked for at once.\n", retry_file_after);
  const Counted counted(fetches_);
  co_return co_await fetch(name);
}

// Services redirect to where the file lies, with a signature of its own; our password does not go there.
asio::awaitable<net::ServerResponse> Media::fetch(std::string name) {
  net::HttpRequest request = provider_.file_request(name);
  for (int redirects = 0;; ++redirects) {
    request.most_bytes = most_file_bytes;
    request.limit = fetch_limit;
    const auto answer = co_await services_.http.send(std::move(request));
    if (answer && answer->status == 200) {
      net::ServerResponse file = net::respond(200, answer->body);
      file.content_type = shown_type(header(*answer, "content-type"));
      co_return file;
    }
    if (answer && (answer->status == 404 || answer->status == 410))
      co_return net::respond(404, "The SMS service no longer has this file.\n");
    const std::string place = answer && is_redirect(answer->status) ? header(*answer, "location") : std::string();
    const bool is_url = place.starts_with("https://") ||
                        (place.starts_with("http://") && provider_.setting.base_url.starts_with("http://"));
    if (!is_url || redirects == most_redirects) {
      failed_.write(log::Level::warn, "http_carrier.file_not_fetched",
                    {{"carrier", provider_.setting.name},
                     {"http", answer ? answer->status : 0},
                     {"error", answer ? std::string() : answer.error().text}});
      co_return net::respond(503, "The file cannot be fetched now.\n", retry_file_after);
    }
    request = net::HttpRequest();
    request.url = place;
  }
}

}  // namespace wherry::sms::http
