// Files that a connector fetches before their message is published: the order of a chat, and what does not come.
#include "gateway/files/arrivals.hpp"

#include "gateway/base/text.hpp"
#include "gateway/base/within.hpp"
#include "tests/support/run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include <filesystem>

using namespace wherry;
using namespace wherry::files;
using connector::MessageReceived;

namespace {

const base::AccountId romeo{7};

MessageReceived message(const char* contact, const char* id, const char* handle = "") {
  MessageReceived received;
  received.chat = received.sender = base::ContactId{contact};
  received.id.value = id;
  if (*handle) received.content.files.push_back({"", "", 0, "rose.png"});
  if (*handle) received.content.files.back().handle = handle;
  return received;
}

// Gives a file when it is let.
struct Network final : connector::Session {
  explicit Network(asio::io_context& loop) : let(loop.get_executor()) {}
  asio::awaitable<void> run() override { co_return; }
  asio::awaitable<base::Result<connector::Receipt>> perform(connector::Action) override {
    co_return connector::Receipt{};
  }
  connector::Capabilities capabilities(const connector::ChatId&) const override { return {}; }
  asio::awaitable<base::Result<void>> fetch(std::string handle, connector::FileSink& sink) override {
    while (is_held) co_await let.wait();
    if (handle == "broken") throw std::runtime_error("the link has broken");
    if (handle == "gone") co_return base::Error{base::Errc::not_found, "It is gone.", {}};
    co_return co_await sink.write("GIF89a" + handle);
  }
  bool is_held = false;
  base::Signal let;
};

struct Stage {
  Stage() : session(std::make_shared<Network>(loop)) {}
  ~Stage() { std::filesystem::remove_all(folder); }

  asio::awaitable<void> publish(MessageReceived received) {
    connector::Event event = std::move(received);
    std::unique_ptr<Arrivals::Place> place;
    if (arrivals.concerns(romeo, event)) {
      place = co_await arrivals.enter(romeo, event);
      co_await arrivals.bring(romeo, session, *connector::content_of(event));
    }
    published.push_back(std::move(std::get<MessageReceived>(event)));
  }
  void begin(MessageReceived received) { asio::co_spawn(loop, publish(std::move(received)), asio::detached); }
  std::string order() const {
    std::string ids;
    for (const MessageReceived& it : published) ids += it.id.value;
    return ids;
  }
  void until(std::size_t count) {
    auto wait = [this, count]() -> asio::awaitable<void> {
      while (published.size() < count) co_await base::sleep(std::chrono::milliseconds(1));
    };
    tests::run(loop, wait());
  }

  asio::io_context loop;
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("wherry-arrivals-" + base::random_hex(6));
  FileStore store{{folder, "https://x.test", {}, {}}};
  Arrivals arrivals{loop.get_executor(), &store};
  std::shared_ptr<Network> session;
  std::vector<MessageReceived> published;
};

}  // namespace

TEST_CASE("What comes after a file in its chat waits for it, and nothing else does") {
  Stage stage;
  stage.session->is_held = true;
  stage.begin(message("nurse", "1", "rose"));
  stage.begin(message("nurse", "2"));
  stage.begin(message("nurse", "3", "thorn"));
  stage.begin(message("nurse", "4"));
  stage.begin(message("tybalt", "5"));
  stage.until(1);
  CHECK(stage.order() == "5");
  stage.session->is_held = false;
  stage.session->let.notify();
  stage.until(5);
  CHECK(stage.order() == "51234");
  CHECK_FALSE(stage.arrivals.concerns(romeo, message("nurse", "6")));
  const connector::File& file = stage.published[1].content.files.at(0);
  CHECK(file.url.starts_with("https://x.test/files/7/"));
  CHECK(file.media_type == "image/gif");
  CHECK(file.handle.empty());
  CHECK(file.bytes == 10);
}

TEST_CASE("Of a file that does not come the text says so, and why") {
  Stage stage;
  for (const char* handle : {"gone", "broken"}) stage.begin(message("nurse", handle, handle));
  stage.until(2);
  CHECK(stage.published[0].content.text ==
        "(A file came with this: rose.png, but could not be brought here. It is gone.)");
  CHECK(stage.published[1].content.text ==
        "(A file came with this: rose.png, but could not be brought here. It could not be fetched.)");
  CHECK(stage.published[0].content.files.empty());
  CHECK(std::filesystem::is_empty(stage.folder / "7"));
}

TEST_CASE("A gateway without a public address says that it can give no files out") {
  Stage stage;
  Arrivals nowhere(stage.loop.get_executor(), nullptr);
  connector::Content content = message("nurse", "1", "rose").content;
  tests::run(stage.loop, nowhere.bring(romeo, stage.session, content));
  CHECK(content.text.find("http.public_url") != std::string::npos);
  connector::Content other = message("nurse", "1", "rose").content;
  tests::run(stage.loop, stage.arrivals.bring(romeo, nullptr, other));
  CHECK(other.text.find("The network was not connected.") != std::string::npos);
}
