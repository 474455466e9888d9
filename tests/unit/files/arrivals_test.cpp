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
    if (handle == "later" && ++asked < 2) co_return base::Error{base::Errc::unavailable, "Not now.", {}};
    if (handle == "gone") co_return base::Error{base::Errc::not_found, "It is gone.", {}};
    co_return co_await sink.write("GIF89a" + handle);
  }
  bool is_held = false;
  int asked = 0;
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
      Arrivals::Sessions now = [this] { return is_up ? session : nullptr; };
      co_await arrivals.bring(romeo, std::move(now), *connector::content_of(event));
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
  bool is_up = true;
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
  stage.begin(message("nurse", "gone", "gone"));
  stage.until(1);
  CHECK(stage.published[0].content.text ==
        "(A file came with this: rose.png, but could not be brought here. It is gone.)");
  CHECK(stage.published[0].content.files.empty());
  CHECK(std::filesystem::is_empty(stage.folder / "7"));
}

TEST_CASE("What is not to be had at that moment is tried again") {
  Stage stage;
  stage.is_up = false;
  stage.begin(message("nurse", "1", "later"));
  tests::run(stage.loop, base::sleep(std::chrono::milliseconds(10)));
  CHECK(stage.published.empty());
  stage.is_up = true;
  stage.until(1);
  CHECK(stage.session->asked == 2);
  CHECK(stage.published[0].content.files.size() == 1);
}

TEST_CASE("An account's files that do not come leave room for those of others") {
  Stage stage;
  stage.session->is_held = true;
  for (const char* id : {"1", "2", "3", "4"}) stage.begin(message(id, id, "held"));
  tests::run(stage.loop, base::sleep(std::chrono::milliseconds(50)));
  auto juliets = std::make_shared<Network>(stage.loop);
  connector::Content content = message("nurse", "5", "rose").content;
  Arrivals::Sessions session = [juliets] { return juliets; };
  tests::run(stage.loop, stage.arrivals.bring(base::AccountId{8}, session, content));
  CHECK(content.files.size() == 1);
  stage.session->is_held = false;
  stage.session->let.notify();
  stage.until(4);
}

TEST_CASE("So much of a chat waits for a file, and the rest the network brings again") {
  Stage stage;
  stage.session->is_held = true;
  for (std::size_t i = 0; i < Arrivals::most_waiting; ++i) stage.begin(message("nurse", "1", "rose"));
  CHECK_THROWS(tests::run(stage.loop, stage.publish(message("nurse", "2"))));
  stage.session->is_held = false;
  stage.session->let.notify();
  stage.until(Arrivals::most_waiting);
}

TEST_CASE("Of too many files of a message as many come as people look at") {
  Stage stage;
  connector::Content content;
  for (int i = 0; i < 40; ++i) content.files.push_back({"https://x.test/" + std::to_string(i), "", 0});
  Arrivals::Sessions none = [] { return nullptr; };
  tests::run(stage.loop, stage.arrivals.bring(romeo, none, content));
  CHECK(content.files.size() == 32);
  CHECK(content.text == "(8 more files came with this; so many cannot be brought here.)");
}

TEST_CASE("Nothing is kept of an account that went while its files came") {
  Stage stage;
  stage.session->is_held = true;
  MessageReceived two = message("nurse", "1", "rose");
  two.content.files.push_back(two.content.files.front());
  two.content.files.back().handle = "thorn";
  stage.begin(std::move(two));
  tests::run(stage.loop, base::sleep(std::chrono::milliseconds(50)));
  stage.store.forget(romeo);
  stage.session->is_held = false;
  stage.session->let.notify();
  stage.until(1);
  CHECK(stage.published[0].content.files.empty());
  CHECK((!std::filesystem::exists(stage.folder / "7") || std::filesystem::is_empty(stage.folder / "7")));
}

TEST_CASE("A gateway without a public address says that it can give no files out") {
  Stage stage;
  Arrivals nowhere(stage.loop.get_executor(), nullptr);
  connector::Content content = message("nurse", "1", "rose").content;
  Arrivals::Sessions session = [&] { return stage.session; };
  tests::run(stage.loop, nowhere.bring(romeo, session, content));
  CHECK(content.text.find("files.folder") != std::string::npos);
  FileStore hidden({stage.folder, "", {}, {}});
  Arrivals unreachable(stage.loop.get_executor(), &hidden);
  connector::Content other = message("nurse", "1", "rose").content;
  tests::run(stage.loop, unreachable.bring(romeo, session, other));
  CHECK(other.text.find("http.public_url") != std::string::npos);
}
