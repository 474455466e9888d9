#include "gateway/files/file_store.hpp"

#include "gateway/base/files/media_type.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/secret.hpp"
#include "gateway/base/suspend.hpp"
#include "gateway/base/text.hpp"
#include "gateway/files/names.hpp"
#include "gateway/files/serving.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace wherry::files {

using base::Errc;
using base::Error;
using base::Result;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_files = 5000;  // of one account
constexpr std::size_t code_octets = 16;
constexpr std::chrono::seconds retry_after{5};

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Error not_written(int error) {
  const std::string why = std::generic_category().message(error);
  log::error("files.not_written", {{"error", why}});
  return Error{Errc::unavailable, "The gateway cannot keep files just now.", {}};
}

std::int64_t seconds_of(base::Time time) { return base::to_milliseconds(time) / 1000; }

bool write_all(int descriptor, std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t written = ::write(descriptor, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    piece.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// A renamed file is durable once its folder is.
bool sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  return done;
}

bool is_part(const fs::path& path) { return path.filename().string().starts_with("part-"); }

struct Entry {
  fs::path path;
  std::int64_t written = 0;  // in seconds
  std::uint64_t bytes = 0;
};

std::vector<Entry> files_in(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    struct stat status = {};
    if (::stat(it->path().c_str(), &status) != 0) continue;  // it has gone meanwhile
    entries.push_back({it->path(), status.st_mtim.tv_sec, static_cast<std::uint64_t>(status.st_size)});
  }
  return entries;
}

void remove_file(const fs::path& path) {
  std::error_code failed;
  fs::remove(path, failed);
  if (failed) log::warn("files.not_removed", {{"error", failed.message()}});
}

// The oldest that are whole give way until each of `writing` files, however long they become, has room beside `newest`.
void make_room(const fs::path& folder, const FileLimits& limits, std::size_t writing, const fs::path& newest) {
  std::vector<Entry> entries = files_in(folder);
  std::erase_if(entries, [](const Entry& entry) { return is_part(entry.path); });
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.written < b.written; });
  std::uint64_t bytes = limits.file_bytes * writing;
  for (const Entry& entry : entries) bytes += entry.bytes;
  std::size_t left = entries.size();
  for (const Entry& entry : entries) {
    if (bytes <= limits.account_bytes && left < most_files) return;
    if (entry.path == newest) continue;
    remove_file(entry.path);
    bytes -= std::min(bytes, entry.bytes);
    --left;
  }
}

}  // namespace

// Not cancellable: what is cancelled waits for the end of its few octets. (co_spawn on the disk's thread would read a
// cancellation slot of a coroutine that the loop may have ended meanwhile.)
template <class Work>
asio::awaitable<std::invoke_result_t<Work>> FileStore::aside(Work work) {
  if (!disk_) disk_.emplace(1);
  const auto loop = co_await asio::this_coro::executor;
  const auto result = std::make_shared<std::optional<std::invoke_result_t<Work>>>();
  auto start = [this, loop, result, work = std::move(work)](base::Resume resume) mutable {
    asio::post(*disk_, [loop, result, work = std::move(work), resume = std::move(resume)]() mutable {
      std::exception_ptr failed;
      try {
        result->emplace(work());
      } catch (...) {
        failed = std::current_exception();
      }
      asio::post(loop, [resume = std::move(resume), failed]() mutable { resume(failed); });
    });
  };
  co_await base::suspend(std::move(start));
  co_return std::move(**result);
}

FileStore::~FileStore() {
  if (disk_) disk_->join();
}

fs::path FileStore::folder_of(base::AccountId account) const {
  return settings_.folder / std::to_string(account.value);
}

asio::awaitable<Result<std::unique_ptr<FileStore::NewFile>>> FileStore::begin(base::AccountId account) {
  if (forgotten_.contains(account)) co_return Error{Errc::not_found, "The account is gone.", {}};
  const std::shared_ptr<void> writing = writes(account);
  const fs::path folder = folder_of(account);
  const fs::path part = folder / (part_prefix_ + base::random_hex(8));
  auto open = [folder, part, limits = settings_.limits, writing_now = writing_[account]]() -> int {
    std::error_code failed;
    if (fs::create_directories(folder, failed)) {  // a file in them is durable only once they are
      sync_folder(folder.parent_path().parent_path());
      sync_folder(folder.parent_path());
    }
    fs::permissions(folder, fs::perms::owner_all, failed);
    make_room(folder, limits, writing_now, {});
    const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return descriptor >= 0 ? descriptor : -errno;
  };
  const int opened = co_await aside(std::move(open));
  if (opened < 0) co_return not_written(-opened);
  co_return std::make_unique<NewFile>(*this, account, writing, part, opened);
}

// One more of the account's files is being written, until what this gives is gone.
std::shared_ptr<void> FileStore::writes(base::AccountId account) {
  ++writing_[account];
  return std::shared_ptr<void>(nullptr, [this, account](void*) {
    if (--writing_[account] == 0) writing_.erase(account);
  });
}

