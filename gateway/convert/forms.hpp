// One connector::Form as XEP-0077's plain fields and as a data form (XEP-0004), and answers back from either.
#pragma once

#include "gateway/connector/contract.hpp"
#include "gateway/xmpp/element.hpp"

namespace wherry::convert {

// Fills a <query xmlns='jabber:iq:register'/>: instructions, the plain fields that can express the form (§14.2's list),
// and the form itself.
void show_form(xmpp::Element& query, const connector::Form& form);

// The answers in a submitted query: the form where there is one, else the plain fields (§6: the form wins). Checked
// against `form`; an error says which field, and what is wrong with it.
connector::Result<connector::Answers> read_answers(const xmpp::Element& query, const connector::Form& form);

}  // namespace wherry::convert
