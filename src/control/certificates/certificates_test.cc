#include <gtest/gtest.h>

#include "base/base64.h"
#include "control/certificates/mesh_authority.h"
#include "control/certificates/root_publisher.h"
#include "control/certificates/serving_certificate.h"
#include "control/json.h"
#include "control/testing/memory_store.h"
#include "control/testing/objects.h"

namespace weft::control {
namespace {

using namespace std::chrono_literals;
constexpr tls::WallTime kNow{1'800'000'000s};

class CertificatesTest : public ::testing::Test {
 protected:
  Result<tls::CertificateAuthority> load() { return run(load_authority(store, "weft-system", kNow)); }
  Result<tls::CertificateAuthority> run(net::Task<Result<tls::CertificateAuthority>> task) {
    std::optional<Result<tls::CertificateAuthority>> answer;
    net::TaskScope tasks;
    tasks.spawn(into(answer, std::move(task)));
    loop->settle();
    return std::move(answer).value();
  }
  static net::Task<void> into(std::optional<Result<tls::CertificateAuthority>>& to,
                              net::Task<Result<tls::CertificateAuthority>> task) {
    to = co_await std::move(task);
  }
  void put_namespace(const std::string& name) {
    for (const auto& object :
         testing::objects("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n"))
      store.put(*object);
    loop->advance(1ms);
  }
  std::string published(const std::string& ns) {
    for (const auto& each : store.all(config_map))
      if (each->ns() == ns) return std::string(json::text(json::map(each->body, "data"), "root-cert.pem"));
    return {};
  }

  const api::KindInfo* config_map = api::find_kind_by_plural("", "configmaps");
  std::unique_ptr<net::Loop> loop = net::Loop::simulated();
  testing::MemoryStore store{*loop};
};

TEST_F(CertificatesTest, the_authority_is_made_once_and_read_by_everybody_after) {
  auto first = load(), second = load();
  ASSERT_TRUE(first) << first.error().text;
  ASSERT_TRUE(second);
  EXPECT_EQ(first->certificate_pem(), second->certificate_pem());
  auto info = tls::read_certificate(first->certificate_pem());
  EXPECT_TRUE(info->authority);
  EXPECT_GE(info->not_after - kNow, std::chrono::hours(24 * 3649));
}

TEST_F(CertificatesTest, an_authority_that_was_removed_is_not_made_again_by_who_only_looks) {
  auto made = load();
  ASSERT_TRUE(made);
  auto looked = run(stored_authority(store, "weft-system"));
  ASSERT_TRUE(looked) << looked.error().text;
  EXPECT_EQ(looked->certificate_pem(), made->certificate_pem());
  net::TaskScope tasks;
  tasks.spawn([](store::Store& from) -> net::Task<void> {
    (void)co_await from.remove({api::find_kind_by_plural("", "secrets"), "weft-system", kAuthoritySecret});
  }(store));
  loop->settle();
  EXPECT_EQ(run(stored_authority(store, "weft-system")).error().code, Code::kNotFound);
  EXPECT_TRUE(store.all(api::find_kind_by_plural("", "secrets")).empty());
}

TEST_F(CertificatesTest, a_secret_that_is_no_authority_is_an_error_and_stays_as_it_is) {
  for (const auto& object : testing::objects(
           "apiVersion: v1\nkind: Secret\nmetadata: {name: weft-ca, namespace: weft-system}\ntype: "
           "Opaque\ndata: {tls.crt: AAAA, tls.key: AAAA}\n"))
    store.put(*object);
  std::uint64_t before = store.version();
  auto loaded = load();
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().text.find("weft-system/weft-ca"), std::string::npos);
  EXPECT_EQ(store.version(), before);
}

TEST_F(CertificatesTest, the_serving_certificate_is_for_our_names_and_renewed_at_half_of_its_life) {
  tls::WallTime now = kNow;
  auto authority = load();
  ASSERT_TRUE(authority);
  auto made = ServingCertificate::make(*loop, *authority,
                                       {.dns_names = control_plane_names("weft-system"),
                                        .lifetime = std::chrono::hours(24),
                                        .now = [&now] { return now; }});
  ASSERT_TRUE(made) << made.error().text;
  auto source = (*made)->source("h2");
  auto before = source();
  std::string old = (*made)->certificate_pem();
  auto names = tls::read_certificate(old)->dns_names;
  EXPECT_NE(std::ranges::find(names, "weft-control.weft-system.svc"), names.end());
  EXPECT_NE(std::ranges::find(names, "weft-control.weft-system.svc.cluster.local"), names.end());
  now += std::chrono::hours(11);
  EXPECT_EQ(source(), before);
  now += std::chrono::hours(2);
  EXPECT_NE(source(), before);
  EXPECT_GT(tls::read_certificate((*made)->certificate_pem())->not_after,
            tls::read_certificate(old)->not_after);
}

TEST_F(CertificatesTest, the_serving_certificate_is_valid_by_a_clock_that_was_set_or_slept) {
  auto authority = load();
  ASSERT_TRUE(authority);
  auto now = kNow;
  auto made = ServingCertificate::make(
      *loop, *authority, {.dns_names = control_plane_names("weft-system"), .now = [&now] { return now; }});
  ASSERT_TRUE(made) << made.error().text;
  auto source = (*made)->source("h2");
  for (const auto step : {std::chrono::hours(30), std::chrono::hours(-26), std::chrono::hours(-1)}) {
    now += step;
    source();
    const auto info = tls::read_certificate((*made)->certificate_pem());
    EXPECT_LE(info->not_before, now) << step.count();
    EXPECT_GE(info->not_after, now + std::chrono::hours(12)) << step.count();
  }
}

TEST_F(CertificatesTest, every_namespace_has_the_root_new_ones_at_once_and_the_systems_never) {
  for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease", "local-path-storage"})
    put_namespace(name);
  RootPublisher publisher(*loop, store, "ROOT");
  publisher.start();
  loop->advance(1ms);
  EXPECT_EQ(published("default"), "ROOT");
  EXPECT_EQ(published("kube-system"), "ROOT");
  EXPECT_EQ(store.all(config_map).size(), 2u);
  put_namespace("shop");
  loop->advance(1ms);
  EXPECT_EQ(published("shop"), "ROOT");
}

TEST_F(CertificatesTest, a_root_that_is_edited_or_deleted_is_repaired) {
  put_namespace("default");
  RootPublisher publisher(*loop, store, "ROOT");
  publisher.start();
  loop->advance(1ms);
  api::Object edited = *store.all(config_map).at(0);
  edited.body["data"] = {{"root-cert.pem", "FORGED"}};
  store.put(edited);
  loop->advance(1ms);
  EXPECT_EQ(published("default"), "ROOT");
  net::TaskScope tasks;
  auto removal = [](testing::MemoryStore& from, api::Key key) -> net::Task<void> {
    (void)co_await from.remove(key);
  };
  tasks.spawn(removal(store, edited.key()));
  loop->advance(1ms);
  EXPECT_EQ(published("default"), "ROOT");
}

}  // namespace
}  // namespace weft::control
