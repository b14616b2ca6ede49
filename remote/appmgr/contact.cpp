#include "remote/appmgr/contact.hpp"

#include <algorithm>

namespace genapp::remote {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr auto kFirstDelay = 100ms;
constexpr auto kMostDelay = 1s;
// What a server on a loaded machine may take to start a command; more than its own deadline.
constexpr auto kUseTime = 30s;

}  // namespace

Contact::Contact(Length timeout, Time now)
    : timeout_(timeout),
      retry_at_(now),
      begun_(now),
      heard_(now),
      pinged_(now),
      contact_(now),
      before_(now),
      seen_(now) {}

void Contact::connecting(Time now) {
  state_ = State::connecting;
  begun_ = now;
}

void Contact::opened(Time now) {
  state_ = State::open;
  useful_ = false;
  begun_ = heard_ = pinged_ = now;
  before_ = contact_;
  contact_ = now;
}

void Contact::heard(Time now) {
  if (state_ != State::open) return;
  heard_ = contact_ = now;
}

void Contact::useful(Time now) {
  if (state_ != State::open) return;
  useful_ = ever_useful_ = true;
  contact_ = now;
  delay_ = {};
}

void Contact::lost(Time now) {
  if (state_ == State::open && !useful_) contact_ = before_;
  state_ = State::apart;
  delay_ = std::clamp<Length>(delay_ * 2, kFirstDelay, kMostDelay);
  retry_at_ = now + delay_;
}

void Contact::pinged(Time now) { pinged_ = now; }

void Contact::skip_own_pause(Time now) {
  const Length pause = now - seen_;
  seen_ = now;
  if (pause < timeout_ / 3) return;
  for (Time* const when : {&retry_at_, &begun_, &heard_, &pinged_, &contact_, &before_}) {
    *when = std::min(*when + pause, now);
  }
}

Contact::Act Contact::due(Time now) {
  skip_own_pause(now);
  if (now >= give_up_at()) return Act::give_up;
  switch (state_) {
    case State::apart:
      return now >= retry_at_ ? Act::connect : Act::nothing;
    case State::connecting:
      return now >= attempt_ends() ? Act::drop : Act::nothing;
    case State::open:
      break;
  }
  if (now >= heard_ + timeout_ / 3) return Act::drop;
  if (!useful_ && now >= begun_ + std::max<Length>(timeout_, kUseTime)) return Act::drop;
  return now >= std::max(heard_, pinged_) + timeout_ / 9 ? Act::ping : Act::nothing;
}

Contact::Time Contact::next(Time now) const {
  Time when = std::min(give_up_at(), now + timeout_ / 9);
  if (state_ == State::apart) when = std::min(when, retry_at_);
  if (state_ == State::connecting) when = std::min(when, attempt_ends());
  if (state_ == State::open) {
    when = std::min({when, heard_ + timeout_ / 3, std::max(heard_, pinged_) + timeout_ / 9});
  }
  return when;
}

Contact::Time Contact::attempt_ends() const {
  return std::min(begun_ + timeout_ / 3, give_up_at());
}

}  // namespace genapp::remote
