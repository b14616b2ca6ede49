#include "monitor/resolver.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <strings.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/defer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "common/printable.hpp"
#include "monitor/events.hpp"

namespace genapp::monitor {
namespace {

namespace asio = boost::asio;

// The name service's modules read their files and talk to their servers on this stack: four times
// what they are known to take. Less than a huge page, or the kernel could make one of it.
constexpr std::size_t kThreadStack = 512 * 1024;
// So many addresses of a name are tried; more would leave each no time to answer.
constexpr std::size_t kMostAddresses = 16;

std::string without_brackets(const std::string& host) {
  const bool has = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return has ? host.substr(1, host.size() - 2) : host;
}

// RFC 6761, 6.3: localhost and the names below it, with or without the root's dot.
bool is_localhost(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  constexpr std::string_view kName = "localhost";
  if (name.size() < kName.size()) return false;
  const std::size_t at = name.size() - kName.size();
  return ::strcasecmp(name.c_str() + at, kName.data()) == 0 && (at == 0 || name[at - 1] == '.');
}

std::string address_text(const addrinfo& item) {
  std::array<char, NI_MAXHOST> text{};
  const bool known = ::getnameinfo(item.ai_addr, item.ai_addrlen, text.data(), text.size(), nullptr,
                                   0, NI_NUMERICHOST) == 0;
  return known ? text.data() : "";
}

// With AI_NUMERICHOST it asks nobody and does not block.
Addresses ask(const std::string& name, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  Addresses result;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (error == EAI_SYSTEM) result.error = errno;
  for (const addrinfo* item = error ? nullptr : found; item && result.list.size() < kMostAddresses;
       item = item->ai_next) {
    std::string text = address_text(*item);
    if (!text.empty()) result.list.push_back(std::move(text));
  }
  if (found) ::freeaddrinfo(found);
  if (result.list.empty()) {
    result.reason = "looking up " + common::quoted(name, 255) + ": " +
                    (result.error ? errno_words(result.error)
                     : error      ? std::string(::gai_strerror(error))
                                  : std::string("no address that can be connected to"));
  }
  return result;
}

// What needs no name server; an empty list otherwise.
Addresses known_without_asking(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
      ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1) {
    return {{name}};
  }
  if (is_localhost(name)) return {{"::1", "127.0.0.1"}};
  return ask(name, AI_NUMERICHOST);  // "fe80::1%eth0", and the old ways to write an address
}

}  // namespace

class Resolver::Impl : public std::enable_shared_from_this<Resolver::Impl> {
 public:
  explicit Impl(asio::io_context& io) : io_(&io) {}

  // From here on no thread touches the event loop.
  void leave() {
    const std::lock_guard lock(mutex_);
    io_ = nullptr;
  }

  std::shared_ptr<void> look_up(const std::string& host, Done done) {
    const auto waiter = std::make_shared<Waiter>(*io_, std::move(done));
    const std::string name = without_brackets(host);
    Addresses known = known_without_asking(name);
    if (!known.list.empty()) {
      answer_later(waiter, std::move(known));
      return waiter;
    }
    auto& waiting = waiting_[name];
    const bool asked = !waiting.empty();
    // Otherwise a name server that is silent for ever would make the list grow with every check.
    std::erase_if(waiting, [](const std::weak_ptr<Waiter>& old) { return old.expired(); });
    waiting.push_back(waiter);
    if (asked) return waiter;
    if (const int error = start_thread(name)) {
      waiting_.erase(name);
      answer_later(
          waiter, {{},
                   error,
                   "a thread to look up " + common::quoted(name, 255) + ": " + errno_words(error)});
    }
    return waiter;
  }

 private:
  // Who waits for a result. It keeps the event loop from ending.
  struct Waiter {
    Waiter(asio::io_context& io, Done what) : done(std::move(what)), work(io.get_executor()) {}

    Done done;
    asio::executor_work_guard<asio::io_context::executor_type> work;
  };

  struct Task {
    std::shared_ptr<Impl> owner;
    std::string name;
  };

  static void tell(const std::weak_ptr<Waiter>& who, const Addresses& result) {
    const std::shared_ptr<Waiter> waiter = who.lock();
    if (!waiter) return;
    waiter->work.reset();
    if (const Done done = std::exchange(waiter->done, nullptr)) done(result);
  }

  void answer_later(const std::weak_ptr<Waiter>& waiter, Addresses result) {
    asio::defer(*io_, [waiter, result = std::move(result)] { tell(waiter, result); });
  }

  // Returns an errno. Nobody waits for the thread's end, not even the end of the process:
  // getaddrinfo can't be interrupted.
  int start_thread(const std::string& name) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    ::pthread_attr_setstacksize(&attributes, kThreadStack);
    auto task = std::make_unique<Task>(Task{shared_from_this(), name});
    // The thread inherits the mask: signals are for the event loop.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread{};
    const int error = ::pthread_create(&thread, &attributes, &Impl::run, task.get());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_attr_destroy(&attributes);
    if (!error) static_cast<void>(task.release());  // run() has it
    return error;
  }

  // In a thread of its own.
  static void* run(void* argument) {
    const std::unique_ptr<Task> task(static_cast<Task*>(argument));
    Addresses result = ask(task->name, 0);
    task->owner->hand_over(task->name, std::move(result));
    return nullptr;
  }

  void hand_over(const std::string& name, Addresses result) {
    const std::lock_guard lock(mutex_);
    if (!io_) return;
    asio::post(*io_, [weak = weak_from_this(), name, result = std::move(result)] {
      if (const auto self = weak.lock()) self->answer(name, result);
    });
  }

  void answer(const std::string& name, const Addresses& result) {
    // Taken out first: who is told may ask again.
    const auto waiting = std::exchange(waiting_[name], {});
    waiting_.erase(name);
    for (const auto& waiter : waiting) tell(waiter, result);
  }

  std::mutex mutex_;  // of io_, against the threads; the event loop's own thread reads it freely
  asio::io_context* io_;  // none once the Resolver is gone
  // By name, while its thread is under way: never an empty list, though all in it may have left.
  std::map<std::string, std::vector<std::weak_ptr<Waiter>>> waiting_;
};

Resolver::Resolver(asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {}

Resolver::~Resolver() { impl_->leave(); }

std::shared_ptr<void> Resolver::look_up(const std::string& host, Done done) {
  return impl_->look_up(host, std::move(done));
}

}  // namespace genapp::monitor
