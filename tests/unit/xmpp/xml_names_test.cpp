#include "gateway/xmpp/xml_names.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace wherry::xmpp;

namespace {

using Attributes = std::vector<const char*>;  // name, value, …

struct Names {
  XmlNames names;
  // What is wrong with an element's declarations.
  std::string declare(int depth, Attributes attributes) {
    attributes.push_back(nullptr);
    names.declare(depth, attributes.data());
    return names.take_fault();
  }
  void forget(int depth) { names.forget(depth); }
  std::string check(Attributes attributes) {
    attributes.push_back(nullptr);
    names.check(attributes.data());
    return names.take_fault();
  }
  // {ns}local, or what is wrong.
  std::string element(const char* name) {
    const QualifiedName found = names.element(name);
    const std::string text = "{" + std::string(found.ns) + "}" + std::string(found.local);
    const std::string fault = names.take_fault();
    return fault.empty() ? text : fault;
  }
};

const char* const reserved = "The prefixes xml and xmlns and their namespaces cannot be declared.";

}  // namespace

TEST_CASE(
    "XmlNames: a declaration is in force from its element's start to its end, inside others of the same prefix "
    "(Namespaces in XML §6)") {
  Names names;
  CHECK(names.element("a") == "{}a");
  names.declare(0, {"xmlns", "outer", "xmlns:p", "p outer"});
  CHECK(names.element("a") == "{outer}a");
  CHECK(names.element("p:a") == "{p outer}a");
  names.declare(1, {"xmlns:p", "p inner", "other", "1"});
  CHECK(names.element("a") == "{outer}a");
  CHECK(names.element("p:a") == "{p inner}a");
  names.declare(2, {"xmlns", ""});
  CHECK(names.element("a") == "{}a");
  names.forget(2);
  names.forget(1);
  CHECK(names.element("p:a") == "{p outer}a");
  CHECK(names.names.default_ns() == "outer");
  names.forget(0);
  CHECK(names.element("p:a") == "The prefix p is not declared.");
}

TEST_CASE("XmlNames: the same namespace declared again, inside and outside, ends with its own element") {
  Names names;
  names.declare(0, {"xmlns:a", "one", "xmlns:b", "two"});
  names.declare(1, {"xmlns:c", "one", "xmlns:d", "three", "xmlns:e", "three"});
  names.forget(1);
  names.declare(1, {"xmlns:f", "four", "xmlns:g", "two"});
  CHECK(names.element("a:x") == "{one}x");
  CHECK(names.element("b:x") == "{two}x");
  CHECK(names.element("f:x") == "{four}x");
  CHECK(names.element("g:x") == "{two}x");
  CHECK(names.element("e:x") == "The prefix e is not declared.");
}

TEST_CASE("XmlNames: xml and xmlns, and their namespaces, are nobody's to declare (Namespaces in XML §3)") {
  const char* const xml = "http://www.w3.org/XML/1998/namespace";
  const char* const xmlns = "http://www.w3.org/2000/xmlns/";
  for (const Attributes& attributes : std::vector<Attributes>{{"xmlns", xml},
                                                              {"xmlns:p", xml},
                                                              {"xmlns", xmlns},
                                                              {"xmlns:p", xmlns},
                                                              {"xmlns:xml", "n"},
                                                              {"xmlns:xml", ""},
                                                              {"xmlns:xmlns", xmlns}}) {
    CAPTURE(attributes[0]);
    CAPTURE(attributes[1]);
    CHECK(Names().declare(0, attributes) == reserved);
  }
  CHECK(Names().declare(0, {"xmlns:xml", xml}) == "");
  CHECK(Names().check({"xml:lang", "en"}) == "");
  CHECK(Names().element("xml:a") == "The prefixes xml and xmlns are not for elements.");
  CHECK(Names().element("xmlns:a") == "The prefixes xml and xmlns are not for elements.");
}

TEST_CASE("XmlNames: what is no name with a prefix is none (Namespaces in XML §4)") {
  Names names;
  names.declare(0, {"xmlns:p", "n"});
  for (const char* name : {":", ":a", "p:", "p:a:b", "p:1", "p:-", "p:.a", "p:é", "::"}) {
    CAPTURE(name);
    CHECK(names.element(name) == std::string(name) + " is no name with a prefix.");
    CHECK(names.check({name, ""}) == std::string(name) + " is no name with a prefix.");
  }
  for (const char* name : {"xmlns:", "xmlns:a:b", "xmlns:1"})
    CHECK(names.declare(1, {name, "n"}) == std::string(name) + " is no name with a prefix.");
  CHECK(names.element("p:_1") == "{n}_1");
  CHECK(names.element("é") == "{}é");
  CHECK(names.element((std::string(100, 'x') + ":a").c_str()) ==
        "The prefix " + std::string(64, 'x') + " is not declared.");
}

TEST_CASE(
    "XmlNames: an attribute is there once, whatever its prefix, and without one it is of no namespace (Namespaces in "
    "XML §6.2, §6.3)") {
  Names names;
  CHECK(names.declare(0, {"xmlns", "n", "xmlns:p", "n"}) == "");
  CHECK(names.declare(1, {"xmlns:q", "n", "xmlns:r", "m"}) == "");
  CHECK(names.check({"b", "", "p:b", "", "r:b", "", "q:c", "", "xml:b", ""}) == "");
  CHECK(names.check({"xmlns:b", "", "p:b", ""}) == "");
  CHECK(names.check({"p:b", "", "q:b", ""}) == "An attribute is there twice, with two prefixes of one namespace.");
  CHECK(names.check({"s:b", ""}) == "The prefix s is not declared.");
  CHECK(names.declare(1, {"xmlns:t", ""}) == "A prefix cannot be declared to be of no namespace.");
}

TEST_CASE("XmlNames: declarations are bounded") {
  Names names;
  std::string fault;
  int depth = 0;
  for (; fault.empty() && depth < 1000; ++depth) fault = names.declare(depth, {"xmlns", "n"});
  CHECK(fault == "At one place 128 declarations of namespaces may be in force.");
  CHECK(depth == 129);
  names.forget(1);
  CHECK(names.declare(1, {"xmlns:p", "m"}) == "");
  CHECK(names.element("p:a") == "{m}a");
}
