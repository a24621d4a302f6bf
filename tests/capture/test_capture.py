"""What `weft capture` does to a pod's traffic: the statements about capture, each with real connections."""
import os
import select
import socket
import threading

import pytest

from pod import (DNS, FAR, FAR6, INBOUND, INJECTED, OUTBOUND, POD, POD6, SIDECAR, VIP, VIP6, WEFT)

BOTH = pytest.mark.parametrize("families", [{}, {"ipv4": False, "ipv6": True}], ids=["ipv4", "ipv6"])


class Addresses:
    """The places of one family."""

    def __init__(self, families):
        six = families.get("ipv6", False)
        self.pod, self.far, self.vip, self.localhost, self.inbound_source = (
            (POD6, FAR6, VIP6, "::1", "::6") if six else (POD, FAR, VIP, "127.0.0.1", "127.0.0.6"))


@pytest.fixture
def captured(make_pod):
    def make(families, *flags):
        pod = make_pod(**families)
        pod.capture(*(flags or INJECTED))
        return pod, Addresses(families)
    return make


def inject(**changes):
    """The injector's flags with others in their place: inject(i="10.0.0.0/8")."""
    words = list(INJECTED)
    for name, value in changes.items():
        if f"-{name}" in words:
            words[words.index(f"-{name}") + 1] = value
        else:
            words += [f"-{name}", value]
    return words


# Statement 14.

def test_twice_leaves_one_identical_rule_set_and_changed_flags_only_the_new_one(pod):
    pod.capture(*INJECTED)
    once = pod.rules()
    pod.capture(*INJECTED)
    assert pod.rules() == once
    changed = inject(i="10.0.0.0/8", o="3306")
    pod.capture(*changed)
    assert pod.rules() == pod.capture(*changed, "--print").stdout != once


def test_clean_leaves_nothing_and_may_be_repeated_and_spares_what_others_set(make_pod):
    pod = make_pod(ipv6=True)
    pod.inside.run("nft", "add table ip somebodys")
    pod.capture(*INJECTED, "--dual-stack")
    for _ in range(2):
        pod.capture("--clean")
        assert pod.rules() == "table ip somebodys {\n}\n"
        assert "inet6 ::6/128" not in pod.inside.run("ip", "address", "show", "lo").stdout
        assert pod.connect(FAR[0], 80) == (("outside", 80), (FAR[0], 80))


def test_no_connection_passes_by_while_the_rules_are_replaced(pod):
    pod.capture(*INJECTED)
    runs = [(WEFT, "capture", *inject(o="3306" if number % 2 else "")) for number in range(40)]
    replacing = threading.Thread(target=lambda: [pod.inside.run(*words) for words in runs])
    replacing.start()
    listener, = [each for each in pod.listeners["pod", OUTBOUND] if each.family == socket.AF_INET]
    connections = 0
    while replacing.is_alive():
        with pod.inside.dial(FAR[0], 80):
            accepted, _ = listener.accept()
            accepted.close()
        connections += 1
    replacing.join()
    assert connections > 40
    assert not select.select(pod.listeners["outside", 80], [], [], 0)[0]


# Statements 15 and 20.

def test_excluded_ranges_come_before_included_ones_and_included_ports_beside_them(captured):
    pod, _ = captured({}, *inject(i="10.0.0.0/8", x="10.1.0.0/16", q="80"))
    assert pod.connect("10.2.3.4", 443) == (("pod", OUTBOUND), ("10.2.3.4", 443))
    assert pod.connect("10.1.2.3", 443) == (("outside", 443), ("10.1.2.3", 443))
    assert pod.connect("10.1.2.3", 80) == (("outside", 80), ("10.1.2.3", 80))
    assert pod.connect("8.8.8.8", 443) == (("outside", 443), ("8.8.8.8", 443))
    assert pod.connect("8.8.8.8", 80) == (("pod", OUTBOUND), ("8.8.8.8", 80))


