// What Debian's MongoDB driver could do with two libraries that a program cannot carry: Kerberos and the
// other mechanisms of Cyrus SASL, which load plugins and LDAP, and ICU, whose tables are 30 MB, for passwords
// outside ASCII. A static program answers in their place that there is no such thing; the driver passes it on
// as an error of connecting. SCRAM, X.509 and passwords in ASCII need neither.
#include <sasl/sasl.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

namespace {
constexpr const char* kNone = "this program has no SASL mechanisms";
}

extern "C" {

void sasl_set_mutex(sasl_mutex_alloc_t*, sasl_mutex_lock_t*, sasl_mutex_unlock_t*, sasl_mutex_free_t*) {}
int sasl_client_init(const sasl_callback_t*) { return SASL_OK; }
int sasl_client_done() { return SASL_OK; }
const char** sasl_global_listmech() { return nullptr; }
const char* sasl_errstring(int, const char*, const char**) { return kNone; }
const char* sasl_errdetail(sasl_conn_t*) { return kNone; }
void sasl_dispose(sasl_conn_t**) {}
int sasl_client_new(const char*, const char*, const char*, const char*, const sasl_callback_t*, unsigned,
                    sasl_conn_t**) {
  return SASL_NOMECH;
}
int sasl_client_start(sasl_conn_t*, const char*, sasl_interact_t**, const char**, unsigned*, const char**) {
  return SASL_NOMECH;
}
int sasl_client_step(sasl_conn_t*, const char*, unsigned, sasl_interact_t**, const char**, unsigned*) {
  return SASL_NOMECH;
}

UStringPrepProfile* usprep_openByType(UStringPrepProfileType, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
  return nullptr;
}
void usprep_close(UStringPrepProfile*) {}
int32_t usprep_prepare(const UStringPrepProfile*, const UChar*, int32_t, UChar*, int32_t, int32_t,
                       UParseError*, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
  return 0;
}
UChar* u_strFromUTF8(UChar*, int32_t, int32_t*, const char*, int32_t, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
  return nullptr;
}
char* u_strToUTF8(char*, int32_t, int32_t*, const UChar*, int32_t, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
  return nullptr;
}

}  // extern "C"
