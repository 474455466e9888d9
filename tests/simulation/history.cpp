#include "tests/simulation/history.hpp"

#include "tests/simulation/draw.hpp"

#include <fmt/format.h>

#include <array>

namespace wherry::simulation {

namespace {

const char* state_name(std::int64_t state) {
  constexpr std::array names = {"queued", "sending", "unsure"};
  return names.at(static_cast<std::size_t>(state));
}

std::string of(const Record& r) { return r.about.empty() ? "" : ", of " + r.about; }

std::string words(const Record& r) {
  const std::string user = r.user + " at " + r.network;
  switch (r.what) {
    case What::sent:
      return fmt::format("{} sent {} \"{}\" to {}, over link {}{}", user, r.id, r.text, r.contact, r.number, of(r));
    case What::asked: return fmt::format("{} asked {}", user, r.id);
    case What::not_sent: return fmt::format("{}: there is no link, the server said so of {}", user, r.id);
    case What::told_failed:
      return fmt::format("{} is told that {} {}: {}", user, r.id, r.number ? "may have failed" : "failed", r.text);
    case What::got_receipt: return fmt::format("{} gets a receipt for {}", user, r.id);
    case What::got_message:
      return fmt::format("{} gets {}\"{}\" from {} (stanza {}){}", user, r.number ? "what there is of " : "", r.text,
                         r.contact, r.id, of(r));
    case What::gave_back: return fmt::format("{} is away: the server gives \"{}\" back", user, r.text);
    case What::got_answer: return fmt::format("{} gets the answer to {}", user, r.id);
    case What::got_foreign: return fmt::format("{} gets what is not for them: {}", user, r.text);
    case What::registered: return fmt::format("{} is registered", user);
    case What::unregistering: return fmt::format("{} asks to be unregistered", user);
    case What::stored: return fmt::format("\"{}\" is committed as {}", r.text, state_name(r.number));
    case What::marked: return fmt::format("\"{}\" is {} in the store", r.text, state_name(r.number));
    case What::performing: return fmt::format("{} is asked to send \"{}\" (key {})", r.network, r.text, r.id);
    case What::taken: return fmt::format("{} takes \"{}\" to {} (key {}){}", r.network, r.text, r.contact, r.id, of(r));
    case What::taken_again: return fmt::format("{} has \"{}\" already (key {})", r.network, r.text, r.id);
    case What::acknowledged: return fmt::format("{} answers that it has \"{}\"", r.network, r.text);
    case What::reported:
      return fmt::format("{} reports {}\"{}\" as delivered", r.network, r.number > 1 ? "a part of " : "", r.text);
    case What::receipted: return fmt::format("{} has told that all of \"{}\" is delivered", r.network, r.text);
    case What::garbled: return fmt::format("{} or {} reads \"{}\"", user, r.contact, r.text);
    case What::written:
      return fmt::format("{} writes \"{}\" to {}{}{}", r.contact, r.text, user,
                         r.number ? "; a part of it gets lost" : "", of(r));
    case What::kept: return fmt::format("{} keeps \"{}\" for {}", r.network, r.text, user);
    case What::published: return fmt::format("{} forgets \"{}\": it was acknowledged", r.network, r.text);
    case What::link_up: return fmt::format("link {} of {} is up", r.number, r.network);
    case What::link_cut: return fmt::format("link {} of {} is cut", r.number, r.network);
    case What::started: return "wherry starts";
    case What::killed: return "wherry is killed";
    case What::stopping: return "wherry is told to stop";
    case What::stopped: return "wherry has stopped";
    case What::store_fault: return "the store: " + r.text;
    case What::breach: return fmt::format("{}: {}", user, r.text);
    case What::note: return r.text;
  }
  return "?";
}

}  // namespace

std::string to_string(What what) {
  constexpr std::array<const char*, kinds_of_records> names = {
      "sent",    "asked",        "not sent",     "told failed",   "receipts",  "got",     "given back",
      "answers", "foreign",      "registered",   "unregistering", "stored",    "marked",  "performed",
      "taken",   "taken again",  "acknowledged", "reported",      "receipted", "garbled", "written",
      "kept",    "published",    "links up",     "links cut",     "started",   "killed",  "stopping",
      "stopped", "store faults", "breaches",     "notes"};
  return names.at(static_cast<std::size_t>(what));
}

std::string to_line(const Record& record) {
  return fmt::format("{:10.6f} {}", static_cast<double>(record.at) / 1e6, words(record));
}

std::uint64_t hash_of(const History& history) {
  std::string all;
  for (const Record& record : history.records) all += to_line(record) + "\n";
  return hash_of(std::string_view(all));
}

}  // namespace wherry::simulation
