// Each rule of the checker fires on a history that breaks it, and only then.
#include "tests/simulation/checker.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace wherry::simulation;

namespace {

// A history, told line by line; a line takes a second.
struct Told {
  Told& then(What what, std::string text = {}, std::string id = {}, std::int64_t number = 0, std::string contact = "c1",
             std::string user = "romeo") {
    history.records.push_back({static_cast<std::int64_t>(history.records.size()) * 1'000'000, what, "net1",
                               std::move(user), std::move(contact), std::move(id), std::move(text), number});
    return *this;
  }
  Told& sends(std::string text, std::string id) { return then(What::sent, std::move(text), std::move(id), 1); }
  Told& later() {
    then(What::note);
    history.records.back().at += 1'000'000'000;
    return *this;
  }
  std::vector<std::string> broken() const {
    std::vector<std::string> rules;
    for (const Breach& breach : check(Plan{}, history)) rules.push_back(to_string(breach.rule));
    return rules;
  }
  bool is_good() const { return broken().empty(); }
  bool breaks(Rule rule) const { return broken() == std::vector<std::string>{to_string(rule)}; }

  History history;
};

}  // namespace

TEST_CASE("A message that was taken, and one whose sender was told, break nothing") {
  CHECK(Told()
            .sends("m1", "s1")
            .then(What::stored, "m1")
            .then(What::performing, "m1", "k1")
            .then(What::taken, "m1", "k1")
            .is_good());
  CHECK(Told().sends("m1", "s1").then(What::told_failed, "no", "s1").is_good());
}

TEST_CASE("lost: over a link that lives on, or once committed whatever came then") {
  CHECK(Told().sends("m1", "s1").later().breaks(Rule::lost));
  CHECK(Told().sends("m1", "s1").then(What::stored, "m1").then(What::killed).breaks(Rule::lost));
  CHECK(Told().sends("m1", "s1").then(What::killed).is_good());
  CHECK(Told().sends("m1", "s1").then(What::link_cut).is_good());
}

TEST_CASE("farewell: what is sent while the gateway ends its stream is not lost either") {
  CHECK(Told()
            .then(What::stopping)
            .sends("m1", "s1")
            .then(What::link_cut, "", "farewell")
            .then(What::stopped)
            .breaks(Rule::farewell));
}

TEST_CASE("doubled: taken twice, under one key or two, where the client sent it once") {
  const auto taken = [] {
    return Told()
        .sends("m1", "s1")
        .then(What::stored, "m1")
        .then(What::performing, "m1", "k1")
        .then(What::taken, "m1", "k1");
  };
  CHECK(taken().then(What::taken, "m1", "k1").breaks(Rule::doubled));
  CHECK(taken().then(What::taken, "m1", "k2").breaks(Rule::doubled));
  CHECK(taken().then(What::taken_again, "m1", "k1").is_good());
}

TEST_CASE("resent: the same stanza again is no new message, unless its sender was told that it failed") {
  const auto taken = [] {
    return Told().sends("m1", "s1").then(What::performing, "m1", "k1").then(What::taken, "m1", "k1");
  };
  CHECK(taken().sends("m1", "s1").is_good());
  CHECK(taken().sends("m1", "s1").then(What::taken, "m1", "k2").breaks(Rule::resent));
  CHECK(taken().then(What::told_failed, "may have", "s1", 1).sends("m1", "s1").then(What::taken, "m1", "k2").is_good());
  CHECK(taken().then(What::unregistering, "", "i1").sends("m1", "s1").then(What::taken, "m1", "k2").is_good());
  CHECK(taken()
            .then(What::told_failed, "it failed there", "s1")
            .sends("m1", "s1")
            .then(What::taken, "m1", "k2")
            .is_good());
}

TEST_CASE("uncertain: only of what the network was asked to send, and never \"not sent\" of what it has") {
  CHECK(Told().sends("m1", "s1").then(What::told_failed, "may have", "s1", 1).breaks(Rule::uncertain));
  CHECK(Told()
            .sends("m1", "s1")
            .then(What::performing, "m1", "k1")
            .then(What::told_failed, "may have", "s1", 1)
            .is_good());
  CHECK(Told()
            .sends("m1", "s1")
            .then(What::performing, "m1", "k1")
            .then(What::taken, "m1", "k1")
            .then(What::told_failed, "the message was not sent", "s1")
            .breaks(Rule::uncertain));
  CHECK(Told()
            .sends("m1", "s1")
            .then(What::told_failed, "the message was not sent", "s1")
            .then(What::performing, "m1", "k1")
            .then(What::taken, "m1", "k1")
            .breaks(Rule::uncertain));
}

