#include "tests/support/certificate.hpp"

#include <cppunit/Asserter.h>
#include <cppunit/TestAssert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace ocelot::test {
namespace {

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* what) const { Free(what); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Paper = std::unique_ptr<X509, Freed<X509, X509_free>>;

void addExtension(X509* paper, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  CPPUNIT_ASSERT(extension);
  X509_add_ext(paper, extension, -1);
  X509_EXTENSION_free(extension);
}

template <class Write>
void writeFile(const std::string& path, Write write) {
  FILE* file = std::fopen(path.c_str(), "w");
  CPPUNIT_ASSERT(file);
  CPPUNIT_ASSERT_EQUAL(1, write(file));
  std::fclose(file);
}

}  // namespace

Certificate::Certificate(const std::string& names, long valid_seconds) {
  char folder[] = "/tmp/ocelot-cert-test-XXXXXX";
  CPPUNIT_ASSERT(mkdtemp(folder));
  folder_ = folder;
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const Paper paper(X509_new());
  CPPUNIT_ASSERT(key && paper);
  X509_set_version(paper.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(paper.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(paper.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(paper.get()), valid_seconds);
  X509_set_pubkey(paper.get(), key.get());
  X509_NAME* name = X509_get_subject_name(paper.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("ocelot test"), -1, -1,
                             0);
  X509_set_issuer_name(paper.get(), name);
  addExtension(paper.get(), NID_subject_alt_name, names);
  addExtension(paper.get(), NID_basic_constraints, "critical,CA:TRUE");
  CPPUNIT_ASSERT(X509_sign(paper.get(), key.get(), EVP_sha256()) > 0);
  writeFile(certificate(), [&](FILE* file) { return PEM_write_X509(file, paper.get()); });
  writeFile(this->key(),
            [&](FILE* file) { return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

Certificate::~Certificate() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace ocelot::test
