#pragma once

// When to connect, to drop a connection that says nothing, and to give up. With T, the time-out:
//   T/9 of silence   the other side is asked whether it is there
//   T/3 of silence   the connection is dropped, and another is made; also an attempt's most time
//   T of silence     no hope is left
// So there are two more attempts before the end. Silence counts from the last byte of a connection
// that was of use. Pure: it neither reads a clock nor connects.

#include "common/clock.hpp"

namespace genapp::remote {

class Contact {
 public:
  using Time = common::Clock::time_point;
  using Length = common::Clock::duration;

  Contact(Length timeout, Time now);

  // What happens.
  void connecting(Time now);  // an attempt begins
  void opened(Time now);      // it has succeeded
  void heard(Time now);       // bytes came, after opened()
  // The other side did what the connection is for. Until then it could be a port that takes
  // connections and does nothing else: what was heard on it counts only from here on.
  void useful(Time now);
  void lost(Time now);    // the attempt has failed, or the connection is over
  void pinged(Time now);  // it was asked

  // What is to be done now. Time in which we did not run ourselves (no call for T/3, since we were
  // stopped or frozen) does not count as silence.
  enum class Act { nothing, connect, ping, drop, give_up };
  Act due(Time now);
  // When to ask again, at the latest: so often that a pause of our own is seen.
  Time next(Time now) const;
  // An attempt may take as long as this.
  Time attempt_ends() const;

  // Whether any connection was of use.
  bool ever_useful() const { return ever_useful_; }

 private:
  enum class State { apart, connecting, open };

  Time give_up_at() const { return contact_ + timeout_; }
  void skip_own_pause(Time now);

  Length timeout_;
  State state_ = State::apart;
  bool useful_ = false;  // the present connection
  bool ever_useful_ = false;
  Length delay_{};  // of the next attempt
  Time retry_at_;
  Time begun_;    // the present attempt, or the connection
  Time heard_;    // on the present connection
  Time pinged_;   // the same
  Time contact_;  // the last that counts
  Time before_;   // contact_, should the present connection turn out to be of no use
  Time seen_;     // the last due()
};

}  // namespace genapp::remote