TEST_CASE("uncertain: a kill excuses one message of a chat, which was marked and not yet sent") {
  const auto marked = [] {
    return Told().sends("m1", "s1").sends("m2", "s2").then(What::stored, "m1", "", 1).then(What::stored, "m2", "", 1);
  };
  CHECK(
      marked().then(What::killed).then(What::taken, "m2", "k2").then(What::told_failed, "may have", "s1", 1).is_good());
  CHECK(marked()
            .then(What::killed)
            .then(What::told_failed, "may have", "s1", 1)
            .then(What::told_failed, "may have", "s2", 1)
            .breaks(Rule::uncertain));
  const auto told = [](Told history) {
    return history.then(What::taken, "m2", "k2").then(What::told_failed, "may have", "s1", 1);
  };
  CHECK(told(marked().then(What::marked, "m1", "", 0).then(What::killed)).breaks(Rule::uncertain));
  CHECK(told(marked()
                 .then(What::marked, "m1", "", 0)
                 .then(What::marked, "m1", "", 1)
                 .then(What::stopping)
                 .then(What::killed))
            .is_good());
  CHECK(told(marked().then(What::stopping).then(What::stopped)).breaks(Rule::uncertain));
}

TEST_CASE("order_out: within a chat, not between chats") {
  const auto sent = [] { return Told().sends("m1", "s1").sends("m2", "s2"); };
  CHECK(sent().then(What::taken, "m1", "k1").then(What::taken, "m2", "k2").is_good());
  CHECK(sent().then(What::taken, "m2", "k2").then(What::taken, "m1", "k1").breaks(Rule::order_out));
  CHECK(sent()
            .then(What::performing, "m1", "k1")
            .then(What::told_failed, "may have", "s1", 1)
            .then(What::taken, "m2", "k2")
            .then(What::taken, "m1", "k1")
            .is_good());
  CHECK(Told()
            .sends("m1", "s1")
            .then(What::sent, "m2", "s2", 1, "c2")
            .then(What::taken, "m2", "k2", 0, "c2")
            .then(What::taken, "m1", "k1")
            .is_good());
  // The user registers anew in between.
  const auto leaves = [] {
    return Told()
        .sends("m1", "s1")
        .then(What::asked, "", "i1")
        .then(What::unregistering, "", "i1")
        .then(What::got_answer, "", "i1");
  };
  CHECK(leaves().sends("m2", "s2").then(What::taken, "m2", "k2").then(What::taken, "m1", "k1").is_good());
}

TEST_CASE("receipt: for what was reported as delivered, once, from whom it went to") {
  const auto reported = [] {
    return Told().sends("m1", "s1").then(What::taken, "m1", "k1").then(What::reported, "m1", "k1");
  };
  CHECK(reported().then(What::got_receipt, "w1", "s1").is_good());
  CHECK(reported()
            .then(What::got_receipt, "w1", "s1")
            .then(What::link_cut)
            .then(What::got_receipt, "w1", "s1")
            .is_good());
  CHECK(reported().then(What::got_receipt, "w1", "s1").then(What::got_receipt, "w2", "s1").breaks(Rule::receipt));
  CHECK(reported().then(What::got_receipt, "w1", "s1", 0, "c2").breaks(Rule::receipt));
  CHECK(
      Told().sends("m1", "s1").then(What::taken, "m1", "k1").then(What::got_receipt, "w1", "s1").breaks(Rule::receipt));
  CHECK(Told().then(What::got_receipt, "w1", "s9").breaks(Rule::receipt));
}

TEST_CASE("unanswered: every iq once, where its link lives on") {
  CHECK(Told().then(What::asked, "register", "i1").then(What::got_answer, "", "i1").is_good());
  CHECK(Told().then(What::asked, "register", "i1").later().breaks(Rule::unanswered));
  CHECK(Told().then(What::asked, "register", "i1").then(What::link_cut).is_good());
  CHECK(Told()
            .then(What::asked, "register", "i1")
            .then(What::got_answer, "", "i1")
            .then(What::got_answer, "", "i1")
            .breaks(Rule::unanswered));
}

