// What a configuration file is read as. What is refused, and in which words, is tests/corpus/configurations.
#include "gateway/config/config.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace wherry;
using namespace wherry::config;
namespace fs = std::filesystem;
using std::chrono::seconds;

namespace {

// A folder of its own, without the environment that would change what is read.
struct Folder {
  Folder() : path(fs::temp_directory_path() / ("wherry-config-test-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
    for (const char* name : {"WHERRY_CONNECTORS", "WHERRY_MIGRATIONS", "WHERRY_KEY"}) ::unsetenv(name);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, const std::string& content) const { std::ofstream(path / name) << content; }
  Config read(const std::string& toml) const {
    write("wherry.toml", toml);
    auto config = read_config(path / "wherry.toml");
    REQUIRE((config ? "" : config.error().text) == "");
    return std::move(*config);
  }
  fs::path path;
};

const std::string least = R"(
[[transport]]
domain = "sms.example.org"
connector = "echo"
server = { secret = "s" }
)";

std::string content_of(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

}  // namespace

TEST_CASE("every key of the example is read") {
  const Folder folder;
  folder.write("component-secret", "  a secret\n");  // as systemd puts it there
  ::setenv("CREDENTIALS_DIRECTORY", folder.path.c_str(), 1);
  const Config config = folder.read(content_of(fs::path(WHERRY_SOURCE_DIR) / "deploy/wherry.example.toml"));
  ::unsetenv("CREDENTIALS_DIRECTORY");

  CHECK(config.file == folder.path / "wherry.toml");
  CHECK(config.store.url == "sqlite:/var/lib/wherry/wherry.db");
  CHECK(config.store.key_file == "/var/lib/wherry/key");
  CHECK(config.store.kept.reports == std::chrono::hours(14 * 24));
  CHECK(config.store.kept.seen == std::chrono::hours(7 * 24));
  CHECK(config.store.kept.undelivered == std::chrono::hours(30 * 24));
  CHECK(config.http.listen.address().to_string() == "127.0.0.1");
  CHECK(config.http.listen.port() == 8080);
  CHECK(config.http.public_url == "https://sms.example.org");
  CHECK(config.log.level == base::log::Level::info);
  CHECK(config.log.format == base::log::Format::text);

  REQUIRE(config.transports.size() == 1);
  const TransportEntry& entry = config.transports[0];
  CHECK(entry.where == "transport[0]");
  CHECK(entry.connector == "sms");
  CHECK(entry.child.empty());
  CHECK(entry.transport.name == "Text messages");
  CHECK(entry.transport.policy == store::AccountPolicy::always_on);
  CHECK(entry.transport.outbox.deadline == seconds(86400));
  CHECK(entry.transport.outbox.waiting_per_account == 5000);

  const xmpp::ComponentConfig& link = entry.transport.link;
  CHECK(link.domain.str() == "sms.example.org");
  CHECK(link.host == "127.0.0.1");
  CHECK(link.port == 5347);
  CHECK(link.server.str() == "example.org");
  CHECK(link.secret.reveal() == "a secret");
  CHECK(link.idle_before_ping == seconds(30));
  CHECK(link.ping_limit == seconds(20));

  CHECK(entry.transport.registration.domains == std::vector<std::string>{"example.org"});
  CHECK(entry.transport.registration.jids == std::vector<std::string>{"friend@elsewhere.example"});

  auto own = nlohmann::json::parse(R"({"region":"US",
    "numbers":[{"number":"+14155550100","carrier":"main","users":["juliet@example.org"],"pool":false}],
    "carriers":[{"name":"main","type":"smpp","host":"127.0.0.1","port":2775,"system_id":"wherry"}]})");
  own["carriers"][0]["password_file"] = (folder.path / "smpp-password").string();
  CHECK(entry.configuration == own);
}