std::string FileStore::code_of(std::string_view account, std::string_view sha256) const {
  const std::string named = fmt::format("{}/{}", account, sha256);
  std::array<unsigned char, code_octets> hash{};
  crypto_generichash(hash.data(), hash.size(), octets(named), named.size(), settings_.key.data(), settings_.key.size());
  return base::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::string FileStore::link(base::AccountId account, const Kept& kept, std::string_view name) const {
  const std::string owner = std::to_string(account.value);
  return fmt::format("{}/files/{}/{}/{}/{}", settings_.public_url, owner, kept.sha256, code_of(owner, kept.sha256),
                     name_in_link(name, kept.media_type));
}

// Nothing of a path is used before its code is found right.
asio::awaitable<net::ServerResponse> FileStore::answer(net::ServerRequest request) {
  if (request.method != "GET" && request.method != "HEAD") co_return net::respond(405, "Only GET and HEAD.\n");
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  const auto parts = base::split(path, '/');  // "", "files", account, sha256, code, name
  const bool is_link = parts.size() == 6;
  if (!is_link || !base::equal_in_constant_time(code_of(parts[2], parts[3]), parts[4]))
    co_return net::respond(404, "There is no such file.\n");
  const fs::path file = settings_.folder / parts[2] / parts[3];
  auto open = [file]() { return OpenFile::open(file); };
  const OpenFile::Opened result = co_await aside(std::move(open));
  const std::shared_ptr<OpenFile>& opened = result.file;
  if (!opened && result.is_gone) co_return net::respond(404, "This file is not kept any more.\n");
  if (!opened) co_return net::respond(503, "The file cannot be read just now.\n", retry_after);
  const bool is_whole = request.method == "HEAD";  // RFC 9110 §14.2: only GET has ranges
  auto response = serve(*opened, is_whole ? std::string_view() : request.header("range"), parts[5]);
  if (request.method == "HEAD" || response.bytes == 0) co_return response;
  response.piece = [this, opened](std::uint64_t offset, std::size_t most) {
    auto read = [opened, offset, most]() { return opened->read(offset, most); };
    return aside(std::move(read));
  };
  co_return response;
}

void FileStore::forget(base::AccountId account) {
  if (settings_.folder.empty()) return;
  forgotten_.insert(account);
  if (!disk_) disk_.emplace(1);
  asio::post(*disk_, [folder = folder_of(account)] {
    std::error_code failed;
    fs::remove_all(folder, failed);
    if (failed) log::warn("files.not_removed", {{"folder", folder.string()}, {"error", failed.message()}});
  });
}

asio::awaitable<void> FileStore::sweep(base::Time age_time) {
  age_time_ = age_time;
  const std::int64_t oldest = seconds_of(age_time - settings_.limits.kept);
  auto remove_old = [folder = settings_.folder, present = part_prefix_, oldest]() {
    std::size_t removed = 0;
    for (const Entry& account : files_in(folder)) {
      for (const Entry& file : files_in(account.path)) {
        const bool is_being_written = file.path.filename().string().starts_with(present);
        if (is_being_written || (!is_part(file.path) && file.written >= oldest)) continue;
        remove_file(file.path);
        ++removed;
      }
    }
    return removed;
  };
  const std::size_t removed = co_await aside(std::move(remove_old));
  if (removed > 0) log::info("files.removed", {{"files", removed}});
}

struct FileStore::NewFile::Hash {
  crypto_hash_sha256_state state;
};

FileStore::NewFile::NewFile(FileStore& store, base::AccountId account, std::shared_ptr<void> writing, fs::path part,
                            int descriptor)
    : store_(store),
      account_(account),
      writing_(std::move(writing)),
      part_(std::move(part)),
      descriptor_(descriptor),
      hash_(std::make_unique<Hash>()) {
  crypto_hash_sha256_init(&hash_->state);
}

FileStore::NewFile::~NewFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part_.c_str());
}

asio::awaitable<Result<void>> FileStore::NewFile::write(std::string piece) {
  const FileLimits& limits = store_.limits();
  if (bytes_ + piece.size() > limits.file_bytes) {
    const std::uint64_t megabytes = limits.file_bytes >> 20;
    co_return Error{Errc::rejected, fmt::format("It is larger than {} MB.", megabytes), {}};
  }
  bytes_ += piece.size();
  crypto_hash_sha256_update(&hash_->state, octets(piece), piece.size());
  if (beginning_.size() < base::telling_octets) beginning_ += piece.substr(0, base::telling_octets - beginning_.size());
  auto write = [descriptor = descriptor_, piece = std::move(piece)]() {
    return write_all(descriptor, piece) ? 0 : errno;
  };
  const int failed = co_await store_.aside(std::move(write));
  if (failed != 0) co_return not_written(failed);
  co_return base::ok();
}

asio::awaitable<Result<Kept>> FileStore::NewFile::keep() {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256_final(&hash_->state, hash.data());
  Kept kept;
  kept.sha256 = base::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
  kept.bytes = bytes_;
  kept.media_type = base::media_type_of(beginning_);
  if (store_.forgotten_.contains(account_)) co_return Error{Errc::not_found, "The account is gone.", {}};
  const fs::path folder = part_.parent_path();
  auto settle = [descriptor = descriptor_, part = part_, whole = folder / kept.sha256, folder,
                 written = seconds_of(store_.age_time_), limits = store_.limits()]() {
    const timespec times[] = {{written, 0}, {written, 0}};
    if (written > 0) ::futimens(descriptor, times);
    const bool done = ::fsync(descriptor) == 0 && ::rename(part.c_str(), whole.c_str()) == 0 && sync_folder(folder);
    if (!done) return errno;
    make_room(folder, limits, 0, whole);
    return 0;
  };
  const int failed = co_await store_.aside(std::move(settle));
  if (failed != 0) co_return not_written(failed);
  ::close(std::exchange(descriptor_, -1));
  co_return kept;
}

}  // namespace wherry::files