TEST_CASE("incoming: what the network forgot comes, once, or again after an end under the same id, in order") {
  const auto published = [] { return Told().then(What::written, "n1").then(What::published, "n1"); };
  CHECK(published().then(What::got_message, "n1", "w1").is_good());
  CHECK(published().breaks(Rule::incoming_lost));
  CHECK(published().then(What::unregistering, "", "i1").is_good());
  CHECK(published()
            .then(What::unregistering, "", "i1")
            .then(What::got_answer, "error: later", "i1")
            .breaks(Rule::incoming_lost));
  CHECK(published()
            .then(What::got_message, "n1", "w1")
            .then(What::got_message, "n1", "w1")
            .breaks(Rule::incoming_doubled));
  CHECK(published()
            .then(What::got_message, "n1", "w1")
            .then(What::link_cut)
            .then(What::got_message, "n1", "w1")
            .is_good());
  CHECK(published()
            .then(What::got_message, "n1", "w1")
            .then(What::link_cut)
            .then(What::got_message, "n1", "w2")
            .breaks(Rule::incoming_doubled));
  CHECK(published()
            .then(What::got_message, "n1", "w1")
            .then(What::unregistering, "", "i1")
            .then(What::link_cut)
            .then(What::got_message, "n1", "w2")
            .is_good());
  CHECK(published().then(What::gave_back, "n1", "w1").then(What::got_message, "n1", "w2").is_good());
  const auto two = [] { return Told().then(What::written, "n1").then(What::written, "n2"); };
  CHECK(two().then(What::got_message, "n2", "w2").then(What::got_message, "n1", "w1").breaks(Rule::order_in));
  const auto all_kept = [&] { return two().then(What::kept, "n1").then(What::kept, "n2"); };
  CHECK(all_kept().then(What::got_message, "n2", "w2").then(What::got_message, "n1", "w1").breaks(Rule::order_in));
  const auto first_kept = [&] { return two().then(What::kept, "n1"); };
  CHECK(first_kept().then(What::got_message, "n2", "w2").then(What::got_message, "n1", "w1").is_good());
}

TEST_CASE("asleep: what waits at the network is for nobody who is registered") {
  Told told;
  told.then(What::written, "n1");
  told.history.mail_left = {told.history.records.front()};
  CHECK(told.is_good());
  told.then(What::asked, "registers", "i0").then(What::got_answer, "", "i0").then(What::registered, "", "i0");
  CHECK(told.breaks(Rule::asleep));
  told.then(What::unregistering, "", "i1");
  CHECK(told.is_good());
  Told hurried;  // the answer to what was asked first comes last
  hurried.then(What::written, "n1")
      .then(What::asked, "registers", "i0")
      .then(What::unregistering, "", "i1")
      .then(What::got_answer, "", "i0")
      .then(What::registered, "", "i0");
  hurried.history.mail_left = {hurried.history.records.front()};
  CHECK(hurried.is_good());
  told.then(What::got_answer, "error: later", "i1");
  CHECK(told.breaks(Rule::asleep));
}

TEST_CASE("A user's accounts are strangers to each other") {
  // Sent by another account than it was written in.
  CHECK(Told()
            .sends("m1", "s1")
            .then(What::performing, "m1", "k1")
            .then(What::taken, "m1", "k1", 0, "c1", "romeo~work")
            .breaks(Rule::foreign));
  // One is removed, and the other gets nothing any more.
  Told told;
  told.then(What::asked, "registers", "i0").then(What::got_answer, "", "i0").then(What::registered, "", "i0");
  told.then(What::unregistering, "", "i1", 0, "", "romeo~work").then(What::got_answer, "", "i1", 0, "", "romeo~work");
  told.then(What::written, "n1");
  told.history.mail_left = {told.history.records.back()};
  CHECK(told.breaks(Rule::asleep));
}

TEST_CASE("What an account's user sends and gets says whose it is") {
  Step step;
  step.number = 3;
  CHECK(account_name(step) == "romeo");
  CHECK(mark_of("romeo").empty());
  step.account = 1;
  CHECK(account_name(step) == "romeo~work");
  CHECK(owner_of("romeo~work") == "romeo");
  CHECK(mark_of("romeo~work") == "~work");
  CHECK(sent_text(step) == "m3 of romeo~work");
  CHECK(text_of_stanza(stanza_of(step)) == sent_text(step));
  step.act = Act::receive;
  CHECK(received_text(step) == "n3 for romeo~work");
}

