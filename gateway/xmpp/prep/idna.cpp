#include "gateway/xmpp/prep/idna.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/prep/precis.hpp"

#include <arpa/inet.h>
#include <unicode/bytestream.h>
#include <unicode/idna.h>
#include <unicode/unistr.h>

#include <memory>
#include <stdexcept>

namespace wherry::xmpp {

namespace {

base::Error refused_domain(std::string_view text) { return {base::Errc::bad_input, std::string(text)}; }

const icu::IDNA& idna() {
  static const std::unique_ptr<const icu::IDNA> instance = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<const icu::IDNA> created(icu::IDNA::createUTS46Instance(
        UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_CHECK_CONTEXTO |
            UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
        status));
    if (U_FAILURE(status)) throw std::runtime_error(std::string("ICU has no IDNA data: ") + u_errorName(status));
    return created;
  }();
  return *instance;
}

icu::StringPiece piece(std::string_view text) { return {text.data(), static_cast<int32_t>(text.size())}; }

base::Result<std::string> to_canonical_ipv6(std::string_view literal) {
  in6_addr address{};
  char text[INET6_ADDRSTRLEN];
  if (literal.back() != ']' || literal.size() > sizeof text ||
      inet_pton(AF_INET6, std::string(literal.substr(1, literal.size() - 2)).c_str(), &address) != 1 ||
      !inet_ntop(AF_INET6, &address, text, sizeof text)) {
    return refused_domain("The domain in brackets is no IPv6 address. Write it like [2001:db8::1].");
  }
  return "[" + std::string(text) + "]";
}

// UTS 46 lets symbols through that IDNA2003 knew. IDNA2008 takes letters, digits and marks (RFC 5892 §2): what is left
// of the identifier class of PRECIS once UTS 46 has mapped the name.
bool has_only_idna2008_characters(const std::string& domain) {
  const auto text = icu::UnicodeString::fromUTF8(domain);
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const auto c = static_cast<char32_t>(text.char32At(i));
    if (c >= 0x80 && !is_identifier_character(c)) return false;
  }
  return true;
}

}  // namespace

base::Result<std::string> to_canonical_domain(std::string_view domain) {
  if (!base::is_utf8(domain)) return refused_domain("The domain is not UTF-8.");
  if (domain.starts_with('[')) return to_canonical_ipv6(domain);

  std::string name;
  icu::StringByteSink<std::string> name_sink(&name);
  icu::IDNAInfo info;
  UErrorCode status = U_ZERO_ERROR;
  idna().nameToUnicodeUTF8(piece(domain), name_sink, info, status);
  if (U_FAILURE(status) || info.hasErrors()) return refused_domain("The domain is no valid domain name (IDNA).");
  if (name.ends_with('.')) name.pop_back();
  if (name.empty() || !has_only_idna2008_characters(name))
    return refused_domain("The domain is no valid domain name (IDNA2008).");

  // Only the ASCII form tells whether each label has at most 63 bytes there (RFC 5890 §2.3.2.1).
  std::string ascii;
  icu::StringByteSink<std::string> ascii_sink(&ascii);
  icu::IDNAInfo ascii_info;
  idna().nameToASCII_UTF8(piece(name), ascii_sink, ascii_info, status);
  if (U_FAILURE(status) || (ascii_info.getErrors() & ~std::uint32_t{UIDNA_ERROR_DOMAIN_NAME_TOO_LONG}) != 0) {
    return refused_domain("A label of the domain is too long.");
  }
  return name;
}

}  // namespace wherry::xmpp