def test_ranges_of_ipv6_work_as_those_of_ipv4(captured):
    pod, _ = captured({"ipv4": False, "ipv6": True}, *inject(i="10.0.0.0/8,fd00::/8", x="fd10::/17", q="80"))
    assert pod.connect("fd08::8", 443) == (("pod", OUTBOUND), ("fd08::8", 443))
    assert pod.connect("fd10::1", 443) == (("outside", 443), ("fd10::1", 443))
    assert pod.connect("2001:db8::7", 443) == (("outside", 443), ("2001:db8::7", 443))
    assert pod.connect("2001:db8::7", 80) == (("pod", OUTBOUND), ("2001:db8::7", 80))


def test_no_range_captures_nothing_outbound_and_excluded_ports_never(captured):
    pod, _ = captured({}, *inject(i=""))
    assert pod.connect(FAR[0], 443)[0] == ("outside", 443)
    pod.capture(*inject(o="3306,15002", q="3306"))
    assert pod.connect(FAR[0], 3306)[0] == ("outside", 3306)
    assert pod.connect(FAR[0], 443)[0] == ("pod", OUTBOUND)


# Statement 16.

@BOTH
def test_the_sidecar_is_known_by_user_or_group_and_all_others_are_captured(captured, families):
    pod, at = captured(families)
    for who in ({"user": SIDECAR}, {"group": SIDECAR}, {"user": SIDECAR, "group": SIDECAR}):
        assert pod.connect(at.far[0], 443, **who) == (("outside", 443), (at.far[0], 443))
    for who in ({}, {"user": 1000, "group": 1000}, {"user": 1338}, {"group": 1336}):
        assert pod.connect(at.far[0], 443, **who) == (("pod", OUTBOUND), (at.far[0], 443))


def test_several_users_and_groups_may_be_sidecars(captured):
    pod, _ = captured({}, *inject(u="1337,1500", g="1600"))
    for who in ({"user": 1500}, {"group": 1600}):
        assert pod.connect(FAR[0], 443, **who)[0] == ("outside", 443)
        assert pod.connect(POD, 8080, **who)[0] == ("pod", INBOUND)
    assert pod.connect(FAR[0], 443, group=1337)[0] == ("pod", OUTBOUND)


def test_groups_can_be_chosen_by_the_environment(pod):
    pod.capture(*INJECTED, env={**os.environ, "ISTIO_OUTBOUND_OWNER_GROUPS": "2000,2001"})
    assert pod.connect(FAR[0], 443, group=2001)[0] == ("pod", OUTBOUND)
    assert pod.connect(FAR[0], 443)[0] == ("outside", 443)
    pod.capture(*INJECTED, env={**os.environ, "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE": "2000"})
    assert pod.connect(FAR[0], 443, group=2000)[0] == ("outside", 443)
    assert pod.connect(FAR[0], 443)[0] == ("pod", OUTBOUND)


# Statement 17.

@BOTH
def test_inbound_reaches_the_sidecar_but_on_its_own_ports_and_excluded_ones(captured, families):
    pod, at = captured(families, *inject(d="15090,15021,15020,9000"))
    for port in (8080, 1234):
        assert pod.connect(at.pod, port, start="outside") == (("pod", INBOUND), (at.pod, port))
    for port in (15008, 15020, 15021, 15090, 9000):
        assert pod.connect(at.pod, port, start="outside")[0] == ("pod", port)


def test_listed_inbound_ports_alone_are_captured_and_none_when_the_list_is_empty(captured):
    pod, _ = captured({}, *inject(b="8080,15020"))
    assert pod.connect(POD, 8080, start="outside")[0] == ("pod", INBOUND)
    assert pod.connect(POD, 15020, start="outside")[0] == ("pod", INBOUND)
    assert pod.connect(POD, 9000, start="outside")[0] == ("pod", 9000)
    pod.capture(*inject(b=""))
    assert pod.connect(POD, 8080, start="outside")[0] == ("pod", 8080)


# Statement 18.