TEST_CASE("The other rules") {
  CHECK(Told().then(What::got_foreign, "a receipt").breaks(Rule::foreign));
  CHECK(Told().then(What::breach, "perform() while offline").breaks(Rule::contract));
  Told told;
  told.history.rows_left = {"outbox 1"};
  CHECK(told.breaks(Rule::queues));
  for (auto flag : {&History::work_left, &History::spins, &History::never_stopped}) {
    Told bad;
    bad.history.*flag = true;
    CHECK(bad.breaks(Rule::tasks));
  }
  Told fat;
  fat.history.most_bytes = std::size_t{1} << 30;
  CHECK(fat.breaks(Rule::memory));
  Told stuck;
  stuck.history.most_unsent = 1 << 20;
  CHECK(stuck.breaks(Rule::memory));
}

TEST_CASE("A plan is its seed's, and steps that are left out change no other draw") {
  CHECK(describe(draw_plan(7)) == describe(draw_plan(7)));
  CHECK(describe(draw_plan(7)) != describe(draw_plan(8)));
  const Draw draw(7);
  CHECK(draw.number("a", 1) == draw.number("a", 1));
  CHECK(draw.number("a", 1) != draw.number("b", 1));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto wait = draw.wait(1000, "wait", i);
    CHECK((wait >= 0 && wait <= 1000));
  }
}

TEST_CASE("receipt: of another text than the one that is on the phone") {
  CHECK(Told()
            .sends("m1", "s1")
            .then(What::taken, "m1", "k1")
            .then(What::performing, "m1", "k1")
            .then(What::got_receipt, "r1", "s1")
            .breaks(Rule::receipt));
}

TEST_CASE("unreceipted: a receipt that could not be misunderstood is told, unless the text is uncertain") {
  const auto receipted = [] {
    return Told()
        .sends("m1", "s1")
        .then(What::performing, "m1", "k1")
        .then(What::taken, "m1", "k1")
        .then(What::reported, "m1")
        .then(What::receipted, "m1");
  };
  CHECK(receipted().breaks(Rule::unreceipted));
  CHECK(receipted().then(What::got_receipt, "r1", "s1").is_good());
  CHECK(receipted().then(What::told_failed, "perhaps", "s1", 1).is_good());
}

TEST_CASE("impatient: a passing trouble is no reason to give a text up") {
  const auto told = [](std::string why) {
    return Told().sends("m1", "s1").then(What::performing, "m1", "k1").then(What::told_failed, std::move(why), "s1");
  };
  CHECK(told("The SMS service has an internal error.").breaks(Rule::impatient));
  CHECK(told("The network does not allow this sender.").is_good());
}

TEST_CASE("garbled: what nobody wrote, and what is said to be incomplete and came whole") {
  CHECK(Told().then(What::garbled, "m1 and m2").breaks(Rule::garbled));
  const auto got = [](std::int64_t lost_parts, std::int64_t incomplete) {
    return Told()
        .then(What::written, "n1", "", lost_parts)
        .then(What::published, "n1")
        .then(What::got_message, "n1", "x1", incomplete);
  };
  CHECK(got(0, 1).breaks(Rule::garbled));
  CHECK(got(1, 1).is_good());
  CHECK(got(0, 0).is_good());
}

namespace {

// Of a network that refers to messages.
struct Referring : Told {
  Referring& says(What what, std::string text, std::string id, std::string about, std::string contact = "c1") {
    then(what, std::move(text), std::move(id), 0, std::move(contact));
    history.records.back().about = std::move(about);
    return *this;
  }
  std::vector<std::string> broken() const {
    Plan plan;
    plan.networks.emplace_back();
    plan.networks.back().refers = true;
    std::vector<std::string> rules;
    for (const Breach& breach : check(plan, history)) rules.push_back(to_string(breach.rule));
    return rules;
  }
  bool is_good() const { return broken().empty(); }
  bool breaks(Rule rule) const { return broken() == std::vector<std::string>{to_string(rule)}; }
};

}  // namespace

