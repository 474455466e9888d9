// Files that came from networks, for the people whom we send links to them. Each account has a folder, and a file's
// name there is its SHA-256; nothing else is remembered, and the database does not know of them.
//
//   <public_url>/files/<account>/<sha256>/<code>/<name>   the code is a keyed hash: who has the link can open it, as
//   with
//                                                         files of XMPP (XEP-0363), and nobody can guess one
//
// Octets are written and read beside the loop, so that a slow disk keeps nobody waiting.
#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "gateway/base/ids.hpp"
#include "gateway/base/text.hpp"
#include "gateway/connector/contract.hpp"
#include "gateway/net/http_server.hpp"

#include <boost/asio/thread_pool.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wherry::files {

namespace asio = boost::asio;

struct FileLimits {
  std::uint64_t file_bytes = 20 << 20;
  std::uint64_t account_bytes = 500 << 20;  // an account's oldest files give way to its newest
  std::chrono::hours kept{30 * 24};
};

struct StoreSettings {
  std::filesystem::path folder;  // made when the first file comes
  std::string public_url;        // of our HTTP server, without a final '/'; empty: nobody could open a link
  std::array<unsigned char, 16> key{};
  FileLimits limits;
};

// What is kept of a file.
struct Kept {
  std::string sha256;  // hexadecimal
  std::uint64_t bytes = 0;
  std::string media_type;  // by its octets; empty: nobody knows
};

class FileStore {
 public:
  explicit FileStore(StoreSettings settings) : settings_(std::move(settings)) {}
  ~FileStore();

  // Whether people could open a link.
  bool is_reachable() const { return !settings_.public_url.empty(); }
  const FileLimits& limits() const { return settings_.limits; }

  // A file that is being written. One that is not kept in the end leaves nothing behind.
  class NewFile;
  asio::awaitable<base::Result<std::unique_ptr<NewFile>>> begin(base::AccountId account);

  // The link to a file of the account; `name` is what its sender calls it, or empty.
  std::string link(base::AccountId account, const Kept& kept, std::string_view name) const;

  // Answers a request for a link.
  asio::awaitable<net::ServerResponse> answer(net::ServerRequest request);

  // The account is gone, and its files with it.
  void forget(base::AccountId account);
  // Removes what has been kept for long enough, by the clock that no wrong time of day moves (store/retention.hpp), and
  // what an earlier run has not finished.
  asio::awaitable<void> sweep(base::Time age_time);
  // That clock's time, before any file comes.
  void set_age_time(base::Time age_time) { age_time_ = age_time; }

 private:
  std::filesystem::path folder_of(base::AccountId account) const;
  std::string code_of(std::string_view account, std::string_view sha256) const;
  std::shared_ptr<void> writes(base::AccountId account);
  template <class Work>
  asio::awaitable<std::invoke_result_t<Work>> aside(Work work);

  StoreSettings settings_;
  std::string part_prefix_ = "part-" + base::random_hex(8) + "-";  // of names while they are being written, in this run
  base::Time age_time_{};  // at the last sweep: when files of now were written, as the next ones see it
  std::map<base::AccountId, std::size_t> writing_;  // how many files
  std::set<base::AccountId> forgotten_;
  std::optional<asio::thread_pool> disk_;  // from the first use on: most networks bring no files
};

class FileStore::NewFile final : public connector::FileSink {
 public:
  NewFile(FileStore& store, base::AccountId account, std::shared_ptr<void> writing, std::filesystem::path part,
          int descriptor);
  ~NewFile() override;

  // `rejected` beyond FileLimits::file_bytes, `unavailable` where the disk does not take it.
  asio::awaitable<base::Result<void>> write(std::string piece) override;
  // Makes it durable.
  asio::awaitable<base::Result<Kept>> keep();

 private:
  struct Hash;
  FileStore& store_;
  base::AccountId account_;
  std::shared_ptr<void> writing_;  // until it is gone
  std::filesystem::path part_;
  int descriptor_;
  std::unique_ptr<Hash> hash_;
  std::string beginning_;  // its first octets
  std::uint64_t bytes_ = 0;
};

}  // namespace wherry::files
