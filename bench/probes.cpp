// What answering a probe costs, and how soon it is answered.

#include "bench/client.hpp"
#include "bench/node.hpp"
#include "bench/options.hpp"
#include "bench/responders.hpp"
#include "bench/rounds.hpp"

namespace genapp::bench {
namespace {

constexpr int kServerCpu = 0;
constexpr int kClientCpu = 1;
constexpr char kGet[] =
    "GET /health HTTP/1.1\r\nHost: node\r\nUser-Agent: Load Balancer Agent\r\n"
    "Connection: close\r\n\r\n";

struct Kind {
  Answer answer;
  const char* title;
  const char* request;
  bool reads_reply;
};
constexpr Kind kKinds[] = {
    {Answer::tcp_reply, "tcp, reply \"OK\"", "", true},
    {Answer::tcp_nothing, "tcp, no reply: connect and close", "", false},
    {Answer::http, "http GET", kGet, true},
};

// One round of one responder: started afresh, loaded, ended.
void measure(const Responder& responder, std::uint16_t port, const Load& load, Rounds& rounds) {
  run_on_cpu(kServerCpu);
  Server server(responder.program);
  run_on_cpu(kClientCpu);
  wait_for_listener(port);
  const double before = cpu_us_of(server.pid());
  const LoadResult result = run_load(port, load);
  const double cpu = server.end_and_get_cpu_us() - before;
  const auto answered = static_cast<double>(result.latencies_us.size());
  rounds.add(responder.name, "server CPU us per probe", cpu / answered);
  rounds.add(responder.name, "answers per s", answered / result.seconds);
  rounds.add(responder.name, "p50 us", quantile(result.latencies_us, 0.5));
  rounds.add(responder.name, "p99 us", quantile(result.latencies_us, 0.99));
  rounds.add(responder.name, "p999 us", quantile(result.latencies_us, 0.999));
  rounds.add(responder.name, "lost", result.lost);
}

Rounds compare(const Kind& kind, int clients, const Options& options) {
  Rounds rounds(std::string(kind.title) + ", " + std::to_string(clients) +
                    (clients == 1 ? " client" : " clients"),
                kLimit, {"server CPU us per probe"});
  const Folder folder;
  Node node;
  const auto port = static_cast<std::uint16_t>(free_port());
  const auto all = responders(kind.answer, port, folder, node);
  for (int round = 0; round < options.rounds; ++round) {
    for (const Responder& responder : all) {
      const Load load{.clients = clients,
                      .probes = options.runs,
                      .request = kind.request,
                      .reads_reply = kind.reads_reply};
      measure(responder, port, load, rounds);
    }
  }
  return rounds;
}

void benchmark(const Options& options) {
  use_private_network();
  std::vector<Rounds> tables;
  for (const Kind& kind : kKinds) {
    for (const int clients : {1, 64}) tables.push_back(compare(kind, clients, options));
  }
  report(tables, options.json);
}

}  // namespace
}  // namespace genapp::bench

int main(int argc, char** argv) {
  return genapp::bench::run_benchmark(argc, argv,
                                      "probes of each responder a round, in 5 s at most", 20'000,
                                      genapp::bench::benchmark);
}
