#include "tests/e2e/lab/lab.hpp"

#include <signal.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>
#include <vector>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

// Nothing is asserted from these: they only bound a failing test.
constexpr auto kComesUp = std::chrono::seconds(90);
// Long enough for HAProxy's two checks and a monitor in between.
constexpr auto kForAWhile = std::chrono::milliseconds(700);

constexpr char kPacemaker[] =
    "pacemakerd pacemaker-based pacemaker-fenced pacemaker-execd pacemaker-attrd "
    "pacemaker-schedulerd pacemaker-controld";

std::string script(const std::string& name) {
  return std::string(GENAPP_SOURCE_DIR) + "/tests/e2e/lab/" + name;
}

std::string address_of(const Lab::Name& node, Lab::Network network) {
  return std::string(network == Lab::Network::users ? kUsersNode : kClusterNode) + node.substr(1);
}

std::string bridge(Lab::Network network) {
  return network == Lab::Network::users ? "users" : "cluster";
}

// The same after each boot: others would go on sending to the last one.
std::string hardware_address(Lab::Network network, int host) {
  return std::string("02:00:00:00:0") + (network == Lab::Network::users ? "1" : "2") + ":0" +
         std::to_string(host);
}

// The balancer's host, the first process of which is the lab's: bridges, and a folder that lives in
// memory and vanishes with it.
std::string balancer_setup(const std::string& folder) {
  if (::geteuid() != 0) {
    throw std::runtime_error(
        "a cluster in namespaces needs root, since Pacemaker changes users: run as root, or leave "
        "these tests out with GENAPP_E2E=off");
  }
  std::string script = "mount -t tmpfs -o mode=755 none " + folder + "\n";
  for (const Lab::Network network : {Lab::Network::users, Lab::Network::cluster}) {
    // With a hardware address of its own: else it would be a port's, and another's when that node
    // is switched off, and the nodes would send into the void until they ask again.
    script += "ip link add " + bridge(network) + " address " + hardware_address(network, 0) +
              " type bridge\nip link set " + bridge(network) + " up\n";
  }
  for (const char* address : {kBalancerAddress, kClientAddress, kNoiseAddress}) {
    script += std::string("ip address add ") + address + "/24 dev users\n";
  }
  return script;
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::istringstream text(read_file("/proc/" + number + "/task/" + number + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; text >> child;) children.push_back(child);
  return children;
}

// A first process's number in the pid namespace around its own.
std::string inner_number(pid_t init) {
  std::istringstream status(read_file("/proc/" + std::to_string(init) + "/status"));
  std::vector<std::string> numbers;
  for (std::string line; std::getline(status, line);) {
    if (line.find("NSpid:") != 0) continue;
    std::istringstream words(line.substr(6));
    for (std::string number; words >> number;) numbers.push_back(number);
  }
  if (numbers.size() < 2) throw std::runtime_error("a node's first process has no namespace");
  return numbers[numbers.size() - 2];
}

// The bridge's end of a node's link, and the node's.
std::string port_of(const Lab::Name& node, Lab::Network network) {
  return node + "-" + bridge(network);
}

Result run_or_throw(const Command& command) {
  Result result = run(command);
  if (result.exit_code != 0) {
    throw std::runtime_error(command.argv.back() + ": exit " + std::to_string(result.exit_code) +
                             ": " + result.err);
  }
  return result;
}

}  // namespace

Lab::Name other_than(const Lab::Name& node) { return node == "n1" ? "n2" : "n1"; }

Lab::Lab(const Responder& responder, const Timing& timing)
    : responder_(responder),
      timing_(timing),
      balancer_(Namespace::Network::own, balancer_setup(folder_.path())) {
  put("haproxy.cfg", haproxy_cfg());
  for (const Name node : {"n1", "n2"}) {
    const std::string agents = "usr/lib/ocf/resource.d/";
    balancer_.shell("mkdir -p " + (folder_ / node) + "\ncd " + (folder_ / node) +
                    "\nmkdir -p etc/corosync var/lib/pacemaker/cib " + agents + "genapp " + agents +
                    responder.provider + "\ncp " + GENAPP_LAB_APP + " " + agents +
                    "genapp/lab_app\ncp " + responder.agent + " " + agents + responder.provider +
                    "/" + responder.type + "\ncp " + script("fence_lab.sh") + " .");
    put(node + "/etc/corosync/corosync.conf", corosync_conf(timing));
    put(node + "/var/lib/pacemaker/cib/cib.xml", cib(responder, timing));
    balancer_.shell(script("node_folder.sh") + " " + (folder_ / node));
    make_host(node);
  }
  std::vector<Process> starting;
  for (const Name node : {"n1", "n2"}) starting.push_back(start_cluster(node));
  start_balancer();
  client_.emplace(balancer_.inside(
      {{GENAPP_LAB_CLIENT, "10", kClientAddress,
        std::string("users?=") + kBalancerAddress + ":" + std::to_string(kUsersPort),
        "n1=" + address_of("n1", Network::users) + ":" + std::to_string(kProbePort),
        "n2=" + address_of("n2", Network::users) + ":" + std::to_string(kProbePort)}}));
  for (Process& process : starting) {
    const Result result = process.wait();
    if (result.exit_code != 0) throw std::runtime_error("Corosync: " + result.err + logs());
  }
  if (!wait_until([this] { return ready("n1"); }, kComesUp) || serving().empty()) {
    throw std::runtime_error("the lab's cluster does not come up:\n" + logs());
  }
}

