#include "capture/netfilter_message.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <functional>
#include <string_view>

#include "capture/netlink_writer.h"

namespace weft::capture {
namespace {

constexpr int kPriorityDestinationNat = -100;
constexpr std::uint32_t kLoopbackIndex = 1;  // in every network namespace
constexpr std::uint32_t kSourceOffset = 12, kDestinationOffset = 16, kPortOffset = 2;

/// One nfnetlink message (linux/netfilter/nfnetlink.h): its header names the family, and the subsystem where
/// a batch begins and ends.
void message(NetlinkWriter& batch, int type, int flags, std::uint8_t family, std::uint16_t resource,
             const std::function<void()>& attributes = {}) {
  nfgenmsg general{};
  general.nfgen_family = family;
  general.version = NFNETLINK_V0;
  general.res_id = htons(resource);
  batch.message(static_cast<std::uint16_t>(type), static_cast<std::uint16_t>(flags), bytes_of(general),
                attributes);
}

template <class T>
std::string raw(T value) {
  return std::string(bytes_of(value));
}

/// The expressions of one rule: each loads something into register 1 and compares it there.
class Expressions {
 public:
  explicit Expressions(NetlinkWriter& batch) : batch_(batch) {}

  void operator()(IsTcp) const { meta(NFT_META_L4PROTO), compare(raw<std::uint8_t>(IPPROTO_TCP)); }
  void operator()(Mark match) const { meta(NFT_META_MARK), compare(raw(match.value)); }
  void operator()(SocketUser match) const { meta(NFT_META_SKUID), compare(raw(match.id)); }
  void operator()(SocketGroup match) const { meta(NFT_META_SKGID), compare(raw(match.id)); }
  void operator()(ViaLoopback) const { meta(NFT_META_OIF), compare(raw(kLoopbackIndex)); }
  void operator()(SourceAddress match) const {
    payload(NFT_PAYLOAD_NETWORK_HEADER, kSourceOffset, 4);
    compare(raw(htonl(match.address)));
  }
  void operator()(Destination match) const {
    // Whole bytes are compared as they are, so that the kernel's listing shows the prefix again.
    const std::uint32_t bytes = match.prefix / 8u;
    payload(NFT_PAYLOAD_NETWORK_HEADER, kDestinationOffset, bytes);
    compare(raw(htonl(match.network)).substr(0, bytes), match.inside ? NFT_CMP_EQ : NFT_CMP_NEQ);
  }
  void operator()(DestinationPort match) const {
    payload(NFT_PAYLOAD_TRANSPORT_HEADER, kPortOffset, 2);
    compare(raw(htons(match.port)));
  }

  void verdict_return() const {
    expression("immediate", [this] {
      batch_.number_be(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
      batch_.nested(NFTA_IMMEDIATE_DATA, [this] {
        batch_.nested(NFTA_DATA_VERDICT, [this] {
          batch_.number_be(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(NFT_RETURN));
        });
      });
    });
  }
  void redirect(std::uint16_t port) const {
    expression("immediate", [&] {
      batch_.number_be(NFTA_IMMEDIATE_DREG, NFT_REG_1);
      batch_.nested(NFTA_IMMEDIATE_DATA, [&] { batch_.attribute(NFTA_DATA_VALUE, raw(htons(port))); });
    });
    expression("redir", [this] {
      batch_.number_be(NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
      batch_.number_be(NFTA_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
    });
  }

 private:
  // linux/netfilter/nf_nat.h, which needs headers of the kernel's own.
  static constexpr std::uint32_t NF_NAT_RANGE_PROTO_SPECIFIED = 1u << 1;

  void expression(std::string_view name, const std::function<void()>& data) const {
    batch_.nested(NFTA_LIST_ELEM, [&] {
      batch_.text(NFTA_EXPR_NAME, name);
      batch_.nested(NFTA_EXPR_DATA, data);
    });
  }
  void meta(std::uint32_t key) const {
    expression("meta", [&] {
      batch_.number_be(NFTA_META_KEY, key);
      batch_.number_be(NFTA_META_DREG, NFT_REG_1);
    });
  }
  void payload(std::uint32_t base, std::uint32_t offset, std::uint32_t length) const {
    expression("payload", [&] {
      batch_.number_be(NFTA_PAYLOAD_DREG, NFT_REG_1);
      batch_.number_be(NFTA_PAYLOAD_BASE, base);
      batch_.number_be(NFTA_PAYLOAD_OFFSET, offset);
      batch_.number_be(NFTA_PAYLOAD_LEN, length);
    });
  }
  void compare(const std::string& value, std::uint32_t operation = NFT_CMP_EQ) const {
    expression("cmp", [&] {
      batch_.number_be(NFTA_CMP_SREG, NFT_REG_1);
      batch_.number_be(NFTA_CMP_OP, operation);
      batch_.nested(NFTA_CMP_DATA, [&] { batch_.attribute(NFTA_DATA_VALUE, value); });
    });
  }

  NetlinkWriter& batch_;
};

constexpr int nf_tables(int type) { return (NFNL_SUBSYS_NFTABLES << 8) | type; }

void add_chain(NetlinkWriter& batch, Chain chain) {
  message(batch, nf_tables(NFT_MSG_NEWCHAIN), NLM_F_CREATE | NLM_F_ACK, NFPROTO_IPV4, 0, [&] {
    batch.text(NFTA_CHAIN_TABLE, kTable);
    batch.text(NFTA_CHAIN_NAME, name_of(chain));
    batch.nested(NFTA_CHAIN_HOOK, [&] {
      batch.number_be(NFTA_HOOK_HOOKNUM, chain == Chain::kOutput ? NF_INET_LOCAL_OUT : NF_INET_PRE_ROUTING);
      batch.number_be(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(kPriorityDestinationNat));
    });
    batch.number_be(NFTA_CHAIN_POLICY, NF_ACCEPT);
    batch.text(NFTA_CHAIN_TYPE, "nat");
  });
}

void add_rule(NetlinkWriter& batch, const Rule& rule) {
  message(batch, nf_tables(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, NFPROTO_IPV4, 0, [&] {
    batch.text(NFTA_RULE_TABLE, kTable);
    batch.text(NFTA_RULE_CHAIN, name_of(rule.chain));
    batch.nested(NFTA_RULE_EXPRESSIONS, [&] {
      const Expressions expressions(batch);
      for (const Match& match : rule.matches) std::visit(expressions, match);
      if (rule.redirect_to != 0)
        expressions.redirect(rule.redirect_to);
      else
        expressions.verdict_return();
    });
  });
}

}  // namespace

std::string to_netlink(const std::vector<Rule>& rules) {
  NetlinkWriter batch;
  message(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  message(batch, nf_tables(NFT_MSG_NEWTABLE), NLM_F_CREATE | NLM_F_ACK, NFPROTO_IPV4, 0,
          [&] { batch.text(NFTA_TABLE_NAME, kTable); });
  add_chain(batch, Chain::kOutput);
  add_chain(batch, Chain::kPrerouting);
  for (const Rule& rule : rules) add_rule(batch, rule);
  message(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  return batch.take();
}

}  // namespace weft::capture
