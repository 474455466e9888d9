// What is kept of files, who can open them, and what becomes of them (in temporary folders).
#include "gateway/files/file_store.hpp"

#include "gateway/base/task_group.hpp"
#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace wherry;
using namespace wherry::files;
namespace fs = std::filesystem;

namespace {

const base::AccountId romeo{7}, juliet{8};
const std::string png = "\x89PNG\r\n\x1A\n" + std::string(100, 'x');

struct Folder {
  fs::path path = fs::temp_directory_path() / ("wherry-files-" + base::random_hex(6));
  ~Folder() { fs::remove_all(path); }
  std::size_t files() const {
    std::size_t count = 0;
    if (!fs::exists(path)) return 0;
    for (const auto& entry : fs::recursive_directory_iterator(path)) count += entry.is_regular_file();
    return count;
  }
};

struct Stage {
  explicit Stage(FileLimits limits = {}) : store({folder.path, "https://x.test", {1, 2, 3}, limits}) {}

  asio::awaitable<base::Result<Kept>> put(base::AccountId account, std::vector<std::string> pieces) {
    auto begun = co_await store.begin(account);
    if (!begun) co_return begun.error();
    for (std::string& piece : pieces) {
      const auto written = co_await (*begun)->write(std::move(piece));
      if (!written) co_return written.error();
    }
    co_return co_await (*begun)->keep();
  }
  base::Result<Kept> kept(base::AccountId account, std::vector<std::string> pieces) {
    base::Result<Kept> result = base::Error{};
    auto work = [&]() -> asio::awaitable<void> { result = co_await put(account, std::move(pieces)); };
    tests::run(loop, work());
    return result;
  }
  net::ServerResponse answer(std::string target, std::string range = {}, std::string method = "GET") {
    net::ServerRequest request;
    request.method = std::move(method);
    request.target = std::move(target);
    if (!range.empty()) request.headers.emplace_back("range", std::move(range));
    net::ServerResponse response;
    auto work = [&]() -> asio::awaitable<void> {
      response = co_await store.answer(std::move(request));
      if (response.piece) response.body = co_await response.piece(response.first, response.bytes);
    };
    tests::run(loop, work());
    return response;
  }
  // The path of a link.
  static std::string path(const std::string& link) { return link.substr(std::string("https://x.test").size()); }
  void sweep(base::Time now) { tests::run(loop, store.sweep(now)); }

  asio::io_context loop;
  Folder folder;
  FileStore store;
};

std::string header(const net::ServerResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "(none)";
}

}  // namespace

TEST_CASE("A file is kept by its octets, which say what it is, and whoever has the link can open it") {
  Stage stage;
  const auto kept = stage.kept(romeo, {png.substr(0, 5), png.substr(5)});
  REQUIRE(kept.has_value());
  CHECK(kept->bytes == png.size());
  CHECK(kept->media_type == "image/png");
  const std::string link = stage.store.link(romeo, *kept, "../ro se.html");
  CHECK(link.starts_with("https://x.test/files/7/" + kept->sha256 + "/"));
  CHECK(link.ends_with("/___ro_se.png"));
  const auto response = stage.answer(Stage::path(link));
  CHECK(response.status == 200);
  CHECK(response.content_type == "image/png");
  CHECK(response.body == png);
  CHECK(header(response, "X-Content-Type-Options") == "nosniff");
  CHECK(header(response, "Content-Security-Policy") == "default-src 'none'; sandbox");
  CHECK(header(response, "Content-Disposition") == "inline; filename=\"___ro_se.png\"");
  CHECK(stage.answer(Stage::path(link), "", "POST").status == 405);
  CHECK(stage.answer(Stage::path(link), "", "HEAD").bytes == png.size());
}

TEST_CASE("What a browser would run is only to be saved") {
  Stage stage;
  const auto kept = stage.kept(romeo, {"<script>alert(1)</script>"});
  const auto response = stage.answer(Stage::path(stage.store.link(romeo, *kept, "page.html")));
  CHECK(response.content_type == "application/octet-stream");
  CHECK(header(response, "Content-Disposition") == "attachment; filename=\"page.bin\"");
}

