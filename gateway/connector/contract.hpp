// The contract between the gateway and one network: the only header with a compatibility promise.
//
// A Connector knows its network's protocol and nothing about XMPP; the gateway knows XMPP and nothing about any
// network. They exchange values: Actions go out, Events come in. Everything here runs on the gateway's one event-loop
// thread. Text is UTF-8, times are UTC. connectors/README.md tells how to write one.
#pragma once

#include "gateway/base/error.hpp"
#include "gateway/connector/entry.hpp"
#include "gateway/connector/event.hpp"
#include "gateway/connector/keys.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/version.hpp>
#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wherry::net {
class HttpClient;
class HttpServer;
}  // namespace wherry::net

namespace wherry::connector {

namespace asio = boost::asio;
using base::AccountId;
using base::Errc;
using base::Error;
using base::Result;

// What a repeated send costs on this network; it decides what happens to a send of unknown outcome.
enum class Idempotency {
  by_key,     // the same SendMessage::key is sent once, however often it is asked for: repeat freely
  queryable,  // perform() finds out by itself whether a key was sent, and repeats only if not: repeat freely
  none,       // a repeat may double: the sender is told that the message may not have been sent
};

// What one types to name a contact ("Phone number"), and how ("With the country code, like +1 415 555 0132.").
struct ContactPrompt {
  std::string prompt;
  std::string help;
};

// What the network is, as far as the gateway must know.
struct Network {
  std::string id;                  // "sms": one word, in logs and configuration
  std::string name;                // "SMS": in disco and roster
  std::string disco_type;          // category "gateway", type from the XMPP registrar: "sms"
  std::string client_type = "pc";  // what contacts use, category "client": "sms", "phone", "pc" …
  std::string contact_prompt;      // jabber:iq:gateway, in English: as ContactPrompt
  std::string contact_help;
  // and in other languages, by primary subtag (RFC 5646 §2.2.1): "de"
  std::map<std::string, ContactPrompt> contact_prompts;
  Idempotency idempotency = Idempotency::none;
  bool redelivers = true;     // may publish the same event again after an interruption: the inbox remembers ids
  bool has_presence = false;  // contacts' presence is known; otherwise they are shown available while the session is up
  bool has_contact_list = false;  // ContactsListed comes: the user is asked whether to bring it over
  bool reports_delivery = false;  // MessageProgressed comes: receipts (XEP-0184) can be offered
  // Later actions and events name messages that were sent or came before: their ids are kept.
  bool refers_to_messages = false;
  bool has_search = false;         // SearchQuery is answered: people can be looked for
  bool has_blocking = false;       // BlockContact is done
  bool has_profile = false;        // SetProfile is done: the user's name and picture go out
  bool capabilities_vary = false;  // from chat to chat, and each may cost a question: presence does not have them
  // Within so long a session proves that it is alive (Session::probe); zero: it says itself when it is not.
  std::chrono::seconds proof_of_life{0};
};

// How much of something a network can do, for a user who asks for it:
//   refuse     the user is answered with a sentence
//   drop       nothing is done, and nobody is told
//   fall_back  it is said in words, as a message
//   partial    done, with less than was asked for
//   full       done
enum class Support { refuse, drop, fall_back, partial, full };

// The most text of one message.
struct TextLimit {
  enum class Unit { bytes, utf16, septets };  // of UTF-8; units of UTF-16; as GSM 03.38 counts, other letters as UCS-2
  std::size_t most = 0;                       // 0: no limit of the network's own
  Unit unit = Unit::bytes;
  bool operator==(const TextLimit&) const = default;
};

// Of one chat of one account: SMS and MMS may differ within one login.
struct Capabilities {
  TextLimit text = {};
  Support files = Support::fall_back;        // fall_back: as links in the text
  std::vector<std::string> file_types = {};  // "image/png", "image/*"; none: any
  std::uint64_t file_bytes = 0;              // of one file; 0: no limit of the network's own
  Support edit = Support::fall_back;         // fall_back: "✎ …"
  std::chrono::seconds edit_within{0};       // of its sending; 0: always
  Support retract = Support::refuse;
  std::chrono::seconds retract_within{0};
  Support react = Support::fall_back;       // fall_back: a line
  std::vector<std::string> reactions = {};  // that there are; none: any
  std::size_t most_reactions = 0;           // of one person at one message; 0: any number
  Support reply = Support::fall_back;       // fall_back: a short quotation above the text
  Support typing = Support::drop;
  Support read_marks = Support::drop;  // MarkRead
  Support delivery_reports = Support::refuse;
  Support formatting = Support::drop;
  bool operator==(const Capabilities&) const = default;
};

// By field name. Of several choices: one a line.
using Answers = std::map<std::string, std::string>;

// A question to the user. It is shown as plain registration fields, a data form, a dialogue: whatever the client can.
struct Field {
  enum class Type {
    text,
    secret,
    choice,
    boolean,
    choices,  // any number of `choices`; the answer has one a line
    hidden,   // not shown; `value` comes back
  };
  // where the network's field fits one of XEP-0077's, its name: username, password, phone, email, nick
  std::string name;
  std::string label;
  Type type = Type::text;
  bool required = true;
  std::string value;                 // what is on record; never a secret
  std::vector<std::string> choices;  // of Type::choice and Type::choices
};
// A QR code, say (XEP-0221).
struct Picture {
  std::string media_type;  // "image/png"
  std::string url;         // "https:…", or the picture itself: "data:image/png;base64,…" (RFC 2397)
  std::string text;        // for those who cannot see it
};
// Where the user does something outside: log in on a web page, say.
struct Link {
  std::string label;
  std::string url;
};
struct Form {
  std::string title;
  std::string instructions;
  std::vector<Field> fields;
  std::vector<std::string> notes;  // sentences below the instructions
  std::vector<Picture> pictures;
  std::vector<Link> links;
  // Nothing to answer: the user scans the code or follows the link, and the connector watches for it.
  bool waits = false;
};
struct Dialogue {
  virtual ~Dialogue() = default;
  // Shows `form` and waits for the answers: every required field is there and not empty, every choice one of the
  // choices. An error means that the user gave up: return it. Of a form that `waits` it returns at once, without
  // answers. A further one takes its place, so that a code may change; where the user gives up, log_in() is cancelled.
  virtual asio::awaitable<Result<Answers>> ask(Form form) = 0;
};

// One registration, as the gateway keeps it. `credentials` are what log_in() returned.
struct Account {
  AccountId id;
  std::string user;  // the user's address, opaque: the same text is the same person
  Answers credentials;
};
struct Applicant {
  std::string user;
  const Account* present = nullptr;  // the account that is being changed; valid until the first co_await
};

// Where a session's events go. publish() returns once the event is durable (volatile events: at once); only then may
// the connector acknowledge it to its network. It throws when the store is lost: do not acknowledge then.
struct EventSink {
  virtual ~EventSink() = default;
  // `changes` to the connector's storage are made in the event's own commit: both are durable, or neither is. Also
  // where the event comes to nothing: it came before, or its account is gone.
  virtual asio::awaitable<void> publish(Event event, Changes changes) = 0;
  asio::awaitable<void> publish(Event event) { return publish(std::move(event), Changes()); }
};

// What is asked of a network and answered at once. A new question is a new struct here.
struct ProfileQuery {  // answered by Profile; not_found: there is nobody of that id
  ContactId contact;
  bool operator==(const ProfileQuery&) const = default;
};
struct AvatarQuery {   // answered by a File with a handle, which fetch() takes
  std::string avatar;  // as ContactChanged and RoomChanged name it
  bool operator==(const AvatarQuery&) const = default;
};
struct SearchQuery {  // answered by contacts
  std::string words;
  bool operator==(const SearchQuery&) const = default;
};
struct RoomsQuery {  // that the user may join; answered by rooms
  bool operator==(const RoomsQuery&) const = default;
};
struct ParticipantsQuery {  // answered by participants
  RoomId room;
  bool operator==(const ParticipantsQuery&) const = default;
};
struct HistoryQuery {  // answered by messages, the oldest first
  ChatId chat;
  std::optional<MessageId> before;  // null: the newest
  std::size_t most = 50;
  bool operator==(const HistoryQuery&) const = default;
};
using Query = std::variant<ProfileQuery, AvatarQuery, SearchQuery, RoomsQuery, ParticipantsQuery, HistoryQuery>;

struct Profile {
  std::string name;
  std::string avatar;  // as ContactChanged::avatar
  // What is known besides, by name: first_name, last_name, nick, phone, email, birthday (2001-02-03), gender, homepage,
  // city, country, organisation, about. Others are left out.
  std::map<std::string, std::string> details;
  bool operator==(const Profile&) const = default;
};
using Answer = std::variant<Profile, File, std::vector<ListedContact>, std::vector<RoomListed>,
                            std::vector<Participant>, std::vector<MessageReceived>>;

// Takes a file that is being fetched, piece by piece.
struct FileSink {
  virtual ~FileSink() = default;
  // Returns when more can be taken. An error means that no more is wanted: return it.
  virtual asio::awaitable<Result<void>> write(std::string piece) = 0;
};

// One account, live.
struct Session {
  virtual ~Session() = default;
  // Connected until cancelled. Publishes AccountChanged{online} when up; throws on a broken link, and the gateway
  // backs off and calls it again. Returns only after AccountChanged{needs_login}. An AccountChanged counts while this
  // runs.
  virtual asio::awaitable<void> run() = 0;
  // Called only while the session is online; never twice at once for one chat, but for typing and read
  // marks, which wait for nothing. Cancelled only at shutdown. Where it
  // publishes and publish() throws, that exception may pass through: the outcome is uncertain then.
  virtual asio::awaitable<Result<Receipt>> perform(Action action) = 0;
  virtual Capabilities capabilities(const ChatId& chat) const = 0;