// In the balancer's mount namespace, where the folder has its content.
void Lab::put(const std::string& path, const std::string& text) const {
  Command command{{"sh", "-c", "cat >\"$1\"", "put", folder_ / path}};
  command.input = text;
  run_or_throw(balancer_.inside(std::move(command)));
}

void Lab::make_host(const Name& node) {
  Host& made = host(node);
  made.holder.emplace(
      balancer_.inside({{"unshare", "-n", "-m", "-u", "-i", "-p", "--fork", "--kill-child",
                         "--mount-proc", script("node_init.sh"), node, folder_ / node}}));
  const bool up =
      wait_until([&] { return !made.holder->running() || made.holder->out().find("ready") == 0; });
  if (!up || !made.holder->running()) {
    throw std::runtime_error("node " + node + " does not start: " + made.holder->err());
  }
  // nsenter, its fork, which has become unshare, and that one's child.
  const auto unshare = children_of(made.holder->pid());
  const auto init = unshare.empty() ? unshare : children_of(unshare[0]);
  if (init.empty()) throw std::runtime_error("node " + node + " has no first process");
  made.init = init[0];
  put(node + ".pid", inner_number(made.init) + "\n");

  for (const Network network : {Network::users, Network::cluster}) {
    // Not in the balancer's pid namespace, so that the node's process has the number that we know.
    run_or_throw(
        {{"nsenter", "-t", std::to_string(balancer_.init()), "-n", "ip", "link", "add",
          port_of(node, network), "type", "veth", "peer", "name", bridge(network), "address",
          hardware_address(network, node == "n1" ? 1 : 2), "netns", std::to_string(made.init)}});
    balancer_.shell("ip link set " + port_of(node, network) + " master " + bridge(network) + " up");
    shell(node, "ip address add " + address_of(node, network) + "/24 dev " + bridge(network) +
                    "\nip link set " + bridge(network) + " up");
  }
}

Process Lab::start_cluster(const Name& node) const {
  return Process(inside(node, script("node_start.sh")));
}

void Lab::boot(const Name& node) {
  make_host(node);
  const Result result = start_cluster(node).wait();
  if (result.exit_code != 0) throw std::runtime_error(node + " does not boot: " + result.err);
}

void Lab::power_off(const Name& node) {
  Host& off = host(node);
  // Unless fencing was here before.
  if (off.holder->running()) {
    for (const Network network : {Network::users, Network::cluster}) set_link(node, network, false);
    ::kill(off.init, SIGKILL);
  }
  off.holder->wait();
  off.holder.reset();
  off.init = 0;
  // The kernel takes the links away with the node's network, in its own time.
  for (const Network network : {Network::users, Network::cluster}) {
    const std::string port = port_of(node, network);
    balancer_.shell("ip link delete " + port + " 2>/dev/null || ! ip link show " + port +
                    " 2>/dev/null");
  }
}

Command Lab::inside(const Name& node, const std::string& script) const {
  return {{"nsenter", "-t", std::to_string(host(node).init), "-m", "-u", "-i", "-n", "-p", "--",
           "sh", "-ec", script}};
}

std::string Lab::shell(const Name& node, const std::string& script) const {
  return run_or_throw(inside(node, script)).out;
}

void Lab::signal_all(const Name& node, const std::string& names, int number) const {
  // Of the node's own pid namespace: nobody else is found there.
  shell(node, "for name in " + names + "; do for pid in $(pidof \"$name\"); do kill -" +
                  std::to_string(number) + " \"$pid\"; done; done");
}

void Lab::signal_pacemaker(const Name& node, int number) const {
  signal_all(node, kPacemaker, number);
}

void Lab::signal_corosync(const Name& node, int number) const {
  signal_all(node, "corosync", number);
}

void Lab::signal_app(const Name& node, int number) const {
  shell(node, "kill -" + std::to_string(number) + " $(cat /run/lab_app.pid)");
}

