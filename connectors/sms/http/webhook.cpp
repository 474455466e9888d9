#include "connectors/sms/http/webhook.hpp"

#include "connectors/sms/http/api/values.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace wherry::sms::http {

namespace {

constexpr std::size_t most_body = 64 << 10;   // a text with ten files is 10 KiB
constexpr std::size_t most_shown_type = 100;  // of a Content-Type
constexpr std::chrono::seconds retry_webhook_after{5};
// A request and the looks for what became of it take no longer. Other programs' reports may come here, too.
constexpr std::chrono::minutes early_kept{10};
constexpr std::size_t most_early = 1000;

}  // namespace

WebhookServer::WebhookServer(const Provider& provider, connector::Services services, CarrierEvents& events,
                             Ledger& ledger, Reports& reports, Media& media,
                             std::function<void(const std::string&)> on_received)
    : provider_(provider),
      services_(services),
      events_(events),
      ledger_(ledger),
      reports_(reports),
      media_(media),
      on_received_(std::move(on_received)),
      idle_(services.executor) {
  const auto handler = [door = door_](net::ServerRequest request) { return enter(door, std::move(request)); };
  services_.webhooks.route(provider_.setting.webhook_path, handler);
  services_.webhooks.route(media_.path(), handler);
  if (!provider_.setting.webhook_secret.empty()) services_.webhooks.route(below_path(), handler);
}

WebhookServer::~WebhookServer() {
  close();
  services_.webhooks.route(provider_.setting.webhook_path, {});
  services_.webhooks.route(media_.path(), {});
  if (!provider_.setting.webhook_secret.empty()) services_.webhooks.route(below_path(), {});
}

void WebhookServer::open() {
  if (std::exchange(door_->open, this)) return;
  log::info(
      "http_carrier.webhook_opened",
      {{"carrier", provider_.setting.name},
       {"url", provider_.setting.public_url + provider_.setting.webhook_path}});  // its secret stays out of the log
}

void WebhookServer::close() { door_->open = nullptr; }

asio::awaitable<net::ServerResponse> WebhookServer::enter(std::shared_ptr<Door> door, net::ServerRequest request) {
  if (door->open) co_return co_await door->open->handle(std::move(request));
  co_return net::respond(503, "Not now; try again.\n", retry_webhook_after);
}

asio::awaitable<void> WebhookServer::join() {
  while (requests_ > 0) co_await idle_.wait();
}

asio::awaitable<net::ServerResponse> WebhookServer::handle(net::ServerRequest request) {
  struct Counted {
    explicit Counted(WebhookServer& s) : server(s) { ++server.requests_; }
    ~Counted() {
      if (--server.requests_ == 0) server.idle_.notify();
    }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    WebhookServer& server;
  };
  const Counted counted(*this);
  co_return co_await answer(std::move(request));
}

asio::awaitable<net::ServerResponse> WebhookServer::answer(net::ServerRequest request) {
  if (request.target.starts_with(media_.path())) co_return co_await media_.answer(std::move(request));
  const bool is_taken = request.method == "POST" || (request.method == "GET" && provider_.takes_get());
  if (!is_taken) co_return net::respond(405, provider_.takes_get() ? "Only GET and POST.\n" : "Only POST.\n");
  if (request.body.size() > most_body) co_return net::respond(413, "The body is too long.\n");
  const base::Time now = services_.clock.now();
  if (!provider_.is_genuine(request, now)) {
    refused_.write(log::Level::warn, "http_carrier.webhook_refused",
                   {{"carrier", provider_.setting.name}, {"bytes", request.body.size()}});
    co_return net::respond(403, "The signature does not fit.\n");
  }
  request.body = without_byte_order_mark(request.body);
  auto webhooks = provider_.read_webhook(request);
  const auto lacks_sender = [](const Webhook& webhook) {
    const auto* text = std::get_if<Message>(&webhook);
    return text && text->from.empty();
  };
  if (webhooks.empty()) {
    note_missed("http_carrier.webhook_not_understood", request);
    co_return net::respond(400, "This is neither a message nor a status.\n");
  }
  if (std::any_of(webhooks.begin(), webhooks.end(), lacks_sender))
    note_missed("http_carrier.webhook_incomplete", request);
  bool all_taken = true;
  for (Webhook& webhook : webhooks) {
    if (auto* text = std::get_if<Message>(&webhook)) {
      const bool taken = co_await take_text(std::move(*text));
      all_taken = all_taken && taken;
    } else {
      co_await take_report(std::move(std::get<Report>(webhook)));
    }
  }
  if (!all_taken) co_return net::respond(404, "Nobody has this number.\n");
  co_return provider_.acknowledgement();
}