TEST_CASE("misdirected: a correction is of the message that its user meant, in the chat that it is said in") {
  const auto corrected = [](std::string stanza, std::string taken, std::string contact = "c1") {
    Referring told;
    told.sends("m1", "s1").then(What::performing, "m1", "k1").then(What::taken, "m1", "k1");
    told.sends("m2", "s2").then(What::performing, "m2", "k2").then(What::taken, "m2", "k2");
    told.says(What::sent, "e3", "e3", std::move(stanza), contact).then(What::performing, "e3", "k3", 0, contact);
    return told.says(What::taken, "e3", "k3", std::move(taken), contact);
  };
  CHECK(corrected("s1", "m1").is_good());
  CHECK(corrected("s1", "m2").breaks(Rule::misdirected));
  CHECK(corrected("s9", "m2").breaks(Rule::misdirected));
  CHECK(corrected("s9", "").is_good());
  CHECK(corrected("s1", "m1", "c2").breaks(Rule::misdirected));
  CHECK(corrected("s1", "", "c2").is_good());
}

TEST_CASE("in_words: where the network knows the message, that is not merely put in words") {
  Referring told;
  told.sends("m1", "s1").then(What::performing, "m1", "k1").then(What::taken, "m1", "k1");
  Referring uncertain = told;
  told.says(What::sent, "e3", "e3", "s1").then(What::performing, "e3", "k3").then(What::taken, "e3", "k3");
  CHECK(told.breaks(Rule::in_words));
  uncertain.then(What::told_failed, "may have", "s1", 1);
  uncertain.says(What::sent, "e3", "e3", "s1").then(What::performing, "e3", "k3").then(What::taken, "e3", "k3");
  CHECK(uncertain.is_good());
}

TEST_CASE("misdirected, in_words: what a contact says of a message names the stanza that the user has") {
  const auto edited = [](std::string about, std::string named) {
    Referring told;
    told.then(What::written, "n1").then(What::published, "n1").then(What::got_message, "n1", "w1");
    told.then(What::written, "n2").then(What::published, "n2").then(What::got_message, "n2", "w2");
    told.says(What::written, "f3", "", std::move(about)).then(What::published, "f3");
    return told.says(What::got_message, "f3", "w3", std::move(named));
  };
  CHECK(edited("n1", "w1").is_good());
  CHECK(edited("n1", "w2").breaks(Rule::misdirected));
  CHECK(edited("n1", "w9").breaks(Rule::misdirected));
  CHECK(edited("", "w2").breaks(Rule::misdirected));
  CHECK(edited("", "").is_good());
  CHECK(edited("n1", "").breaks(Rule::in_words));
}

TEST_CASE("in_words: what a contact says of the user's message, once its network has answered") {
  const auto reacted = [](bool is_acknowledged) {
    Referring told;
    told.sends("m1", "s1").then(What::performing, "m1", "k1").then(What::taken, "m1", "k1");
    if (is_acknowledged) told.then(What::acknowledged, "m1", "k1");
    told.says(What::written, "g3", "", "m1").then(What::published, "g3");
    return told.says(What::got_message, "g3", "w3", "");
  };
  CHECK(reacted(false).is_good());
  CHECK(reacted(true).breaks(Rule::in_words));
}

TEST_CASE("receipt: of several parts only when all were reported") {
  const auto reported = [] {
    return Told()
        .sends("m1", "s1")
        .then(What::performing, "m1", "k1")
        .then(What::taken, "m1", "k1")
        .then(What::reported, "m1", "a", 2);
  };
  CHECK(reported().then(What::reported, "m1", "b", 2).then(What::got_receipt, "w1", "s1").is_good());
  CHECK(reported().then(What::reported, "m1", "a", 2).then(What::got_receipt, "w1", "s1").breaks(Rule::receipt));
}

TEST_CASE("doubled: to take a message back twice, by one key, does no more than once") {
  const auto taken = [](std::string text) {
    Told told;
    told.sends(text, "x1").then(What::performing, text, "k1").then(What::taken, text, "k1");
    return told.then(What::taken, text, "k1");
  };
  CHECK(taken("t1").is_good());
  CHECK(taken("e1").breaks(Rule::doubled));
}

TEST_CASE("The id of a user's stanza says what it is") {
  for (const Act act : {Act::send, Act::correct, Act::retract, Act::react}) {
    const Step step{0, act, 0, 1, 0, 7};
    CHECK(text_of_stanza(stanza_of(step)) == sent_text(step));
  }
  CHECK(text_of_stanza("i3-romeo-net1").empty());
  CHECK(text_of_stanza("wsim-12345678-9").empty());
}