void Lab::signal_responder(const Name& node, int number) const {
  shell(node, "kill -" + std::to_string(number) + " $(" + responder_.pid + ")");
}

void Lab::end_responder_if_there(const Name& node) const {
  shell(node, "pid=$(" + responder_.pid + " 2>/dev/null) || exit 0\nkill -KILL $pid || true");
}

void Lab::make_app_ill(const Name& node) const { shell(node, ": >/run/lab_app.ill"); }

void Lab::set_link(const Name& node, Network network, bool up) const {
  balancer_.shell("ip link set " + port_of(node, network) + (up ? " up" : " down"));
}

void Lab::start_balancer() {
  haproxy_.emplace(balancer_.inside({{"haproxy", "-db", "-f", folder_ / "haproxy.cfg"}}));
}

void Lab::stop_balancer() { haproxy_.reset(); }

void Lab::make_noise() {
  noise_.emplace(
      balancer_.inside({{GENAPP_LAB_NOISE, kNoiseAddress, std::to_string(kProbePort), "500",
                         address_of("n1", Network::users), address_of("n2", Network::users)}}));
}

Moment Lab::now() const {
  return std::chrono::duration_cast<Moment>(std::chrono::steady_clock::now().time_since_epoch());
}

const Timeline& Lab::seen() {
  const std::string more = client_->out(read_);
  read_ += more.size();
  timeline_.add(more);
  return timeline_;
}

bool Lab::is_off(const Name& node) { return !host(node).holder->running(); }

bool Lab::serves_alone(const Name& node, Moment since, std::chrono::milliseconds limit) {
  const Name other = other_than(node);
  return wait_until(
      [&] {
        const Timeline& timeline = seen();
        const Moment from = now() - kForAWhile;
        if (from < since) return false;
        return all_since(timeline.of("users"), from, node) &&
               all_since(timeline.of(node), from, "+") && none_since(timeline.of(other), from);
      },
      limit);
}

Lab::Name Lab::serving() {
  Name found;
  wait_until(
      [&] {
        const Timeline& timeline = seen();
        const Moment from = now() - kForAWhile;
        for (const Name node : {"n1", "n2"}) {
          if (all_since(timeline.of("users"), from, node)) found = node;
        }
        return !found.empty();
      },
      kComesUp);
  return found;
}

// Asked of a node that has not just been booted.
bool Lab::ready(const Name& node) const {
  // One controller has been elected and has nothing left to do, and the other follows it. One that
  // is not there is waited for without end.
  const std::string states =
      run(inside(node, "timeout 1 crmadmin -S n1; timeout 1 crmadmin -S n2")).out;
  const std::string nodes = run(inside(node, "crm_mon -1 --output-as=xml")).out;
  const auto count = [&](const std::string& word) {
    std::size_t n = 0;
    for (auto at = nodes.find(word); at != std::string::npos; at = nodes.find(word, at + 1)) ++n;
    return n;
  };
  return states.find("S_IDLE") != std::string::npos &&
         states.find("S_NOT_DC") != std::string::npos &&
         count("online=\"true\" standby=\"false\"") == 2 &&
         count("lab_app\" role=\"Started\"") == 1 &&
         count(responder_.type + "\" role=\"Started\"") == 1 && count("<failure ") == 0;
}

bool Lab::ready_again() {
  const Name node = serving();
  if (node.empty()) return false;
  return wait_until(
      [&] {
        // Failures that come in late are forgotten too.
        run(inside(node, "crm_resource --cleanup"));
        return wait_until([&] { return ready(node); }, std::chrono::seconds(5));
      },
      kComesUp);
}

void Lab::use_quorum() const { set_property("no-quorum-policy", "stop"); }

void Lab::use_fencing() {
  fencer_.emplace(balancer_.inside({{script("power_switch.sh"), folder_.path()}}));
  shell("n1", "cibadmin -o resources -C -X '" + fence_resource(folder_.path()) + "'");
  set_property("no-quorum-policy", "ignore");
  set_property("priority-fencing-delay", "2s");
  set_property("stonith-enabled", "true");
}

void Lab::set_property(const std::string& name, const std::string& value) const {
  shell("n1", "crm_attribute -t crm_config -n " + name + " -v " + value);
}

std::string Lab::logs() const {
  std::string text;
  for (const Name node : {"n1", "n2"}) {
    if (!host(node).init) continue;
    text += "--- " + node + "\n" +
            run(inside(node,
                       "crm_mon -1rf || true; tail -n 40 /var/log/pacemaker/pacemaker.log "
                       "/var/log/corosync.log /var/log/pacemakerd.out"))
                .out;
  }
  return text + "--- HAProxy\n" + (haproxy_ ? haproxy_->out() + haproxy_->err() : "");
}

}  // namespace genapp::tests
