#include "gateway/xmpp/forms.hpp"

#include "gateway/xmpp/namespaces.hpp"
#include "gateway/xmpp/stream_parser.hpp"

#include <doctest/doctest.h>

using namespace wherry::xmpp;
using wherry::base::Errc;

namespace {

wherry::base::Result<DataForm> form_of(const std::string& xml) {
  const auto result = parse_document(xml);
  REQUIRE(std::holds_alternative<Element>(result));
  return parse_form(std::get<Element>(result));
}

}  // namespace

TEST_CASE("A data form is written as the specification has it, and read back equal (XEP-0004 §3)") {
  DataForm form{"form", "Register", "Give your number.\nIt stays here.", {}};
  form.fields.push_back({"FORM_TYPE", "hidden", "", false, {"jabber:iq:register"}, {}});
  form.fields.push_back({"", "fixed", "", false, {"Carrier"}, {}});
  form.fields.push_back({"carrier", "list-single", "Carrier", true, {"a"}, {"a", "b"}});
  form.fields.push_back({"note", "text-single", "", false, {""}, {}});
  const auto element = to_element(form);
  CHECK(element.to_xml(ns::data_forms) ==
        "<x type='form'><title>Register</title><instructions>Give your number.</instructions>"
        "<instructions>It stays here.</instructions>"
        "<field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>"
        "<field type='fixed'><value>Carrier</value></field>"
        "<field var='carrier' type='list-single' label='Carrier'><required/><value>a</value>"
        "<option label='a'><value>a</value></option><option label='b'><value>b</value></option></field>"
        "<field var='note' type='text-single'><value/></field></x>");
  const auto back = parse_form(element);
  REQUIRE(back.has_value());
  CHECK(to_element(*back) == element);
  CHECK(back->title == form.title);
  CHECK(back->instructions == form.instructions);
  CHECK(back->fields[2].required);
  CHECK(back->fields[2].options == std::vector<std::string>{"a", "b"});
}

TEST_CASE("parse_form reads a submission without types, and value() gives first values (XEP-0004 §3.2)") {
  const auto form = form_of(
      "<x xmlns='jabber:x:data' type='submit'><field var='a'><value>1</value><value>2</value></field>"
      "<field var='b'/><other xmlns='n'/></x>");
  REQUIRE(form.has_value());
  CHECK(form->type == "submit");
  CHECK(form->value("a") == "1");
  CHECK(form->value("b") == "");
  CHECK(form->value("c") == "");
  CHECK(form->fields[0].values.size() == 2);
}

TEST_CASE("parse_form refuses what is no form, fields without var and more than 200 fields (XEP-0004 §3.1-3.2)") {
  const auto refused = [](const std::string& xml) {
    const auto form = form_of(xml);
    return !form && form.error().code == Errc::bad_input && !form.error().text.empty();
  };
  CHECK(refused("<x xmlns='jabber:x:other' type='form'/>"));
  CHECK(refused("<y xmlns='jabber:x:data' type='form'/>"));
  CHECK(refused("<x xmlns='jabber:x:data'/>"));
  CHECK(refused("<x xmlns='jabber:x:data' type='error'/>"));
  CHECK(refused("<x xmlns='jabber:x:data' type='submit'><field/></x>"));
  CHECK(!refused("<x xmlns='jabber:x:data' type='form'><field type='fixed'/></x>"));
  CHECK(!refused("<x xmlns='jabber:x:data' type='cancel'/>"));
  std::string fields;
  for (int i = 0; i < 200; ++i) fields += "<field var='f" + std::to_string(i) + "'/>";
  CHECK(!refused("<x xmlns='jabber:x:data' type='submit'>" + fields + "</x>"));
  CHECK(refused("<x xmlns='jabber:x:data' type='submit'>" + fields + "<field var='g'/></x>"));
}