@BOTH
@pytest.mark.parametrize("sidecar", [{"user": SIDECAR}, {"group": SIDECAR}], ids=["user", "group"])
def test_a_call_to_its_own_service_passes_the_inbound_side_once(captured, families, sidecar):
    pod, at = captured(families)
    # The application calls the Service; the sidecar takes it and chooses this very pod; what comes in goes to the
    # application from 127.0.0.6, and is not captured again.
    assert pod.connect(at.vip, 8080) == (("pod", OUTBOUND), (at.vip, 8080))
    assert pod.connect(at.pod, 8080, **sidecar) == (("pod", INBOUND), (at.pod, 8080))
    assert pod.connect(at.pod, 8080, source=at.inbound_source, **sidecar)[0] == ("pod", 8080)
    # A tunnel to this pod is for the sidecar as it is.
    assert pod.connect(at.pod, 15008, **sidecar)[0] == ("pod", 15008)


@BOTH
def test_calls_to_localhost_and_to_the_own_address_are_not_captured(captured, families):
    pod, at = captured(families)
    for who in ({}, {"user": 1000}):
        assert pod.connect(at.pod, 8080, **who)[0] == ("pod", 8080)
        assert pod.connect(at.localhost, 8080, **who)[0] == ("pod", 8080)
    assert pod.connect(at.localhost, 8080, user=SIDECAR)[0] == ("pod", 8080)


# Statement 21, and DNS.

def ask(space, to, source=None, text=b"?", **who):
    """Sends a datagram and returns the socket, which takes answers from that address alone."""
    def make():
        made = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.settimeout(5)
        if source:
            made.bind(source)
        made.connect(to)
        made.send(text)
        return made
    return space.call(make, **who)


def answered(listener, asked):
    """The listener gets the question and answers it; the one who asked gets the answer."""
    with asked:
        _, peer = listener.recvfrom(100)
        listener.sendto(b"!", peer)
        return asked.recv(100) == b"!"


@BOTH
def test_datagrams_are_not_touched(captured, families):
    pod, at = captured(families)
    six = families.get("ipv6", False)
    any_address = "::" if six else "0.0.0.0"
    for port in (53, 443):
        # Answers go out from the address that was asked: it is the one the socket is bound to.
        there, = pod.outside.listen(port, socket.SOCK_DGRAM, (at.far[0],))
        assert answered(there, ask(pod.inside, (at.far[0], port)))
        there.close()
    here, = pod.inside.listen(8080, socket.SOCK_DGRAM, (any_address,))
    assert answered(here, ask(pod.outside, (at.pod, 8080)))
    here.close()


