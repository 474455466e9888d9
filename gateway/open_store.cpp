#include "gateway/open_store.hpp"

#include "gateway/base/files/owner.hpp"
#include "gateway/base/log.hpp"
#include "gateway/connector/file.hpp"
#include "gateway/db/migrate.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace wherry {

using base::Errc;
using base::Error;

namespace {

std::filesystem::path store_file(const config::StoreConfig& store) {
  return store.url.substr(std::string_view("sqlite:").size());
}

// Makes the key of a store in a file, readable by its owner only, who is that of the store's folder.
base::Result<void> make_key_file(const std::filesystem::path& file, const config::StoreConfig& store) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const std::string line = base::Sealer::generate_key() + "\n";
  const bool written = descriptor >= 0 && base::give_to_owner_of(store_file(store).parent_path(), descriptor) &&
                       ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                       ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!written && descriptor >= 0) ::unlink(file.c_str());  // half a key would be taken for the key
  if (!written) return Error{Errc::bad_input, "store.key_file: " + file.string() + " cannot be written"};
  log::info("key.created", {{"file", file.string()}});
  return base::ok();
}

// Whether there is a store already, in a file: then it has a key, which must not be made anew. Another file than a
// store is open_store's to refuse.
bool store_is_there(const config::StoreConfig& store) {
  constexpr std::string_view header = "SQLite format 3";  // sqlite.org/fileformat2.html §1.3
  std::ifstream file(store_file(store), std::ios::binary);
  std::string beginning(header.size(), '\0');
  return file.read(beginning.data(), static_cast<std::streamsize>(beginning.size())) && beginning == header;
}

// The systemd credential, else the configured file.
std::filesystem::path key_file(const config::StoreConfig& store) {
  if (const char* folder = std::getenv("CREDENTIALS_DIRECTORY")) {
    const auto credential = std::filesystem::path(folder) / "wherry-key";
    std::error_code ignored;
    if (std::filesystem::exists(credential, ignored)) return credential;
  }
  return store.key_file;
}

void warn_of_readers(const std::filesystem::path& file) {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0 || (status.st_mode & 077) == 0) return;
  log::warn("key.readable_by_others", {{"file", file.string()}, {"hint", "chmod 600"}});
}

}  // namespace

bool has_key(const config::StoreConfig& store) {
  const char* key = std::getenv("WHERRY_KEY");
  std::error_code denied;
  return (key && *key) || std::filesystem::exists(key_file(store), denied) || denied;
}

base::Result<base::Sealer> read_sealer(const config::StoreConfig& store) {
  if (const char* key = std::getenv("WHERRY_KEY"); key && *key) return base::Sealer::from_key_text(key);
  const std::filesystem::path file = key_file(store);
  std::error_code ignored;
  // Of one that may not be looked at, reading it says so.
  if (!std::filesystem::exists(file, ignored) && !ignored && store.url.starts_with("sqlite:")) {
    if (store_is_there(store)) {
      return Error{Errc::bad_input, "store.key_file: " + file.string() +
                                        " is missing, and what the store holds can be read with that key only. "
                                        "Bring it back from a backup, or remove the store, too, and begin anew."};
    }
    if (auto made = make_key_file(file, store); !made) return made.error();
  }
  if (file == store.key_file) warn_of_readers(file);
  auto text = connector::read_file(file);
  if (!text) return Error{Errc::bad_input, "store.key_file: " + file.string() + " " + text.error().text};
  auto sealer = base::Sealer::from_key_text(*text);
  if (!sealer) return Error{Errc::bad_input, "store.key_file: " + file.string() + ": " + sealer.error().text};
  return sealer;
}

base::Result<std::unique_ptr<db::Driver>> open_store(const config::Config& config) {
  auto driver = db::open_driver(config.store.url);
  if (!driver) return Error{driver.error().code, "store.url: " + driver.error().text};
  if (auto claimed = (*driver)->claim(std::chrono::seconds(10)); !claimed)
    return Error{claimed.error().code, "store.url: " + claimed.error().text};
  auto version = db::migrate(**driver, config.migrations_folder);
  if (!version) return Error{version.error().code, "store: " + version.error().text};
  return driver;
}

}  // namespace wherry