TEST_CASE("every key of the example can have another value") {
  const Folder folder;
  ::setenv("WHERRY_KEY", "in the environment", 1);
  const Config config = folder.read(R"(
connectors_folder = "plugins"
migrations_folder = "/opt/migrations"
store = { url = "postgresql://wherry@db/wherry" }
http = { listen = "[::1]:0", public_url = "http://sms.example.org:8080/in//" }
log = { level = "debug", format = "json" }

[[transport]]
domain = "SMS.Bücher.example"
name = "Texts"
child = ["python3", "echo.py"]
policy = "follow_presence"
give_up_after_seconds = 1
most_waiting_per_user = 1000000
server = { host = "xmpp.internal", port = 65535, domain = "xmpp.example", secret = "${HOME}/${HOME}", idle_seconds = 3600, ping_seconds = 600 }
register = { domains = [], jids = ["Romeo@Example.org/orchard"] }
configuration = { text = "t", number = -3, truth = true, share = 0.5, list = [1, "two", [3]], table = { deep = { deeper = 1 } } }

[[transport]]
domain = "im.example.org"
connector = "echo"
server.secret = "s"
)");
  ::unsetenv("WHERRY_KEY");

  CHECK(config.connectors_folder == folder.path / "plugins");
  CHECK(config.migrations_folder == "/opt/migrations");
  CHECK(config.store.url == "postgresql://wherry@db/wherry");
  CHECK(config.store.key_file.empty());
  CHECK(config.http.listen.address().to_string() == "::1");
  CHECK(config.http.listen.port() == 0);
  CHECK(config.http.public_url == "http://sms.example.org:8080/in");
  CHECK(config.log.level == base::log::Level::debug);
  CHECK(config.log.format == base::log::Format::json);

  REQUIRE(config.transports.size() == 2);
  const TransportEntry& entry = config.transports[0];
  CHECK(entry.transport.link.domain.str() == "sms.bücher.example");
  CHECK(entry.transport.name == "Texts");
  CHECK(entry.connector.empty());
  CHECK(entry.child == std::vector<std::string>{"python3", "echo.py"});
  CHECK(entry.transport.policy == store::AccountPolicy::follow_presence);
  CHECK(entry.transport.outbox.deadline == seconds(1));
  CHECK(entry.transport.outbox.waiting_per_account == 1000000);
  CHECK(entry.transport.link.host == "xmpp.internal");
  CHECK(entry.transport.link.port == 65535);
  CHECK(entry.transport.link.server.str() == "xmpp.example");
  const std::string home = std::getenv("HOME");
  CHECK(entry.transport.link.secret.reveal() == home + "/" + home);
  CHECK(entry.transport.link.idle_before_ping == seconds(3600));
  CHECK(entry.transport.link.ping_limit == seconds(600));
  CHECK(entry.transport.registration.domains.empty());
  CHECK(entry.transport.registration.jids == std::vector<std::string>{"romeo@example.org"});
  CHECK(entry.configuration ==
        nlohmann::json::parse(
            R"({"text":"t","number":-3,"truth":true,"share":0.5,"list":[1,"two",[3]],"table":{"deep":{"deeper":1}}})"));
  CHECK(config.transports[1].where == "transport[1]");
}

TEST_CASE("what is not given has its default") {
  const Folder folder;
  const Config config = folder.read(least);
  CHECK(config.store.url == "sqlite:" + (folder.path / "wherry.db").string());
  CHECK(config.store.key_file == folder.path / "wherry.db.key");
  CHECK(config.http.listen.address().to_string() == "127.0.0.1");
  CHECK(config.http.listen.port() == 0);
  CHECK(config.http.public_url.empty());
  const fs::path build(WHERRY_BUILD_DIR);  // this program stands in it as wherry does: in a folder of its own
  CHECK(config.connectors_folder == build / "lib/wherry/connectors");
  CHECK(config.migrations_folder == build / "share/wherry/migrations");
  const TransportEntry& entry = config.transports.at(0);
  CHECK(entry.transport.link.host == "127.0.0.1");
  CHECK(entry.transport.link.port == 5347);
  CHECK(entry.transport.link.server.str() == "example.org");  // the component's domain without its first label
  CHECK(entry.transport.registration.domains == std::vector<std::string>{"example.org"});
  CHECK(entry.transport.registration.jids.empty());
  CHECK(entry.transport.policy == store::AccountPolicy::always_on);
  CHECK(entry.configuration == nlohmann::json::object());
}

TEST_CASE("paths are relative to the file, a connector's too, and the environment names two folders over it") {
  const Folder folder;
  folder.write("secret", "s");
  ::setenv("WHERRY_CONNECTORS", "/built/connectors", 1);
  const Config config = folder.read(R"(
connectors_folder = "plugins"
migrations_folder = "migrations"
store = { url = "sqlite:data/wherry.db", key_file = "keys/key" }
[[transport]]
domain = "sms.example.org"
connector = "echo"
server = { secret_file = "secret" }
configuration = { password_file = "passwords/smpp", empty_file = "", carriers = [{ key_file = "/etc/key", profile = "a/b" }] }
)");
  ::unsetenv("WHERRY_CONNECTORS");
  CHECK(config.connectors_folder == "/built/connectors");
  CHECK(config.migrations_folder == folder.path / "migrations");
  CHECK(config.store.url == "sqlite:" + (folder.path / "data/wherry.db").string());
  CHECK(config.store.key_file == folder.path / "keys/key");
  CHECK(config.transports.at(0).transport.link.secret.reveal() == "s");
  const auto& own = config.transports.at(0).configuration;
  CHECK(own["password_file"] == (folder.path / "passwords/smpp").string());
  CHECK(own["empty_file"] == "");
  CHECK(own["carriers"][0]["key_file"] == "/etc/key");
  CHECK(own["carriers"][0]["profile"] == "a/b");  // only a key in _file says that it is one
}