  // Called only while the session is online, like the two below; may be cancelled. `unsupported`: there is no such
  // thing in this network.
  virtual asio::awaitable<Result<Answer>> query(Query /*query*/) {
    co_return Error{Errc::unsupported, "This network cannot be asked that."};
  }
  // Streams the file of a handle (File::handle).
  virtual asio::awaitable<Result<void>> fetch(std::string /*handle*/, FileSink& /*sink*/) {
    co_return Error{Errc::unsupported, "This network has no files to fetch."};
  }
  // Proves that the session is alive, by a round trip to the network. Asked where Network::proof_of_life says so; an
  // error, an exception or silence ends the session, and it is opened anew.
  virtual asio::awaitable<Result<void>> probe() { co_return base::ok(); }
};

// A small durable memory of a connector's own: parts that wait for their rest, ids that reports will name. Keys sort
// bytewise; values are UTF-8 text. Writes return once durable, and many together share a commit. They are made in the
// order of the calls, among them what is given with a Receipt or to publish().
struct Storage {
  virtual ~Storage() = default;
  virtual asio::awaitable<void> write(Changes changes) = 0;
  // At most `limit` entries whose key starts with `prefix`, in order, beginning after the key `after`.
  virtual asio::awaitable<std::vector<Entry>> read(std::string prefix, std::string after, std::size_t limit) = 0;
};

// What the gateway offers a connector. Everything outlives it.
struct Services {
  asio::any_io_executor executor;
  net::HttpClient& http;
  net::HttpServer& webhooks;
  Storage& storage;
  const base::Clock& clock;
};

// What came of trying one way to the network (`wherry check --connect`): "carriers[0] (main): a bind at h:2775".
struct Trial {
  std::string what;
  Result<void> outcome;  // unavailable: it may be there later; else it is wrongly configured. The text says what to do
};

// Gives up at the first question, and keeps it.
struct FirstQuestion final : Dialogue {
  asio::awaitable<Result<Answers>> ask(Form form) override {
    if (!question) question = std::move(form);
    co_return Error{Errc::rejected, "The user has only asked what there is to fill in."};
  }
  std::optional<Form> question;
};

// One configured network.
struct Connector {
  virtual ~Connector() = default;
  virtual Network describe() const = 0;

