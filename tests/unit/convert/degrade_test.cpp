// What a network without something shows instead, case by case.
#include "gateway/convert/degrade.hpp"

#include "gateway/connector/action_codec.hpp"

#include <doctest/doctest.h>

using namespace wherry;
using namespace wherry::convert;
using namespace wherry::connector;

namespace {

constexpr std::chrono::minutes a_minute{1};

Content words(std::string text) {
  Content content;
  content.text = std::move(text);
  return content;
}
Target message() {
  Target target;
  target.ids.push_back({"n1"});
  return target;
}
const ChatId chat = ContactId{"j"};

// As JSON, "(nothing)" or the sentence.
std::string shown_for(Action action, const Capabilities& can, const Referents& referents) {
  const Degraded result = degrade(std::move(action), can, referents);
  if (const auto* error = std::get_if<base::Error>(&result)) return error->text;
  const auto* done = std::get_if<Action>(&result);
  return done ? to_text(*done) : "(nothing)";
}
// All that it refers to is such.
std::string shown(Action action, const Capabilities& can, Referent referent = {true, a_minute}) {
  return shown_for(std::move(action), can, Referents{referent, referent});
}
std::string as_text(std::string_view text) {
  return R"({"type":"send_message","chat":"c:j","key":"k","text":")" + std::string(text) + "\"}";
}
Capabilities all(Support level) {
  Capabilities can;
  can.files = can.edit = can.retract = can.react = can.reply = can.typing = can.read_marks = level;
  return can;
}
const Capabilities full = all(Support::full), lacking = all(Support::fall_back), refusing = all(Support::refuse),
                   dropping = all(Support::drop);

}  // namespace

TEST_CASE("A network that can do it gets the action as it is") {
  for (const Action& action :
       {Action(EditMessage{chat, "k", message(), words("at nine")}), Action(RetractMessage{chat, "k", message()}),
        Action(React{chat, "k", message(), {"👍"}}), Action(MarkRead{chat, message()}),
        Action(SetTyping{chat, true})}) {
    CAPTURE(to_text(action));
    CHECK(shown(action, full) == to_text(action));
  }
}

TEST_CASE("An edit is a marked message, or is refused or dropped") {
  const Action edit = EditMessage{chat, "k", message(), words("at nine")};
  CHECK(shown(edit, lacking) == as_text("✎ at nine"));
  CHECK(shown(edit, full, {false, a_minute}) == as_text("✎ at nine"));
  CHECK(shown(edit, refusing) == "This network cannot change a message: your contact keeps the old one.");
  CHECK(shown(edit, dropping) == "(nothing)");
  Capabilities briefly = full;
  briefly.edit_within = std::chrono::minutes(15);
  CHECK(shown(edit, briefly) == to_text(edit));
  CHECK(shown(edit, briefly, {true, std::chrono::minutes(16)}) == as_text("✎ at nine"));
}

TEST_CASE("What was sent stays, and its sender hears so, where the network takes nothing back") {
  const Action retraction = RetractMessage{chat, "k", message()};
  const char* stays = "This network cannot take a message back: it stays with your contact.";
  CHECK(shown(retraction, lacking) == stays);
  CHECK(shown(retraction, refusing) == stays);
  CHECK(shown(retraction, full, {false, a_minute}) ==
        "This message is not known here any more: it stays with your contact.");
  Capabilities briefly = full;
  briefly.retract_within = std::chrono::hours(48);
  CHECK(shown(retraction, briefly, {true, std::chrono::hours(49)}) ==
        "This network takes no message back that is so old: it stays with your contact.");
}

TEST_CASE("Reactions are a line, and what the network does not have is refused by its names (XEP-0444)") {
  const Action reactions = React{chat, "k", message(), {"👍", "♥"}};
  CHECK(shown(reactions, lacking) == as_text("👍 ♥"));
  CHECK(shown(React{chat, "k", message(), {}}, lacking) == "(nothing)");
  CHECK(shown(reactions, refusing) == "This network cannot carry reactions; your contact was sent nothing.");
  Capabilities some = full;
  some.reactions = {"👍", "👎"};
  CHECK(shown(reactions, some) == "This network has only these reactions: 👍 👎");
  Capabilities one = full;
  one.most_reactions = 1;
  CHECK(shown(reactions, one) == "This network takes 1 reaction of one person to a message at most.");
  CHECK(shown(reactions, full, {false, a_minute}) == "The message that you react to is not known here any more.");
}