TEST_CASE("A child's command names files relative to the file's folder, and programs of PATH by their name alone") {
  const Folder folder;
  for (const char* name : {"pigeon.py", "python3", "run"}) folder.write(name, "");
  const auto command = [&](const std::string& words) {
    return folder.read("[[transport]]\ndomain = \"p.example.org\"\nserver.secret = \"s\"\nchild = [" + words + "]\n")
        .transports.at(0)
        .child;
  };
  const auto whole = [&](const char* name) { return (folder.path / name).string(); };
  CHECK(command(R"("python3", "pigeon.py", "-v")") == std::vector<std::string>{"python3", whole("pigeon.py"), "-v"});
  CHECK(command(R"("./run", "elsewhere.py")") == std::vector<std::string>{whole("./run"), "elsewhere.py"});
  CHECK(command(R"("python3", "/opt/pigeon.py")") == std::vector<std::string>{"python3", "/opt/pigeon.py"});
}

TEST_CASE("${NAME} is the environment's, wherever a text stands") {
  const Folder folder;
  ::setenv("CORPUS_A", "romeo", 1);
  ::setenv("CORPUS_EMPTY", "", 1);
  const Config config = folder.read(R"(
[[transport]]
domain = "sms.example.org"
connector = "echo"
server = { secret = "a${CORPUS_EMPTY}b$c{d}" }
register = { jids = ["${CORPUS_A}@example.org"] }
configuration = { user = "${CORPUS_A}", list = ["${CORPUS_A}${CORPUS_A}"] }
)");
  const TransportEntry& entry = config.transports.at(0);
  CHECK(entry.transport.link.secret.reveal() == "ab$c{d}");
  CHECK(entry.transport.registration.jids.at(0) == "romeo@example.org");
  CHECK(entry.configuration == nlohmann::json::parse(R"({"user":"romeo","list":["romeoromeo"]})"));
}

TEST_CASE("what two configurations differ in is told by the paths of the keys") {
  const Folder folder;
  const auto source = [&](const std::string& more) { return folder.read(least + more).source; };
  CHECK(changes(source(""), source("")).empty());
  CHECK(changes(source(""), source("register = { jids = [\"a@b.c\"] }\npolicy = \"follow_presence\"\n")) ==
        std::vector<std::string>{"transport[0].policy", "transport[0].register"});
  CHECK(changes(source("register.jids = []\n"), source("register.jids = [\"a@b.c\"]\n")) ==
        std::vector<std::string>{"transport[0].register.jids"});
  CHECK(changes(source(""),
                source("[[transport]]\ndomain = \"b.test\"\nconnector = \"echo\"\nserver.secret = \"s\"\n")) ==
        std::vector<std::string>{"transport"});
}

TEST_CASE("what was not taken over counts as it was, so that it is told again") {
  const nlohmann::json old = {{"log", {{"level", "info"}}}, {"store", {{"url", "a"}}}, {"list", {{{"x", 1}}}}};
  const nlohmann::json now = {{"log", {{"level", "debug"}}}, {"http", {{"listen", "b"}}}, {"list", {{{"x", 2}}}}};
  CHECK(with_left(old, now, {"store", "http", "list[0].x"}) ==
        nlohmann::json{{"log", {{"level", "debug"}}}, {"store", {{"url", "a"}}}, {"list", {{{"x", 1}}}}});
}

TEST_CASE("every mistake is told, each with its line, in their order") {
  const Folder folder;
  folder.write("wherry.toml", "[log]\nlevel = \"loud\"\nfromat = \"text\"\n[[transport]]\ndomain = \"x.test\"\n");
  const auto config = read_config(folder.path / "wherry.toml");
  REQUIRE_FALSE(config.has_value());
  const std::string at = (folder.path / "wherry.toml").string() + ": line ";
  CHECK(config.error().text ==
        at + "2: log.level: must be one of debug, info, warn, error\n" + at +
            "3: log.fromat: there is no such key; did you mean format?\n" + at +
            "4: transport[0].server.secret: is missing: the component's secret, as in the server's configuration; or "
            "secret_file\n" +
            at + "4: transport[0].connector: give either connector (a name) or child (a command)");
}

TEST_CASE("what shows to be wrong later is located: the key's line, or the line of the table that lacks it") {
  const Folder folder;
  const Config config = folder.read(R"([store]
url = "sqlite:a.db"
[[transport]]
domain = "sms.example.org"
connector = "echo"
server.secret = "s"
[[transport.configuration.carriers]]
name = "a"
[[transport.configuration.carriers]]
name = "b"
)");
  const auto located = [&](const std::string& text) { return locate(config, {base::Errc::bad_input, text}).text; };
  const std::string file = config.file.string();
  CHECK(located("store.url: cannot be opened") == file + ": line 2: store.url: cannot be opened");
  CHECK(located("transport[0].configuration.carriers[1].name: is taken") ==
        file + ": line 10: transport[0].configuration.carriers[1].name: is taken");
  CHECK(located("transport[0].configuration.carriers[1].host: is missing") ==
        file + ": line 9: transport[0].configuration.carriers[1].host: is missing");
  CHECK(located("http.listen: in use") == file + ": http.listen: in use");  // by default, so nowhere in the file
}