  // What the sessions share, e.g. one SMPP bind; until cancelled. Throws on a broken link: called again after a
  // back-off.
  virtual asio::awaitable<void> run() = 0;

  // The whole registration dialogue, however many steps, verified with the network: the credentials to keep, which the
  // gateway seals. An error's text is shown to the user.
  virtual asio::awaitable<Result<Answers>> log_in(Applicant applicant, Dialogue& user) = 0;

  // What log_in() would ask first, without beginning one; an empty form where it asks nothing. A connector whose first
  // question costs something (a code sent by text, say) has its own.
  virtual asio::awaitable<Result<Form>> login_form(Applicant applicant) {
    FirstQuestion first;
    const auto ended = co_await log_in(std::move(applicant), first);
    if (first.question) co_return std::move(*first.question);
    if (!ended) co_return ended.error();
    co_return Form();
  }

  // Of one account's sends, where they differ within the network (an account's carrier may keep lists, another's none).
  // Asked also before know_account.
  virtual Idempotency idempotency(const Account&) const { return describe().idempotency; }

  // Every registered account, live or not, is told before run() and whenever one is added, changed or removed.
  // `events` accepts events of the account at any time until forget_account.
  virtual void know_account(const Account& account, EventSink& events) = 0;
  virtual void forget_account(AccountId account) = 0;

  // A session for an account that know_account has told. Destroyed before the account is forgotten.
  virtual std::unique_ptr<Session> open(AccountId account) = 0;

  // What a person typed (jabber:iq:gateway), or the unescaped local part of a JID, as a contact's one true id.
  // not_found or bad_input with a sentence where it cannot be one. `account` 0: nobody registered asks.
  virtual asio::awaitable<Result<ContactId>> parse_contact(std::string typed, AccountId account) const = 0;

  // Tries each way to the network once, and ends it again: in place of run().
  virtual asio::awaitable<std::vector<Trial>> try_network() { co_return std::vector<Trial>(); }

  // Takes over, while it runs, what it can of a new configuration that `make` has found right. Gives the paths of what
  // only a restart can change; "" is everything.
  virtual std::vector<std::string> reload(const nlohmann::json& /*configuration*/) { return {""}; }
};

// The one symbol a connector's shared object exports. `stamp` must equal plugin_stamp of the gateway.
struct Plugin {
  const char* stamp;
  // Builds the connector from its configuration (an object). The error's text begins with the offending key's path,
  // as in "links[0].port: must be 1 to 65535".
  // Several mistakes are as many lines.
  Result<std::unique_ptr<Connector>> (*make)(const nlohmann::json& configuration, Services services);
  std::span<const Section> sections = {};  // the keys of its configuration, for the reference page and the example
};
inline constexpr const char* plugin_stamp = "3, " __VERSION__ ", Boost " BOOST_LIB_VERSION;
inline constexpr const char* plugin_symbol = "wherry_plugin";

}  // namespace wherry::connector