TEST_CASE("A reply has a short quotation above it where the network has no replies, or not to that message") {
  SendMessage answer{chat, "k", words("yes")};
  answer.content.reply_to = Reply{{{"n1"}}, {}, "at eight,\nok?"};
  CHECK(shown(answer, full) == to_text(Action(answer)));
  CHECK(shown(answer, lacking) == as_text("> at eight, ok?\\nyes"));
  CHECK(shown(answer, full, {false, a_minute}) == as_text("> at eight, ok?\\nyes"));
  CHECK(shown(answer, dropping) == as_text("yes"));
  CHECK(shown(answer, refusing) == "This network has no replies to single messages.");
  answer.content.reply_to->text = std::string(58, 'a') + "éé";
  CHECK(shown(answer, lacking) == as_text("> " + std::string(58, 'a') + "é…\\nyes"));
  answer.content.reply_to->text = "";
  CHECK(shown(answer, lacking) == as_text("yes"));
}

TEST_CASE("A correction of a reply is as old as what it corrects, and refers to both") {
  EditMessage edit{chat, "k", message(), words("at nine")};
  edit.content.reply_to = Reply{{{"n0"}}, {}, "when?"};
  Capabilities briefly = full;
  briefly.edit_within = std::chrono::minutes(15);
  const Referent known{true, a_minute}, old{true, std::chrono::hours(100)}, unknown;
  CHECK(shown_for(edit, briefly, Referents{known, old}) == to_text(Action(edit)));
  CHECK(shown_for(edit, briefly, Referents{unknown, known}) == as_text("> when?\\n✎ at nine"));
  edit.content.reply_to.reset();
  EditMessage quoting = edit;
  quoting.content.text = "> when?\nat nine";
  edit.content.reply_to = Reply{{{"n0"}}, {}, "when?"};
  CHECK(shown_for(edit, full, Referents{known, unknown}) == to_text(Action(quoting)));
}

TEST_CASE("Files are their links, once") {
  SendMessage with_file{chat, "k", words("look")};
  with_file.content.files.push_back({"https://x.test/a", "", 0});
  CHECK(shown(with_file, lacking) == as_text("look\\nhttps://x.test/a"));
  Capabilities pictures = full;
  pictures.file_types = {"image/*", "text/vcard"};
  pictures.file_bytes = 100;
  with_file.content.files[0].media_type = "image/png";
  CHECK(shown(with_file, pictures).find("\"files\"") != std::string::npos);
  with_file.content.files[0].bytes = 101;
  CHECK(shown(with_file, pictures) == as_text("look\\nhttps://x.test/a"));
  with_file.content.files[0].bytes = 0;
  for (const char* other : {"", "imagery/png", "text/vcardx"}) {
    with_file.content.files[0].media_type = other;
    CHECK(shown(with_file, pictures) == as_text("look\\nhttps://x.test/a"));
  }
  with_file.content.text = "look: https://x.test/a";
  CHECK(shown(with_file, lacking) == as_text("look: https://x.test/a"));
  CHECK(shown(with_file, refusing) == "This network cannot carry files.");
}

TEST_CASE("A text is as long as the network counts it") {
  const auto error = [](std::string text, std::size_t most, TextLimit::Unit unit) {
    Capabilities can;
    can.text = {most, unit};
    return shown(SendMessage{chat, "k", words(std::move(text))}, can);
  };
  CHECK(error("éé", 4, TextLimit::Unit::bytes) == as_text("éé"));
  CHECK(error("ééa", 4, TextLimit::Unit::bytes) == "This message is too long: at most 4 bytes can be sent.");
  CHECK(error("🌹é", 3, TextLimit::Unit::utf16) == as_text("🌹é"));
  CHECK(error("🌹éa", 3, TextLimit::Unit::utf16) == "This message is too long: at most 3 characters can be sent.");
  CHECK(error(std::string(160, 'a'), 160, TextLimit::Unit::septets) == as_text(std::string(160, 'a')));
  CHECK(error(std::string(71, 'a') + "ж", 160, TextLimit::Unit::septets).starts_with("This message is too long"));
}

TEST_CASE("Typing and read marks are dropped where the network has none, or does not know the message") {
  CHECK(shown(SetTyping{chat, true}, lacking) == "(nothing)");
  CHECK(shown(MarkRead{chat, message()}, lacking) == "(nothing)");
  CHECK(shown(MarkRead{chat, message()}, full, {false, a_minute}) == "(nothing)");
}

TEST_CASE("A file whose link begins another one is not lost where it goes as a link") {
  Capabilities can;
  can.files = Support::fall_back;
  SendMessage send;
  send.chat = chat;
  send.content.text = "see https://h.test/a.jpg?size=small";
  send.content.files.push_back({"https://h.test/a.jpg", "image/jpeg"});
  const std::string got = shown_for(Action(send), can, {});
  CAPTURE(got);
  CHECK(got.find("\\nhttps://h.test/a.jpg") != got.npos);
}

TEST_CASE("A message of files alone is not sent empty where files are dropped") {
  Capabilities can;
  can.files = Support::drop;
  SendMessage send;
  send.chat = chat;
  send.content.files.push_back({"https://h.test/a.jpg", "image/jpeg"});
  const std::string got = shown_for(Action(send), can, {});
  CAPTURE(got);
  CHECK(got == "(nothing)");
}
