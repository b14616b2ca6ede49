#include "agent/run/launcher.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <deque>

namespace genapp::agent {
namespace {

constexpr int kMostInATurn = 4;

}  // namespace

class Launcher::Impl : public std::enable_shared_from_this<Launcher::Impl> {
 public:
  explicit Impl(boost::asio::io_context& io) : io_(io) {}

  void add(Urgency urgency, std::function<void()> start) {
    waiting_[static_cast<std::size_t>(urgency)].push_back(std::move(start));
    if (!posted_) post();
  }

 private:
  void post() {
    posted_ = true;
    boost::asio::post(io_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->turn();
    });
  }

  void turn() {
    posted_ = false;
    for (int i = 0; i < kMostInATurn; ++i) {
      auto& first = waiting_[0].empty() ? waiting_[1] : waiting_[0];
      if (first.empty()) return;
      const auto start = std::move(first.front());
      first.pop_front();
      start();
    }
    if (!posted_ && !(waiting_[0].empty() && waiting_[1].empty())) post();
  }

  boost::asio::io_context& io_;
  std::array<std::deque<std::function<void()>>, 2> waiting_{};  // by Urgency
  bool posted_ = false;
};

Launcher::Launcher(boost::asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {}

Launcher::~Launcher() = default;

void Launcher::add(Urgency urgency, std::function<void()> start) {
  impl_->add(urgency, std::move(start));
}

}  // namespace genapp::agent
