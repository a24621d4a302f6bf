#include "capture/netfilter_message.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>

#include <functional>
#include <string_view>

#include "capture/netlink_writer.h"

namespace weft::capture {
namespace {

constexpr std::uint32_t kLoopbackIndex = 1;  // in every network namespace
constexpr std::uint32_t kSourcePortOffset = 0, kDestinationPortOffset = 2;
// linux/netfilter/nf_conntrack_common.h and nf_nat.h, whose values C++ cannot read or that need the kernel's
// own headers.
constexpr std::uint32_t kStateInvalid = 1, kRangeOfPorts = 1u << 1;
constexpr std::uint8_t kPortUnreachable = 3;  // RFC 792

constexpr std::uint8_t number_of(Family family) {
  return family == Family::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

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

  void operator()(Protocol match) const { meta(NFT_META_L4PROTO), compare(raw(match.number)); }
  void operator()(Port match) const {
    payload(NFT_PAYLOAD_TRANSPORT_HEADER, match.source ? kSourcePortOffset : kDestinationPortOffset, 2);
    compare(raw(htons(match.number)), match.equal);
  }
  void operator()(Mark match) const { meta(NFT_META_MARK), compare(raw(match.value)); }
  void operator()(SocketUser match) const { meta(NFT_META_SKUID), compare(raw(match.id)); }
  void operator()(SocketGroup match) const { meta(NFT_META_SKGID), compare(raw(match.id), match.equal); }
  void operator()(ViaLoopback) const { meta(NFT_META_OIF), compare(raw(kLoopbackIndex)); }
  void operator()(const InputInterface& match) const { meta(NFT_META_IIFNAME), compare(padded(match.name)); }
  void operator()(const OutputInterface& match) const { meta(NFT_META_OIFNAME), compare(padded(match.name)); }
  void operator()(const Source& match) const {
    address(match.network, match.network.family == Family::kIpv4 ? 12 : 8, true);
  }
  void operator()(const Destination& match) const {
    address(match.network, match.network.family == Family::kIpv4 ? 16 : 24, match.inside);
  }
  void operator()(OneOf match) const {
    expression("numgen", [&] {
      batch_.number_be(NFTA_NG_DREG, NFT_REG_1);
      batch_.number_be(NFTA_NG_MODULUS, match.of);
      batch_.number_be(NFTA_NG_TYPE, NFT_NG_RANDOM);
    });
    compare(raw(std::uint32_t{0}));
  }
  void operator()(Invalid) const {
    expression("ct", [&] {
      batch_.number_be(NFTA_CT_KEY, NFT_CT_STATE);
      batch_.number_be(NFTA_CT_DREG, NFT_REG_1);
    });
    keep_bits(raw(kStateInvalid));
    compare(raw(std::uint32_t{0}), false);
  }

  void verdict(Verdict verdict) const {
    switch (verdict.kind) {
      case Verdict::Kind::kReturn: return final_verdict(static_cast<std::uint32_t>(NFT_RETURN));
      case Verdict::Kind::kDrop: return final_verdict(NF_DROP);
      case Verdict::Kind::kRedirect: return redirect(verdict.number);
      case Verdict::Kind::kZone: return zone(verdict.number);
      case Verdict::Kind::kDestination: return destination(verdict.address, verdict.number);
      case Verdict::Kind::kReset: return reject(NFT_REJECT_TCP_RST, 0);
      case Verdict::Kind::kUnreachable: return reject(NFT_REJECT_ICMP_UNREACH, kPortUnreachable);
    }
  }

 private:
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
  void compare(const std::string& value, bool equal = true) const {
    expression("cmp", [&] {
      batch_.number_be(NFTA_CMP_SREG, NFT_REG_1);
      batch_.number_be(NFTA_CMP_OP, equal ? NFT_CMP_EQ : NFT_CMP_NEQ);
      batch_.nested(NFTA_CMP_DATA, [&] { batch_.attribute(NFTA_DATA_VALUE, value); });
    });
  }
  /// Register 1 becomes what it shares with `mask`.
  void keep_bits(const std::string& mask) const {
    expression("bitwise", [&] {
      batch_.number_be(NFTA_BITWISE_SREG, NFT_REG_1);
      batch_.number_be(NFTA_BITWISE_DREG, NFT_REG_1);
      batch_.number_be(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()));
      batch_.nested(NFTA_BITWISE_MASK, [&] { batch_.attribute(NFTA_DATA_VALUE, mask); });
      batch_.nested(NFTA_BITWISE_XOR,
                    [&] { batch_.attribute(NFTA_DATA_VALUE, std::string(mask.size(), '\0')); });
    });
  }
  void address(const Network& network, std::uint32_t offset, bool inside) const {
    // A prefix of whole bytes is compared as it is, as nft does it: so its listing shows the prefix again.
    const std::size_t whole = network.prefix / 8u;
    const bool bits_left = network.prefix % 8u != 0;
    const std::size_t length = bits_left ? network.size() : whole;
    payload(NFT_PAYLOAD_NETWORK_HEADER, offset, static_cast<std::uint32_t>(length));
    if (bits_left) {
      std::string mask(network.size(), '\0');
      for (std::size_t bit = 0; bit < network.prefix; ++bit)
        mask[bit / 8] = static_cast<char>(mask[bit / 8] | (0x80 >> (bit % 8)));
      keep_bits(mask);
    }
    compare(std::string(network.bytes.begin(), network.bytes.begin() + static_cast<std::ptrdiff_t>(length)),
            inside);
  }

