#include "gateway/conformance/watched_process.hpp"

#include "gateway/base/text.hpp"
#include "gateway/child/values.hpp"
#include "gateway/conformance/promise.hpp"
#include "gateway/connector/json_text.hpp"

#include <algorithm>
#include <utility>

namespace wherry::conformance {

namespace {

using nlohmann::json;

constexpr std::size_t most_shown = 120;

// JSON-RPC 2.0 §5.1; the code in `data` is one of connectors/README.md §7.
std::string mistake_in_error(const json& error) {
  if (!error.is_object()) return "error: must be an object";
  if (!child::member(error, "code").is_number_integer()) return "error.code: must be a whole number, like -32000";
  if (!child::member(error, "message").is_string()) return "error.message: must be a text";
  const json& word = child::member(child::member(error, "data"), "code");
  if (!word.is_string())
    return "error.data.code: must be one of the codes of connectors/README.md §7, like \"not_found\"";
  if (!base::parse_errc(word.get<std::string>()))
    return "error.data.code: " + word.get<std::string>() + " is none of the codes of connectors/README.md §7";
  return {};
}

// Rooms are declared, and not carried yet: what is published for one is refused, and no mistake.
bool is_for_room(const json& params) {
  const json& chat = child::member(child::member(params, "event"), "chat");
  return chat.is_string() && chat.get_ref<const std::string&>().starts_with("r:");
}

std::string mistake_in_request(const std::string& method, const json& params) {
  const auto text_of = [](const auto& read) { return read ? std::string() : read.error().text; };
  if (method == "publish") return is_for_room(params) ? std::string() : text_of(child::parse_published(params));
  if (method == "ask") return text_of(child::parse_form(child::member(params, "form")));
  if (method == "store_write") return text_of(child::parse_entries(child::member(params, "entries")));
  if (method == "log" && !child::parse_log_line(params)) return "text: must be a text";
  const bool is_known = method == "log" || method == "fetched" || method == "store_read";
  return is_known ? std::string() : "the gateway has no such method";
}

class WatchedProcess final : public net::LineProcess {
 public:
  WatchedProcess(std::unique_ptr<net::LineProcess> process, Record& record)
      : process_(std::move(process)), record_(record) {
    record_.pid = process_->pid();
    record_.code.reset();
  }

  asio::awaitable<std::optional<std::string>> read_line() override {
    auto line = co_await process_->read_line();
    if (!line) co_return line;
    note(mistake_in(*line));
    if (++lines_ > most_lines) {
      throw Broken("it floods: more than " + std::to_string(most_lines) +
                   " lines came on its standard output. Write only what the protocol asks for.");
    }
    co_return line;
  }
  void write_line(std::string line) override { process_->write_line(std::move(line)); }
  bool replace_line(std::uint64_t begin, std::string_view line) override { return process_->replace_line(begin, line); }
  asio::awaitable<void> wait_room(std::size_t most_waiting) override { return process_->wait_room(most_waiting); }
  void abandon() override { process_->abandon(); }
  std::uint64_t appended() const override { return process_->appended(); }
  std::uint64_t taken() const override { return process_->taken(); }
  asio::awaitable<int> stop(std::chrono::milliseconds grace) override {
    const int code = co_await process_->stop(grace);
    record_.code = code;
    co_return code;
  }
  int pid() const override { return process_->pid(); }

 private:
  void note(std::string mistake) {
    auto& kept = record_.mistakes;
    if (mistake.empty() || kept.size() >= most_mistakes) return;
    if (std::find(kept.begin(), kept.end(), mistake) == kept.end()) kept.push_back(std::move(mistake));
  }

  const std::unique_ptr<net::LineProcess> process_;
  Record& record_;
  std::size_t lines_ = 0;
};

}  // namespace

std::string excerpt(std::string_view line) {
  std::string shown(base::utf8_prefix(line, most_shown));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return "“" + shown + (shown.size() < line.size() ? "…”" : "”");
}

std::string mistake_in(std::string_view line) {
  const auto message = connector::parse_json(line);
  if (!message || !message->is_object()) return "the line " + excerpt(line) + " is no JSON object";
  if (child::member(*message, "jsonrpc") != "2.0") return "the line " + excerpt(line) + " has no \"jsonrpc\": \"2.0\"";
  if (message->contains("error")) {
    const std::string mistake = mistake_in_error(message->at("error"));
    return mistake.empty() ? mistake : "the answer " + excerpt(line) + ": " + mistake;
  }
  const json& method = child::member(*message, "method");
  if (!method.is_string()) return {};
  const std::string name = method.get<std::string>();
  const std::string mistake = mistake_in_request(name, child::member(*message, "params"));
  return mistake.empty() ? mistake : "`" + std::string(base::utf8_prefix(name, 40)) + "`: " + mistake;
}

child::StartProcess watched(Record& record) {
  return
      [&record](asio::any_io_executor executor, std::vector<std::string> command, std::vector<std::string> environment,
                std::size_t most_line_bytes) -> base::Result<std::unique_ptr<net::LineProcess>> {
        auto started = net::LineProcess::start(executor, std::move(command), std::move(environment), most_line_bytes);
        if (!started) return started.error();
        return std::unique_ptr<net::LineProcess>(std::make_unique<WatchedProcess>(std::move(*started), record));
      };
}

}  // namespace wherry::conformance