TEST_CASE("Nobody opens a file without its link") {
  Stage stage;
  const auto kept = stage.kept(romeo, {png});
  const std::string path = Stage::path(stage.store.link(romeo, *kept, "a"));
  std::string other = path;
  other[std::string("/files/").size()] = '8';  // another account's
  const std::string code = path.substr(path.find(kept->sha256) + 65, 32);
  for (const std::string& target :
       {other, "/files/7/" + kept->sha256 + "//a", "/files/7/" + kept->sha256 + "/" + std::string(32, '0') + "/a",
        std::string("/files/"), "/files/../../etc/passwd/" + code + "/a", "/files/7/" + kept->sha256})
    CHECK(stage.answer(target).status == 404);
  CHECK(stage.answer(path + "?x").status == 200);
}

TEST_CASE("A file that is too large, or does not come to its end, leaves nothing") {
  FileLimits limits;
  limits.file_bytes = 1 << 20;
  Stage stage(limits);
  const auto refused = stage.kept(romeo, {std::string(1 << 20, 'x'), "x"});
  CHECK(refused.error().text == "It is larger than 1 MB.");
  auto begun = [&]() -> asio::awaitable<void> {
    auto file = co_await stage.store.begin(romeo);
    REQUIRE(file.has_value());
    const auto written = co_await (*file)->write("half");
    CHECK(written.has_value());
  };
  tests::run(stage.loop, begun());
  CHECK(stage.folder.files() == 0);
}

TEST_CASE("An account's oldest files give way to its newest; others' stay") {
  FileLimits limits;
  limits.file_bytes = 100;
  limits.account_bytes = 250;
  Stage stage(limits);
  const base::Time now = base::from_milliseconds(1'800'000'000'000);
  stage.sweep(now);
  const auto first = stage.kept(romeo, {std::string(90, 'a')}), others = stage.kept(juliet, {std::string(90, 'a')});
  stage.sweep(now + std::chrono::hours(1));
  stage.kept(romeo, {std::string(90, 'b')});
  const auto third = stage.kept(romeo, {std::string(90, 'c')});
  CHECK(stage.answer(Stage::path(stage.store.link(romeo, *first, ""))).status == 404);
  CHECK(stage.answer(Stage::path(stage.store.link(romeo, *third, ""))).status == 200);
  CHECK(stage.answer(Stage::path(stage.store.link(juliet, *others, ""))).status == 200);
}

TEST_CASE("What was kept for long enough goes, by the age clock alone; so does what an earlier run did not finish") {
  Stage stage;
  const base::Time now = base::from_milliseconds(1'800'000'000'000);
  stage.sweep(now);
  const auto kept = stage.kept(romeo, {png});
  std::ofstream(stage.folder.path / "7" / "part-0011-2233") << "half";
  CHECK(stage.folder.files() == 2);
  stage.sweep(now + std::chrono::hours(29 * 24));
  CHECK(stage.folder.files() == 1);
  CHECK(stage.answer(Stage::path(stage.store.link(romeo, *kept, ""))).status == 200);
  stage.sweep(now + std::chrono::hours(31 * 24));
  CHECK(stage.folder.files() == 0);
  CHECK(stage.answer(Stage::path(stage.store.link(romeo, *kept, ""))).status == 404);
}

TEST_CASE("An account's files go with it") {
  Stage stage;
  stage.kept(romeo, {png});
  stage.kept(juliet, {png});
  stage.store.forget(romeo);
  stage.kept(juliet, {"more"});  // after that
  CHECK(stage.folder.files() == 2);
}

TEST_CASE("A disk that takes nothing is said to be one") {
  Stage stage;
  std::ofstream(stage.folder.path) << "a file where the folder should be";
  CHECK(stage.kept(romeo, {png}).error().text == "The gateway cannot keep files just now.");
}

