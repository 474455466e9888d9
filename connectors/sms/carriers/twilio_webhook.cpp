#include "connectors/sms/carriers/twilio_webhook.hpp"

#include "connectors/sms/carriers/twilio_signature.hpp"
#include "gateway/base/log.hpp"
#include "gateway/base/text.hpp"

#include <utility>
#include <variant>

namespace wherry::sms::twilio {

namespace {

constexpr std::size_t kMostBody = 64 << 10;  // a text with ten files is 10 KiB

net::ServerResponse response(int status, std::string body) {
  net::ServerResponse r;
  r.status = status;
  r.body = std::move(body);
  return r;
}

// TwiML that does nothing.
net::ServerResponse done() {
  net::ServerResponse r;
  r.content_type = "text/xml; charset=utf-8";
  r.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>\n";
  return r;
}

}  // namespace

WebhookServer::WebhookServer(const Setting& setting, connector::Services services, CarrierEvents& events, Ledger& ledger, Reports& reports,
                             std::function<void(const std::string&)> on_received)
    : setting_(setting), services_(services), events_(events), ledger_(ledger), reports_(reports), on_received_(std::move(on_received)),
      idle_(services.executor) {}

void WebhookServer::open() {
  if (std::exchange(is_open_, true)) return;
  services_.webhooks.route(setting_.webhook_path, [this](net::ServerRequest request) { return handle(std::move(request)); });
  log::info("twilio.webhook_opened", {{"carrier", setting_.name}, {"url", setting_.webhook_url()}});
}

void WebhookServer::close() {
  if (std::exchange(is_open_, false)) services_.webhooks.route(setting_.webhook_path, {});
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
  if (request.method != "POST") co_return response(405, "Only POST.\n");
  if (request.body.size() > kMostBody) co_return response(413, "The body is too long.\n");
  const std::string type = base::to_lower_ascii(request.header("content-type"));
  const bool is_form = type.starts_with("application/x-www-form-urlencoded");
  const std::string url = setting_.public_url + request.target;
  const std::string_view signature = request.header(setting_.signature_header);
  const auto fields = is_form ? net::parse_form(request.body) : base::Result<net::FormFields>(net::FormFields());
  const bool is_genuine = fields && (is_form ? is_signed(setting_.signing_key.reveal(), url, *fields, signature)
                                             : is_signed_body(setting_.signing_key.reveal(), url, request.body, signature));
  if (!is_genuine) {
    log::warn("twilio.webhook_refused", {{"carrier", setting_.name}, {"signed", !signature.empty()}, {"bytes", request.body.size()}});
    co_return response(403, "The signature does not fit.\n");
  }
  if (!is_form) co_return response(415, "Only forms.\n");

  auto webhook = read_webhook(request.target, *fields, services_.clock.now());
  if (auto* text = std::get_if<IncomingText>(&webhook)) co_return co_await take_text(std::move(*text));
  if (auto* report = std::get_if<Report>(&webhook)) co_return co_await take_report(std::move(*report));
  log::warn("twilio.webhook_not_understood", {{"carrier", setting_.name}});
  co_return response(400, "This is neither a message nor a status.\n");
}

asio::awaitable<net::ServerResponse> WebhookServer::take_text(IncomingText text) {
  const std::string id = text.id;
  const bool taken = co_await events_.received(std::move(text));
  on_received_(id);
  if (!taken) co_return response(404, "Nobody has this number.\n");
  co_return done();
}

asio::awaitable<net::ServerResponse> WebhookServer::take_report(Report report) {
  auto record = ledger_.find(report.ref);
  if (!record) record = ledger_.find_sid(report.sid);
  if (!record) {
    log::debug("twilio.status_of_unknown", {{"carrier", setting_.name}, {"sid", report.sid}});
    co_return done();
  }
  co_await ledger_.bind(record, report.sid);
  // A second message for one text is logged by bind(), and does not speak for the first.
  if (record->sid == report.sid) co_await reports_.settle(record, std::move(report.status), report.error_code);
  co_return done();
}

}  // namespace wherry::sms::twilio
