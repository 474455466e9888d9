// A certificate for 127.0.0.1 that is made for one test, and a file that says who signed it: itself.
#pragma once

#include "gateway/base/text.hpp"

#include <boost/asio/ssl/context.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace wherry::tests {

class SelfSigned {
 public:
  SelfSigned() : path_(std::filesystem::temp_directory_path() / ("wherry-" + base::random_hex(8) + ".pem")) {
    const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const Certificate certificate(X509_new(), &X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600 * 24);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    const auto* text = reinterpret_cast<const unsigned char*>("localhost");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    add(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
    add(certificate.get(), NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) throw std::runtime_error("no certificate");
    if (FILE* file = std::fopen(path_.c_str(), "w")) {
      PEM_write_X509(file, certificate.get());
      std::fclose(file);
    }
    SSL_CTX_use_certificate(context_.native_handle(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.native_handle(), key.get());
  }
  ~SelfSigned() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  SelfSigned(const SelfSigned&) = delete;
  SelfSigned& operator=(const SelfSigned&) = delete;

  boost::asio::ssl::context& context() { return context_; }
  std::string path() const { return path_.string(); }

 private:
  using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
  using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
  static void add(X509* certificate, int kind, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  std::filesystem::path path_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_server};
};

}  // namespace wherry::tests