  void immediate(const std::string& value, std::uint32_t into = NFT_REG_1) const {
    expression("immediate", [&] {
      batch_.number_be(NFTA_IMMEDIATE_DREG, into);
      batch_.nested(NFTA_IMMEDIATE_DATA, [&] { batch_.attribute(NFTA_DATA_VALUE, value); });
    });
  }
  void final_verdict(std::uint32_t code) const {
    expression("immediate", [&] {
      batch_.number_be(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
      batch_.nested(NFTA_IMMEDIATE_DATA, [&] {
        batch_.nested(NFTA_DATA_VERDICT, [&] { batch_.number_be(NFTA_VERDICT_CODE, code); });
      });
    });
  }
  void redirect(std::uint16_t port) const {
    immediate(raw(htons(port)));
    expression("redir", [this] {
      batch_.number_be(NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
      batch_.number_be(NFTA_REDIR_FLAGS, kRangeOfPorts);
    });
  }
  void destination(std::uint32_t address, std::uint16_t port) const {
    immediate(raw(htonl(address)), NFT_REG_1);
    immediate(raw(htons(port)), NFT_REG_2);
    expression("nat", [this] {
      batch_.number_be(NFTA_NAT_TYPE, NFT_NAT_DNAT);
      batch_.number_be(NFTA_NAT_FAMILY, NFPROTO_IPV4);
      batch_.number_be(NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
      batch_.number_be(NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
      batch_.number_be(NFTA_NAT_FLAGS, kRangeOfPorts);
    });
  }
  void reject(std::uint32_t type, std::uint8_t code) const {
    expression("reject", [&] {
      batch_.number_be(NFTA_REJECT_TYPE, type);
      batch_.attribute(NFTA_REJECT_ICMP_CODE, raw(code));
    });
  }
  void zone(std::uint16_t number) const {
    immediate(raw(number));
    expression("ct", [this] {
      batch_.number_be(NFTA_CT_KEY, NFT_CT_ZONE);
      batch_.number_be(NFTA_CT_SREG, NFT_REG_1);
    });
  }

  static std::string padded(std::string name) {
    name.resize(IFNAMSIZ, '\0');
    return name;
  }

  NetlinkWriter& batch_;
};

constexpr int nf_tables(int type) { return (NFNL_SUBSYS_NFTABLES << 8) | type; }

std::uint32_t hook_of(Chain chain) {
  switch (chain) {
    case Chain::kOutput:
    case Chain::kOutputZone:
    case Chain::kServices:
    case Chain::kServicesRest: return NF_INET_LOCAL_OUT;
    case Chain::kPrerouting:
    case Chain::kPreroutingZone:
    case Chain::kPreroutingInvalid: break;
  }
  return NF_INET_PRE_ROUTING;
}

void add_table(NetlinkWriter& batch, Family family) {
  message(batch, nf_tables(NFT_MSG_NEWTABLE), NLM_F_CREATE, number_of(family), 0,
          [&] { batch.text(NFTA_TABLE_NAME, kTable); });
}

/// Whether it was there or not: what does not exist cannot be deleted, so it is made first.
void remove_table(NetlinkWriter& batch, Family family) {
  add_table(batch, family);
  message(batch, nf_tables(NFT_MSG_DELTABLE), 0, number_of(family), 0,
          [&] { batch.text(NFTA_TABLE_NAME, kTable); });
}

void add_chain(NetlinkWriter& batch, Family family, const ChainKind& kind) {
  message(batch, nf_tables(NFT_MSG_NEWCHAIN), NLM_F_CREATE, number_of(family), 0, [&] {
    batch.text(NFTA_CHAIN_TABLE, kTable);
    batch.text(NFTA_CHAIN_NAME, kind.name);
    batch.nested(NFTA_CHAIN_HOOK, [&] {
      batch.number_be(NFTA_HOOK_HOOKNUM, hook_of(kind.chain));
      batch.number_be(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(kind.priority));
    });
    batch.number_be(NFTA_CHAIN_POLICY, NF_ACCEPT);
    batch.text(NFTA_CHAIN_TYPE, kind.type);
  });
}

void add_rule(NetlinkWriter& batch, Family family, const ChainKind& kind, const Rule& rule) {
  message(batch, nf_tables(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND, number_of(family), 0, [&] {
    batch.text(NFTA_RULE_TABLE, kTable);
    batch.text(NFTA_RULE_CHAIN, kind.name);
    batch.nested(NFTA_RULE_EXPRESSIONS, [&] {
      const Expressions expressions(batch);
      for (const Match& match : rule.matches) std::visit(expressions, match);
      expressions.verdict(rule.verdict);
    });
  });
}

void empty_chain(NetlinkWriter& batch, Family family, const ChainKind& kind) {
  message(batch, nf_tables(NFT_MSG_DELRULE), 0, number_of(family), 0, [&] {
    batch.text(NFTA_RULE_TABLE, kTable);
    batch.text(NFTA_RULE_CHAIN, kind.name);
  });
}

enum class Chains : std::uint8_t { kNew, kThereAlready };

void add_set(NetlinkWriter& batch, const RuleSet& set, Chains chains) {
  add_table(batch, set.family);
  for (const ChainKind& kind : kChains) {
    if (!set.uses(kind.chain)) continue;
    add_chain(batch, set.family, kind);
    if (chains == Chains::kThereAlready) empty_chain(batch, set.family, kind);
    for (const Rule& rule : set.rules)
      if (rule.chain == kind.chain) add_rule(batch, set.family, kind, rule);
  }
}

std::string transaction(const std::function<void(NetlinkWriter&)>& steps) {
  NetlinkWriter batch;
  message(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  steps(batch);
  batch.acknowledge();
  message(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  return batch.take();
}

}  // namespace

std::string to_netlink(const std::vector<RuleSet>& sets) {
  return transaction([&](NetlinkWriter& batch) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) remove_table(batch, family);
    for (const RuleSet& set : sets) add_set(batch, set, Chains::kNew);
  });
}

std::string to_netlink_replacing_chains(const RuleSet& set) {
  return transaction([&](NetlinkWriter& batch) { add_set(batch, set, Chains::kThereAlready); });
}

}  // namespace weft::capture