TEST_CASE("A file that is being written does not give way to another") {
  FileLimits limits;
  limits.file_bytes = 100;
  limits.account_bytes = 150;
  Stage stage(limits);
  auto work = [&]() -> asio::awaitable<void> {
    auto a = co_await stage.store.begin(romeo);
    const auto w = co_await (*a)->write(std::string(60, 'a'));
    CHECK(w.has_value());
    auto b = co_await stage.store.begin(romeo);
    const auto kept = co_await (*a)->keep();
    CHECK(kept.has_value());
  };
  tests::run(stage.loop, work());
}

TEST_CASE("Several at once stay within the account's room") {
  FileLimits limits;
  limits.file_bytes = 100;
  limits.account_bytes = 100;
  Stage stage(limits);
  auto work = [&]() -> asio::awaitable<void> {
    std::vector<std::unique_ptr<FileStore::NewFile>> files;
    for (int i = 0; i < 8; ++i) {
      auto begun = co_await stage.store.begin(romeo);
      files.push_back(std::move(*begun));
    }
    std::string text(100, 'a');
    for (auto& file : files) {
      const auto w = co_await file->write(text);
      ++text[0];
      const auto k = co_await file->keep();
    }
  };
  tests::run(stage.loop, work());
  CHECK(stage.folder.files() == 1);
}

TEST_CASE("What is being written goes by no sweep, wherever the time of day is") {
  Stage stage;
  auto work = [&]() -> asio::awaitable<void> {
    auto a = co_await stage.store.begin(romeo);
    const auto w = co_await (*a)->write("half");
    co_await stage.store.sweep(base::from_milliseconds(1'900'000'000'000));  // 2030
    const auto kept = co_await (*a)->keep();
    CHECK(kept.has_value());
  };
  tests::run(stage.loop, work());
}

TEST_CASE("A document keeps its ending") {
  Stage stage;
  const auto kept = stage.kept(romeo, {std::string("PK\x03\x04 a document")});
  const std::string link = stage.store.link(romeo, *kept, "report.docx");
  CAPTURE(link);
  CHECK(link.ends_with("/report.docx"));
}

TEST_CASE("HEAD knows no ranges (RFC 9110 §14.2)") {
  Stage stage;
  const auto kept = stage.kept(romeo, {png});
  CHECK(stage.answer(Stage::path(stage.store.link(romeo, *kept, "a")), "bytes=0-4", "HEAD").status == 200);
}

TEST_CASE("Nothing is kept of an account that is gone, nor begun for it") {
  Stage stage;
  auto work = [&]() -> asio::awaitable<void> {
    auto a = co_await stage.store.begin(romeo);
    stage.store.forget(romeo);
    const auto w = co_await (*a)->write("x");
    const auto kept = co_await (*a)->keep();
  };
  tests::run(stage.loop, work());
}

TEST_CASE("A file that came before the first sweep is as old as the age clock says") {
  Stage stage;
  const base::Time age = std::chrono::system_clock::now() + std::chrono::hours(40 * 24);
  stage.store.set_age_time(age);
  const auto kept = stage.kept(romeo, {png});
  stage.sweep(age);
  CHECK(stage.answer(Stage::path(stage.store.link(romeo, *kept, ""))).status == 200);
}

TEST_CASE("What is cancelled while it is written waits for the disk, and leaves nothing") {
  Stage stage;
  auto write = [](FileStore::NewFile& file) -> asio::awaitable<void> {
    for (;;) {
      const auto written = co_await file.write(std::string(1000, 'x'));
      if (!written) co_return;
    }
  };
  auto work = [&]() -> asio::awaitable<void> {
    base::TaskGroup group(stage.loop.get_executor());
    std::vector<std::unique_ptr<FileStore::NewFile>> files;
    for (int i = 0; i < 12; ++i) {
      auto begun = co_await stage.store.begin(romeo);
      files.push_back(std::move(*begun));
      group.spawn("write", write(*files.back()));
    }
    co_await base::sleep(std::chrono::milliseconds(20));
    co_await group.end();
  };
  tests::run(stage.loop, work());
  CHECK(stage.folder.files() == 0);
}