// By which an operator sees what to describe otherwise. What a webhook says stays out of the log.
void WebhookServer::note_missed(std::string_view event, const net::ServerRequest& request) {
  const std::string type(base::utf8_prefix(request.header("content-type"), most_shown_type));
  not_understood_.write(log::Level::warn, event,
                        {{"carrier", provider_.setting.name},
                         {"method", request.method},
                         {"content_type", type},
                         {"bytes", request.body.size()},
                         {"missed", provider_.missed_in(request)}});
}

asio::awaitable<bool> WebhookServer::take_text(Message message) {
  media_.make_openable(message);
  IncomingText text = to_incoming(message, services_.clock.now());
  const bool taken = co_await events_.received(std::move(text));
  on_received_(message.id);
  co_return taken;
}

// A part is no whole: the connector hears of the text when the last part is delivered, or one has failed.
asio::awaitable<void> WebhookServer::take_part(std::shared_ptr<Record> record, Report report) {
  if (record->id.empty()) ledger_.learn(record, record->sought.ref);
  if (report.status.stage) note_part(record->parts, report.part, report.parts, *report.status.stage);
  record->is_stored = false;
  report.status.stage = fold(record->parts);
  if (report.status.stage) co_await reports_.settle(record, std::move(report.status));
  if (!record->is_stored) co_await ledger_.keep(record);  // before the service is answered: it tells of each part once
}

asio::awaitable<void> WebhookServer::take_report(Report report) {
  auto record = ledger_.find(report.ref);
  if (!record) record = ledger_.find_id(report.id);
  if (!record) {
    log::debug("http_carrier.status_of_unknown", {{"carrier", provider_.setting.name}, {"id", report.id}});
    keep_early(std::move(report));
    co_return;
  }
  if (report.id.empty()) report.id = record->id.empty() ? record->sought.ref : record->id;
  if (report.parts > 1) {
    co_await take_part(std::move(record), std::move(report));
    co_return;
  }
  ledger_.learn(record, report.id);
  // A second message for one text is logged by learn(), and does not speak for the first.
  if (record->id != report.id) co_return;
  co_await reports_.settle(record, std::move(report.status));
  if (!record->is_stored) co_await ledger_.keep(record);  // there was nothing to tell, and the id goes with no event
}

void WebhookServer::keep_early(Report report) {
  if (report.id.empty() || !ledger_.awaits_id()) return;
  const base::Time now = services_.clock.now();
  early_.push_back({std::move(report), now});
  while (early_.size() > most_early || early_.front().came + early_kept < now) early_.pop_front();
}

bool WebhookServer::has_early(std::string_view id) const {
  return std::any_of(early_.begin(), early_.end(), [&](const Early& early) { return early.report.id == id; });
}

asio::awaitable<void> WebhookServer::take_early(std::string id) {
  std::vector<Report> reports;
  for (Early& early : early_) {
    if (early.report.id == id) reports.push_back(std::move(early.report));
  }
  std::erase_if(early_, [](const Early& early) { return early.report.id.empty(); });
  for (Report& report : reports) co_await take_report(std::move(report));
}

}  // namespace wherry::sms::http
