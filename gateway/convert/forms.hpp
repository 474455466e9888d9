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

// Answers, however they came, checked against `form`: as the fields write them, without what was not asked. What has
// one possible answer need not be given.
connector::Result<connector::Answers> check_answers(const connector::Answers& given, const connector::Form& form);

// The value of one field alone, from what a person typed.
connector::Result<std::string> check_answer(const std::string& typed, const connector::Field& field);

// A data form of the type "form" (XEP-0004) with pictures (XEP-0221); `purpose`: its FORM_TYPE, may be empty.
xmpp::Element to_data_form(const connector::Form& form, std::string_view purpose);
// The answers in a submitted data form, not checked yet; a question answered twice is an error.
connector::Result<connector::Answers> read_data_form(const xmpp::Element& x, const connector::Form& form,
                                                     std::string_view purpose);

}  // namespace wherry::convert
