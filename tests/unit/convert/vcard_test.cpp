// XEP-0054 v1.3.0 §3.1, XEP-0292 v0.12.0 §4 and RFC 6351: what a network's profile is as a vCard.
#include "gateway/convert/people/vcard.hpp"

#include <doctest/doctest.h>

namespace wherry::convert {

namespace {

Card nurse() {
  Card card;
  card.name = "The Nurse";
  card.profile.name = "Angelica";
  card.profile.details = {{"first_name", "Angelica"},
                          {"last_name", "Verona"},
                          {"phone", "+39 045 010 0199"},
                          {"email", "n@x.test"},
                          {"birthday", "1540-08-01"},
                          {"homepage", "https://x.test/"},
                          {"city", "Verona"},
                          {"country", "Italy"},
                          {"organisation", "Capulet"},
                          {"about", "Peter, my fan!"},
                          {"shoe_size", "left out, since vCards have none"}};
  card.photo_type = "image/png";
  card.photo = "\x89PNG";
  return card;
}

}  // namespace

TEST_CASE("A profile is a vcard-temp") {
  CHECK(to_vcard_temp(nurse()).to_xml() ==
        "<vCard xmlns='vcard-temp'><FN>The Nurse</FN><N><FAMILY>Verona</FAMILY><GIVEN>Angelica</GIVEN></N>"
        "<NICKNAME>Angelica</NICKNAME><PHOTO><TYPE>image/png</TYPE><BINVAL>iVBORw==</BINVAL></PHOTO>"
        "<BDAY>1540-08-01</BDAY><ADR><LOCALITY>Verona</LOCALITY><CTRY>Italy</CTRY></ADR>"
        "<TEL><NUMBER>+39 045 010 0199</NUMBER></TEL><EMAIL><INTERNET/><USERID>n@x.test</USERID></EMAIL>"
        "<ORG><ORGNAME>Capulet</ORGNAME></ORG><URL>https://x.test/</URL><DESC>Peter, my fan!</DESC></vCard>");
}

TEST_CASE("A profile is a vCard 4") {
  CHECK(to_vcard4(nurse()).to_xml() ==
        "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>The Nurse</text></fn>"
        "<n><surname>Verona</surname><given>Angelica</given></n><nickname><text>Angelica</text></nickname>"
        "<photo><uri>data:image/png;base64,iVBORw==</uri></photo><bday><date>1540-08-01</date></bday>"
        "<adr><locality>Verona</locality><country>Italy</country></adr><tel><text>+39 045 010 0199</text></tel>"
        "<email><text>n@x.test</text></email><org><text>Capulet</text></org><url><uri>https://x.test/</uri></url>"
        "<note><text>Peter, my fan!</text></note></vcard>");
}

TEST_CASE("What is not known is left out of a vCard") {
  Card card;
  card.name = "+15550100";
  CHECK(to_vcard_temp(card).to_xml() == "<vCard xmlns='vcard-temp'><FN>+15550100</FN></vCard>");
  CHECK(to_vcard4(card).to_xml() ==
        "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>+15550100</text></fn></vcard>");
}

}  // namespace wherry::convert