def capture_with_resolver(pod, tmp_path, text, *flags, **options):
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text(text)
    return pod.inside.run("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                          resolv_conf, WEFT, "capture", *flags, **options)


@BOTH
def test_questions_to_the_pods_servers_go_to_the_sidecar_and_its_own_leave(make_pod, tmp_path, families):
    pod, at = make_pod(**families), Addresses(families)
    server, other = at.far[0], at.far[1]
    capture_with_resolver(pod, tmp_path, f"search a.b\nnameserver {server}\n", *INJECTED, "--redirect-dns")
    agent, = pod.inside.listen(DNS, socket.SOCK_DGRAM, (at.localhost,), user=SIDECAR)
    # A server's own address on this machine: the sidecar answers before rules for loopback are asked.
    real, = pod.outside.listen(53, socket.SOCK_DGRAM, (server,))
    elsewhere, = pod.outside.listen(53, socket.SOCK_DGRAM, (other,))
    assert answered(agent, ask(pod.inside, (server, 53)))
    assert answered(real, ask(pod.inside, (server, 53), user=SIDECAR))
    assert answered(real, ask(pod.inside, (server, 53), group=SIDECAR))
    assert answered(elsewhere, ask(pod.inside, (other, 53)))
    # TCP too.
    pod.listeners["pod", DNS] = pod.inside.listen(DNS, addresses=(at.localhost,))
    assert pod.connect(server, 53) == (("pod", DNS), (server, 53))
    assert pod.connect(server, 53, user=SIDECAR)[0] == ("outside", 53)
    assert pod.connect(other, 53)[0] == ("pod", OUTBOUND)
    for each in (agent, real, elsewhere):
        each.close()


def test_the_sidecars_question_leaves_although_the_application_asked_from_the_same_port(pod, tmp_path):
    capture_with_resolver(pod, tmp_path, f"nameserver {FAR[0]}\n", *INJECTED, "--redirect-dns")
    agent, = pod.inside.listen(DNS, socket.SOCK_DGRAM, ("127.0.0.1",), user=SIDECAR)
    real, = pod.outside.listen(53, socket.SOCK_DGRAM, (FAR[0],))
    source = (POD, 40000)
    with ask(pod.inside, (FAR[0], 53), source, b"application"):
        assert agent.recv(100) == b"application"
        with ask(pod.inside, (FAR[0], 53), source, b"sidecar", user=SIDECAR):
            assert real.recv(100) == b"sidecar"
    agent.close()
    real.close()


def test_a_server_on_loopback_is_captured_and_excluded_port_53_is_not(pod, tmp_path):
    capture_with_resolver(pod, tmp_path, "nameserver 127.0.0.53\n", *INJECTED, "--redirect-dns")
    agent, = pod.inside.listen(DNS, socket.SOCK_DGRAM, ("127.0.0.1",), user=SIDECAR)
    local, = pod.inside.listen(53, socket.SOCK_DGRAM, ("127.0.0.53",))
    assert answered(agent, ask(pod.inside, ("127.0.0.53", 53)))
    assert answered(local, ask(pod.inside, ("127.0.0.53", 53), user=SIDECAR))
    capture_with_resolver(pod, tmp_path, "nameserver 127.0.0.53\n", *inject(o="53"), "--redirect-dns")
    assert answered(local, ask(pod.inside, ("127.0.0.53", 53)))
    agent.close()
    local.close()


def test_all_questions_are_captured_when_asked_for(pod):
    pod.capture(*INJECTED, "--redirect-dns", "--capture-all-dns")
    agent, = pod.inside.listen(DNS, socket.SOCK_DGRAM, ("127.0.0.1",), user=SIDECAR)
    assert answered(agent, ask(pod.inside, (FAR[1], 53)))
    agent.close()


def test_without_a_server_dns_is_left_alone_with_a_warning(pod, tmp_path):
    done = capture_with_resolver(pod, tmp_path, "search a.b\n", *INJECTED, "--redirect-dns")
    assert "DNS is not captured" in done.stderr and "--capture-all-dns" in done.stderr
    assert pod.rules() == pod.capture(*INJECTED, "--print").stdout


# Statement 24.

def test_an_ipv4_pod_has_no_rule_of_ipv6_and_an_ipv6_pod_has_both(make_pod):
    four, six = make_pod(), make_pod(ipv4=False, ipv6=True)
    for pod in (four, six):
        pod.capture(*INJECTED, "--dual-stack")
    assert "ip6" not in four.rules() and "::6" not in four.inside.run("ip", "address", "show", "lo").stdout
    assert "table ip weft" in six.rules() and "table ip6 weft" in six.rules()
    assert "inet6 ::6/128" in six.inside.run("ip", "address", "show", "lo").stdout


def test_a_pod_of_both_families_has_rules_of_ipv6_when_dual_stack_is_said(make_pod):
    pod = make_pod(ipv6=True)
    pod.capture(*INJECTED)
    assert "ip6" not in pod.rules()
    for _ in range(2):
        pod.capture(*INJECTED, "--dual-stack")
    assert pod.rules() == pod.capture(*INJECTED, "--dual-stack", "--print").stdout
    assert pod.connect(FAR6[0], 443)[0] == pod.connect(FAR[0], 443)[0] == ("pod", OUTBOUND)
    pod.capture(*INJECTED)
    assert "ip6" not in pod.rules()


def test_of_two_families_the_address_that_injection_gives_decides(make_pod):
    pod = make_pod(ipv6=True)
    pod.capture(*INJECTED, env={**os.environ, "INSTANCE_IP": FAR6[0]})
    assert "table ip weft" in pod.rules() and "table ip6 weft" in pod.rules()
    assert pod.connect(FAR6[0], 443)[0] == pod.connect(FAR[0], 443)[0] == ("pod", OUTBOUND)
    pod.capture(*INJECTED, env={**os.environ, "INSTANCE_IP": "10.0.0.7"})
    assert "ip6" not in pod.rules()
    six = make_pod(ipv4=False, ipv6=True)
    six.capture(*INJECTED)
    assert "table ip6 weft" in six.rules()


# Interfaces.

def test_an_excluded_interface_is_left_alone_in_both_directions(captured):
    pod, _ = captured({}, *inject(c="eth0"))
    assert pod.connect(FAR[0], 443)[0] == ("outside", 443)
    assert pod.connect(POD, 8080, start="outside")[0] == ("pod", 8080)


def test_what_comes_from_a_virtual_interface_counts_as_outbound(captured):
    pod, _ = captured({}, *inject(i="10.0.0.0/8", k="eth0"))
    # The namespace outside plays the virtual machine: the pod is its way to everywhere.
    pod.outside.run("ip", "route", "add", "10.99.0.0/16", "via", POD)
    pod.outside.run("ip", "route", "add", "11.99.0.0/16", "via", POD)
    assert pod.connect("10.99.0.1", 443, start="outside") == (("pod", OUTBOUND), ("10.99.0.1", 443))
    assert pod.connect(POD, 8080, start="outside")[0] == ("pod", OUTBOUND)
    pod.inside.run("ip", "address", "add", "11.99.0.1/32", "dev", "lo")
    assert pod.connect("11.99.0.1", 8080, start="outside")[0] == ("pod", 8080)


# What is printed.

EVERYTHING = inject(i="10.0.0.0/9,fd00::/33", x="10.1.0.0/16,fd01::1", q="80", o="3306", k="vm0", c="eth1",
                    u="1337,1500") + ["--redirect-dns", "--capture-all-dns", "--dual-stack", "--drop-invalid"]


def test_what_is_printed_is_what_nft_takes_and_the_kernel_has(make_pod):
    pod = make_pod(ipv6=True)
    printed = pod.capture(*EVERYTHING, "--print", "nft").stdout
    assert pod.rules() == ""
    pod.capture(*EVERYTHING)
    assert pod.rules() == printed
    pod.capture("--clean")
    pod.inside.run("nft", "-f", "-", input=printed)
    assert pod.rules() == printed


def test_what_is_printed_for_iptables_is_what_both_restores_take(make_pod):
    pod = make_pod(ipv6=True)
    printed = pod.capture(*EVERYTHING, "--print", "iptables").stdout
    for program in ("iptables-restore", "ip6tables-restore"):
        pod.inside.run(program, "--noflush", input=printed)
    rules = [line for line in printed.splitlines() if line.startswith("-A")]
    for flag, program in ((" -4 ", "iptables-save"), (" -6 ", "ip6tables-save")):
        saved = [line for line in pod.inside.run(program).stdout.splitlines() if line.startswith("-A")]
        assert len(saved) == sum(flag in line for line in rules) > 20
    # The same traffic goes the same ways.
    assert pod.connect("10.2.3.4", 443) == (("pod", OUTBOUND), ("10.2.3.4", 443))
    assert pod.connect("10.1.2.3", 443)[0] == ("outside", 443)
    assert pod.connect("10.2.3.4", 443, group=1500)[0] == ("outside", 443)
    assert pod.connect(POD, 8080, start="outside") == (("pod", INBOUND), (POD, 8080))
    assert pod.connect(POD, 8080, user=SIDECAR)[0] == ("pod", INBOUND)


# Rights, files and wrong words.

def bounded(*capabilities):
    added = "".join(f",+{each}" for each in capabilities)
    return ("setpriv", f"--bounding-set=-all{added}", f"--inh-caps=-all{added}", "--no-new-privs")


def test_net_admin_is_all_it_needs_and_is_named_when_it_is_missing(make_pod):
    pod = make_pod(ipv6=True)
    flags = (*INJECTED, "--dual-stack")
    done = pod.inside.run(*bounded(), WEFT, "capture", *flags, ok=False)
    assert done.returncode == 1 and "NET_ADMIN" in done.stderr and pod.rules() == ""
    pod.inside.run(*bounded("net_admin"), WEFT, "capture", *flags)
    assert pod.rules() == pod.capture(*flags, "--print").stdout
    done = pod.inside.run(*bounded(), WEFT, "capture", "--clean", ok=False)
    assert done.returncode == 1 and "NET_ADMIN" in done.stderr and "table ip weft" in pod.rules()


def test_a_root_that_holds_nothing_else_and_is_read_only_will_do(pod, tmp_path):
    binary = WEFT.read_bytes()
    # A program with libraries beside it, as sanitizers need them, finds them in the machine's own root.
    static = b"/lib64/ld-linux" not in binary[:4096]
    root, program = tmp_path / "root", "/weft" if static else str(WEFT)
    root.mkdir()
    if static:
        (root / "weft").write_bytes(binary)
        (root / "weft").chmod(0o755)
    script = ('from="$1" root="$2"; shift 2; mount --rbind "$from" "$root" && mount -o remount,bind,ro "$root" && '
              '! touch "$root/x" 2>/dev/null && exec chroot "$root" "$@"')
    pod.inside.run("unshare", "--mount", *bounded("net_admin", "sys_chroot", "sys_admin"), "sh", "-c", script, "sh",
                   root if static else "/", root, program, "capture", *INJECTED)
    assert pod.rules() == pod.capture(*INJECTED, "--print").stdout


@pytest.mark.parametrize("words, named", [
    (["-x", "*"], ["-x/", "'*'", "-i ''"]),
    (["-m", "TPROXY"], ["-m/", "TPROXY", "REDIRECT"]),
    (["-b", "80,http"], ["-b/", "'http'", "a port from 1 to 65535"]),
    (["--istio-service-cidr", "10.0.0.0/40"], ["--istio-service-cidr", "'10.0.0.0/40'", "10.0.0.0/8"]),
    (["-k", "a-name-of-16-byte"], ["-k/", "at most 15 characters"]),
    (["--print", "xml"], ["--print", "'xml'", "nft or iptables"]),
    (["--log-level", "loud"], ["--log-level", "'loud'", "warning"]),
    (["--clean", "--print"], ["--clean"]),
    (["--no-such-flag"], ["--no-such-flag"]),
    (["-p"], ["--envoy-port"]),
])
def test_a_wrong_word_is_named_and_sets_nothing(pod, words, named):
    done = pod.capture(*words, ok=False)
    assert done.returncode == 2 and pod.rules() == ""
    for part in named:
        assert part in done.stderr


# The self-check.

AS_SIDECAR = ("setpriv", f"--reuid={SIDECAR}", f"--regid={SIDECAR}", "--clear-groups", "--inh-caps=-all",
              "--no-new-privs")


@pytest.mark.parametrize("who", [(), AS_SIDECAR], ids=["root", "sidecar"])
def test_the_self_check_tells_rules_in_force_from_others(make_pod, who):
    pod = make_pod(ipv6=True)
    # The listeners of this harness are in the places of the sidecar's, which comes later.
    for port in (OUTBOUND, INBOUND):
        for listener in pod.listeners.pop(("pod", port)):
            listener.close()
    check = (*who, WEFT, "capture", *INJECTED, "--dual-stack", "--run-validation", "--skip-rule-apply")
    done = pod.inside.run(*check, ok=False)
    assert done.returncode == 126 and "self-check" in done.stderr
    pod.capture(*INJECTED, "--dual-stack")
    pod.inside.run(*check)
    pod.inside.run("nft", "flush", "table", "ip6", "weft")
    assert pod.inside.run(*check, ok=False).returncode == 126


def test_setting_and_checking_is_one_command(make_pod):
    pod = make_pod()
    done = pod.capture(*INJECTED, "--run-validation", ok=False)
    assert done.returncode == 126 and "in use" in done.stderr
    for listener in pod.listeners.pop(("pod", OUTBOUND)):
        listener.close()
    pod.capture(*INJECTED, "--run-validation")
