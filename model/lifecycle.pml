/*
 * The life of one id: what restore, remove, recover, quickCheck and the daemon do to the files
 * ID.lock, ID.pid, ID-hc-ng, ID.sock and ID.state, to the port and to each other, system call by
 * system call, with SIGKILL between any two of them. docs/lifecycle.md explains it; check.sh runs it.
 *
 * Reading it: every statement that touches a shared variable is one system call and one step, and
 * any other process may come between two of them. d_step and atomic hold together only what one
 * call does (and the local bookkeeping after it, and ghosts, which exist for the properties alone).
 * The C++ function is named beside each step.
 *
 * How many of each run at once, and what may go wrong, is set by these macros (-D).
 */
#ifndef RESTORES
#define RESTORES 1
#endif
#ifndef RECOVERS
#define RECOVERS 0
#endif
#ifndef REMOVES
#define REMOVES 1
#endif
#ifndef CHECKS
#define CHECKS 0
#endif
#ifndef INITIAL /* 1: a daemon serves when it begins, and the state is ISP */
#define INITIAL 0
#endif
#ifndef CRASHES /* SIGKILLs, to any process between any two steps; also deadlines that run out */
#define CRASHES 1
#endif
#ifndef HANGS /* SIGSTOPs of a daemon in its event loop, for ever */
#define HANGS 0
#endif
#ifndef STRANGERS /* foreign processes that get a dead daemon's pid */
#define STRANGERS 0
#endif
#ifndef FLAGS /* how often a daemon sees HC_TIMEOUT pass without a probe */
#define FLAGS 0
#endif
/* ALREADY_OK: already_running = "ok". SAME_TICKS: a stranger may have been started in the same
 * clock tick as the daemon. DEATH_ANY_ORDER: a dying process loses its descriptors in any order. */

#define LAUNCHERS (RESTORES + RECOVERS) /* each has the daemon slot of its own number */
#define FIRST LAUNCHERS                 /* the slot of the daemon that serves at the beginning */
#define LAST (LAUNCHERS + 1)            /* the slot of the restore at the end */
#define SLOTS (LAUNCHERS + 2)
#define ACTIONS (LAUNCHERS + REMOVES) /* those that can be killed; removes come after launchers */
#define INODES (LAUNCHERS + REMOVES + 4)

/* ---- ID.lock: a directory entry, files, and who holds a file's lock ---- */
byte lock_name;           /* the file that the name leads to; 0: none */
byte lock_opens[INODES];  /* descriptors open on each file; a file with none and no name is free */
byte lock_held[INODES];   /* 0, or _pid + 1 of the process that holds the file's lock */

/* ---- ID.pid ---- */
byte pid_name;
byte pid_opens[INODES];
byte pid_held[INODES];    /* 0, or slot + 1 of the daemon that holds the lock of life */
byte pid_record[INODES];  /* 0: empty; slot + 1: that daemon's pid and start ticks */

/* ---- the other files ---- */
byte flag;                /* ID-hc-ng: 0, or slot + 1 of the daemon that raised it */
bit flag_new;             /* .ID-hc-ng.new */
byte sock;                /* ID.sock: 0, or slot + 1 of the daemon that bound it */
#define OSU 0             /* no file */
#define ISP 1
#define OSF 2
byte state;               /* ID.state */
bit state_new;            /* .ID.state.new */

/* ---- processes: the daemons, by slot; pid and start ticks of slot d are just "d" ---- */
#define UNBORN 0
#define ALIVE 1
#define DYING 2           /* no more instructions; the kernel closes its descriptors */
#define ZOMBIE 3          /* all closed, a pidfd says that it has ended, the pid is still taken */
#define GONE 4            /* reaped: no process has the pid */
#define STRANGER 5        /* a foreign process has it */
byte life[SLOTS];
#define PID_IS_OURS(d) (life[d] == ALIVE || life[d] == DYING || life[d] == ZOMBIE)
#define ENDED(d) (life[d] >= ZOMBIE)

#define NEW 0             /* before its signal handlers: TERM kills */
#define STARTING 1        /* in the event loop, waiting for the first probe */
#define SERVING 2
#define ENDING 3          /* out of the event loop */
byte phase[SLOTS];
bit port[SLOTS];          /* listens */
bit control[SLOTS];       /* its control socket listens */
bit no_probe[SLOTS];      /* it knows of HC_TIMEOUT without a probe */
bit hung[SLOTS];
bit term[SLOTS];          /* SIGTERM pending */
bit killed[SLOTS];        /* SIGKILL */
bit committed[SLOTS];     /* it has read C */

/* ---- the SEQPACKET pair between a launcher and its daemon ---- */
#define R 1
#define A 2
#define F 3
byte to_launcher[SLOTS];
bit counts[SLOTS];        /* C is on its way */
bit launcher_end[SLOTS];
bit daemon_end[SLOTS];

/* ---- what may still go wrong ---- */
byte crashes = CRASHES;
byte hangs = HANGS;
byte strangers = STRANGERS;
byte flags = FLAGS;
bit action_runs[ACTIONS + 1];
bit action_killed[ACTIONS + 1];
bit begun[ACTIONS + 1];     /* equal actions begin in the order of their numbers, which loses nothing */
byte unfinished = RESTORES + RECOVERS + REMOVES + CHECKS;
bit at_rest;              /* the last part has begun: one action after the other, no faults */

/* ---- ghosts ---- */
byte restores_running;
bit lone[REMOVES + 1];    /* no restore has run beside this remove */
bit must_be_down;         /* the last word was a lone remove's 0 */
bit cleaned[SLOTS];       /* a remove has taken this daemon's files away */
bit promised[SLOTS];      /* a restore said 0 on the strength of this daemon */
bit check_runs[2];
bit check_live[2];        /* during this quickCheck a daemon listened and ran */
bit check_clear[2];       /* during this quickCheck the flag was not up */
byte last_result;
#if SLOTS == 2
#define FOR_SLOTS(x, op) (x(0) op x(1))
#elif SLOTS == 3
#define FOR_SLOTS(x, op) (x(0) op x(1) op x(2))
#elif SLOTS == 4
#define FOR_SLOTS(x, op) (x(0) op x(1) op x(2) op x(3))
#else
#define FOR_SLOTS(x, op) (x(0) op x(1) op x(2) op x(3) op x(4))
#endif
#define LISTENS(n) (port[n] && !hung[n])
#define SOMEBODY_LISTENS FOR_SLOTS(LISTENS, ||)
#define ALL_AT_REST FOR_SLOTS(AT_REST, &&)

inline free_lock_file() {
  lk = 1;
  do
  :: lock_opens[lk] == 0 -> break
  :: else -> lk++
  od
}
inline free_pid_file() {
  pf = 1;
  do
  :: pid_opens[pf] == 0 -> break
  :: else -> pf++
  od
}

/* ==== common/lock_file.cpp ==== */

inline lock_drop() {
  if :: lock_held[lk] == _pid + 1 -> lock_held[lk] = 0 :: else -> skip fi;
  lock_opens[lk]--;
  lk = 0
}
inline lock_close() { /* ~LockFile: close(2) of the descriptor gives the lock back */
  d_step {
    if :: lk != 0 -> lock_drop() :: else -> skip fi
  }
}

/* LockFile::acquire (create = 1) and acquire_if_there (create = 0: lk stays 0 without the file).
 * The code tries, sleeps 1 ms and opens anew; here a try that would fail waits instead, for the
 * lock or for the name to lead elsewhere, which are the only things that make a later try differ.
 * So a deadlock is an invalid end state. */
inline lock_acquire(create) {
  do
  :: atomic {
       d_step { /* openat(O_RDWR [| O_CREAT]) */
         if
         :: lock_name != 0 -> lk = lock_name; lock_opens[lk]++
         :: lock_name == 0 && create -> free_lock_file();
            lock_name = lk; lock_opens[lk] = 1
         :: else -> lk = 0
         fi
       }
       if
       :: lk == 0 -> break
       :: else -> skip
       fi
     }
     if
     :: d_step { !lock_held[lk] -> lock_held[lk] = _pid + 1 } /* try_lock: fcntl(F_OFD_SETLK) */
#ifdef MUTATE_NO_INODE_RECHECK
        break
#else
        if
        :: lk == lock_name -> break /* is_current: fstat, fstatat */
        :: else -> lock_close()
        fi
#endif
#ifndef MUTATE_NO_INODE_RECHECK
     :: d_step { lock_held[lk] && lk != lock_name -> lock_drop() }
#endif
     fi
  od;
  skip
}

/* ==== common/pid_file.cpp ==== */

#ifdef MUTATE_NO_ALIVE_LOCK
#define SEEN_ALIVE(file) (pid_record[file] != 0 && life[pid_record[file] - 1] != GONE) /* kill(pid, 0) */
#else
#define SEEN_ALIVE(file) (pid_held[file] != 0) /* fcntl(F_OFD_GETLK) */
#endif

inline pid_open() { /* open_for_reading: openat(O_RDONLY) */
  d_step { pf = pid_name; if :: pf != 0 -> pid_opens[pf]++ :: else -> skip fi }
}
inline pid_close() {
  if
  :: pf != 0 ->
     pid_opens[pf]--;
     if :: pid_opens[pf] == 0 && pid_name != pf -> pid_record[pf] = 0 :: else -> skip fi;
     pf = 0
  :: else -> skip
  fi
}
inline pid_drop() { /* the daemon's: with the lock of life */
  if :: pf != 0 && pid_held[pf] == d + 1 -> pid_held[pf] = 0 :: else -> skip fi;
  pid_close()
}
inline pid_unlink() { /* Directory::unlink */
  d_step {
    if :: pid_name != 0 && pid_opens[pid_name] == 0 -> pid_record[pid_name] = 0 :: else -> skip fi;
    pid_name = 0
  }
}

inline is_alive(answer) { /* is_alive */
  pid_open();
  if
  :: pf == 0 -> answer = 0
  :: else -> d_step { answer = SEEN_ALIVE(pf); pid_close() }
  fi
}

inline is_started(answer) { /* is_started */
  lock_acquire(0);
  is_alive(answer);
  lock_close()
}

/* find_living: `found` is 0, or slot + 1 of the process that the pidfd holds; with `stranger` that
 * is a foreign process. */
inline find_living() {
  do
  :: atomic {
       pid_open();
       if :: pf == 0 -> found = 0; break :: else -> skip fi
     }
     atomic { /* is_locked */
       if
       :: !SEEN_ALIVE(pf) -> d_step { pid_close(); found = 0 } break
       :: else -> skip
       fi
     }
     d_step { found = pid_record[pf] } /* read_record: pread */
     if
     :: found == 0 -> skip
     :: else ->
        d_step { /* open_pidfd: pidfd_open */
          if
          :: life[found - 1] == GONE -> found = 0
          :: else -> stranger = (life[found - 1] == STRANGER)
          fi
        }
     fi;
#ifndef MUTATE_NO_START_TICKS
     if
     :: found == 0 -> skip
     :: else -> /* start_ticks: read of /proc/PID/stat */
#ifdef SAME_TICKS
        d_step { if :: life[found - 1] == GONE -> found = 0 :: else -> skip fi }
#else
        d_step { if :: !PID_IS_OURS(found - 1) -> found = 0 :: else -> skip fi }
#endif
     fi;
#endif
#ifndef MUTATE_NO_LOCK_REREAD
     if
     :: found == 0 -> skip
     :: else -> d_step { if :: !SEEN_ALIVE(pf) -> found = 0 :: else -> skip fi } /* is_locked */
     fi;
#endif
     d_step {
       pid_close();
       if :: found == 0 -> stranger = 0 :: else -> skip fi
     }
     if
     :: found != 0 -> break
     :: else -> assert(!at_rest) /* at rest a record that does not fit would never fit */
     fi
  od
}

/* ==== lbhc/stop.cpp ==== */

#ifdef MUTATE_SIGNAL_BY_PID
#define TO_STRANGER (life[found - 1] == STRANGER)
#else
#define TO_STRANGER (stranger)
#endif
inline send_term() { /* send_signal: pidfd_send_signal */
  d_step {
    assert(!TO_STRANGER); /* never a signal to a stranger */
    if :: life[found - 1] == ALIVE -> term[found - 1] = 1 :: else -> skip fi
  }
}
inline send_kill() {
  d_step {
    assert(!TO_STRANGER); /* never a signal to a stranger */
    if :: life[found - 1] == ALIVE -> killed[found - 1] = 1 :: else -> skip fi
  }
}

/* stop_daemon; found = 0 at its end. The deadline before KILL runs out for a daemon that hangs and,
 * at the cost of one crash, for one that is slow. */
inline stop_daemon() {
  find_living();
  if
  :: found == 0 -> skip
  :: else ->
     send_term();
     if /* wait_for_end: poll of the pidfd */
     :: ENDED(found - 1) -> skip
     :: !ENDED(found - 1) && hung[found - 1] -> send_kill()
     :: d_step { !ENDED(found - 1) && crashes > 0 && !at_rest -> crashes-- } send_kill()
     fi;
     d_step { ENDED(found - 1) -> found = 0; stranger = 0 }
  fi
}

inline has_trace(answer) { /* has_trace: four times fstatat */
  if
  :: pid_name != 0 -> answer = 1
  :: else ->
     if
     :: flag != 0 -> answer = 1
     :: else ->
        if
        :: sock != 0 -> answer = 1
        :: else -> if :: state != OSU -> answer = 1 :: else -> answer = 0 fi
        fi
     fi
  fi
}

#ifdef MUTATE_LEAVE_TEMPORARIES
#define UNLINK_STATE_NEW
#else
#define UNLINK_STATE_NEW state_new = 0
#endif
inline unlink_flag() {
  d_step {
    flag = 0;
#ifndef MUTATE_LEAVE_TEMPORARIES
    flag_new = 0;
#endif
    check_clear[0] = check_runs[0]; check_clear[1] = check_runs[1]
  }
}

/* clean_up_if_dead; take_out: remove's when_clean, which writes OSU. */
inline clean_up_if_dead(take_out) {
#ifdef MUTATE_UNLINK_BEFORE_LOCK
  is_alive(yes);
  if
  :: yes -> skip
  :: else -> pid_unlink()
  fi;
#endif
  lock_acquire(0);
  if
  :: lk != 0 -> yes = 1
  :: else ->
     has_trace(yes);
     if
     :: yes -> lock_acquire(1)
     :: else -> skip
     fi
  fi;
  if
  :: !yes -> clean = 1
  :: else ->
     is_alive(yes);
     if
     :: yes -> d_step { clean = 0; yes = 0 } lock_close()
     :: else ->
        /* Nobody ever reads a temporary file, so its unlinking shares a step with the file's. */
        unlink_flag();              /* Directory::unlink */
        d_step { sock = 0; UNLINK_STATE_NEW }
        pid_unlink();
        if
        :: take_out -> /* StateFile::write(OSU): unlinkat */
           d_step {
             state = OSU;
             for (i : 0 .. SLOTS - 1) {
               if :: life[i] >= DYING || (life[i] == ALIVE && phase[i] == ENDING) -> cleaned[i] = 1
               :: else -> skip
               fi
             }
             i = 0
           }
        :: else -> skip
        fi;
        d_step { lock_name = 0 }    /* LockFile::release_and_unlink: unlinkat */
        lock_close();               /*   and close */
        clean = 1
     fi
  fi
}

/* StateFile::write, Directory::write: the temporary file, then its rename. */
inline write_state(what) {
  d_step { state_new = 1 }                  /* unlinkat, openat(O_CREAT | O_EXCL), write */
  d_step { state = what; state_new = 0 }    /* renameat */
}

inline record_failed_start() { /* record_failed_start */
  lock_acquire(1);
  is_alive(yes);
  if
  :: yes -> yes = 0; lock_close()
  :: else ->
     write_state(OSF);
     d_step { lock_name = 0 }
     lock_close()
  fi
}

/* ==== lbhc/control_client.cpp: ask_status ==== */

#ifdef MUTATE_SERVING_BEFORE_COUNTS
#define STATUS_PHASE(d) phase[d]
#else
#define STATUS_PHASE(d) (committed[d] -> SERVING : STARTING)
#endif

/* `asked` is 0 afterwards when there was no answer. Time-outs come only from a daemon that hangs. */
inline ask_status() {
  d_step { /* connect_to: connect(2) of ID.sock */
    asked = 0;
    if
    :: sock != 0 -> if :: control[sock - 1] -> asked = sock :: else -> skip fi
    :: else -> skip
    fi
  }
  if
  :: asked == 0 -> skip
  :: else ->
     if /* read_answer; the daemon's side is ControlServer::Impl::answer, in its event loop */
     :: d_step { control[asked - 1] && !hung[asked - 1] &&
                 (phase[asked - 1] == STARTING || phase[asked - 1] == SERVING) ->
                 told_phase = STATUS_PHASE(asked - 1); told_no_probe = no_probe[asked - 1] }
     :: d_step { !control[asked - 1] -> asked = 0 }
     :: d_step { control[asked - 1] && hung[asked - 1] -> asked = 0 }
     fi
  fi
}

/* ==== lbhc/daemon.cpp ==== */

inline send_to_launcher(what) { /* send_message */
  d_step {
    if :: launcher_end[d] -> to_launcher[d] = what :: else -> skip fi
  }
}

proctype Daemon(byte d; bit recovers; byte pf) { /* pf: its ID.pid; 0 until it has one */
  byte lk, i;
  bit fails;
  {
    if :: pf != 0 -> goto in_loop :: else -> skip fi;
    /* start(): under ID.lock */
    lock_acquire(1);
#ifndef MUTATE_RECOVER_NO_STATE_CHECK
    if /* before_start: HealthCheck::start's require_in_service */
    :: recovers && state != ISP -> lock_close(); send_to_launcher(F); goto die
    :: else -> skip
    fi;
#endif
    /* PidFile::take */
    d_step { /* openat(O_RDWR | O_CREAT) */
      if
      :: pid_name != 0 -> pf = pid_name; pid_opens[pf]++
      :: else -> free_pid_file();
         pid_name = pf; pid_opens[pf] = 1; pid_record[pf] = 0; pid_held[pf] = 0
      fi
    }
    if /* try_lock: fcntl(F_OFD_SETLK) */
    :: d_step { SEEN_ALIVE(pf) -> pid_close() }
       lock_close();
       send_to_launcher(A); /* DaemonIsRunning */
       goto die
    :: d_step { !SEEN_ALIVE(pf) -> pid_held[pf] = d + 1 }
    fi;
    d_step { pid_record[pf] = 0 }         /* ftruncate */
    d_step { pid_record[pf] = d + 1 }     /* pwrite */
#ifndef MUTATE_NO_CLEAR_FLAG
    unlink_flag();                        /* clear_flag */
#endif
    d_step { /* open_listener: bind and listen */
      for (i : 0 .. SLOTS - 1) {
        assert(!port[i]) /* never two daemons listening; nor is the port found taken by our own */
      }
      i = 0;
      port[d] = 1;
      check_live[0] = check_runs[0]; check_live[1] = check_runs[1]
    }
    d_step { sock = 0 }                   /* listen_at: unlinkat */
    d_step { /* listen_at: bind and listen; signal_set: sigaction, before which TERM would kill */
      sock = d + 1; control[d] = 1;
      phase[d] = STARTING
    }
    lock_close();

in_loop: skip; /* Daemon::run: io_.run() */
end_in_loop:
    do
    :: d_step { !hung[d] && term[d] -> fails = (phase[d] == STARTING); phase[d] = ENDING } break /* on_signal */
    :: d_step { !hung[d] && !committed[d] && counts[d] -> counts[d] = 0; committed[d] = 1 } /* watch_starter: C */
#ifndef MUTATE_NO_COMMIT
    :: d_step { !hung[d] && !committed[d] && !counts[d] && !launcher_end[d] -> /* watch_starter: end of file */
                assert(!promised[d]); /* never undone after a restore said 0 for it */
                fails = 1; phase[d] = ENDING } break
#else
    :: d_step { !hung[d] && !committed[d] && !counts[d] && !launcher_end[d] -> committed[d] = 1 }
#endif
    :: d_step { !hung[d] && phase[d] == STARTING -> phase[d] = SERVING; /* on_probe: become_ready */
                assert(flag == 0 || flag == d + 1) } /* no flag of an earlier daemon */
       if
       :: d_step { !hung[d] && launcher_end[d] -> to_launcher[d] = R }
       :: d_step { !hung[d] && !launcher_end[d] -> assert(!promised[d]); fails = 1; phase[d] = ENDING } break /* EPIPE */
       fi
    :: d_step { !hung[d] && phase[d] == STARTING && !at_rest -> assert(!promised[d]); fails = 1; phase[d] = ENDING } break /* on_clock: no_first_probe */
    :: d_step { !hung[d] && phase[d] == SERVING && !no_probe[d] && flags > 0 && !at_rest ->
                flags--; no_probe[d] = 1 } /* on_clock */
       d_step { !hung[d] -> flag_new = 1 }        /* raise_flag: Directory::write */
       d_step { !hung[d] -> flag = d + 1; flag_new = 0 } /*   renameat */
    :: d_step { !hung[d] && no_probe[d] && !at_rest -> no_probe[d] = 0 } /* on_probe */
       if :: !hung[d] -> unlink_flag() fi                             /* clear_flag */
    od;
    skip;
    /* Daemon::stop, then clean_up */
    d_step { phase[d] = ENDING; port[d] = 0; control[d] = 0; no_probe[d] = 0 } /* close, close */
    unlink_flag();
    d_step { sock = 0 }
#ifdef MUTATE_DAEMON_UNLINK_BEFORE_LOCK
    pid_unlink();
    lock_acquire(1);
#else
    lock_acquire(1);
    pid_unlink();
#endif
#ifdef MUTATE_LOCK_RELEASED_BEFORE_EXIT
    lock_close();
#endif
    d_step { pid_drop() } /* ~PidFile: close */
    if
    :: fails -> send_to_launcher(F) /* run_child */
    :: else -> skip
    fi;
die:
    skip
  } unless { killed[d] || (term[d] && phase[d] == NEW) };

  /* exit, exit_group or SIGKILL: the kernel closes the descriptors one after the other, the highest
   * number first: control socket and port, ID.pid, ID.lock, the channel. */
  d_step {
    life[d] = DYING; phase[d] = ENDING; term[d] = 0; hung[d] = 0;
#ifndef DEATH_ANY_ORDER
    port[d] = 0; control[d] = 0; no_probe[d] = 0
#endif
  }
#ifdef DEATH_ANY_ORDER
  do
  :: d_step { port[d] || control[d] -> port[d] = 0; control[d] = 0; no_probe[d] = 0 }
  :: d_step { pf != 0 -> pid_drop() }
  :: d_step { lk != 0 -> lock_drop() }
  :: d_step { daemon_end[d] -> daemon_end[d] = 0 }
  :: !port[d] && !control[d] && pf == 0 && lk == 0 && !daemon_end[d] -> break
  od;
  skip;
#else
  d_step { pid_drop() }
  d_step { if :: lk != 0 -> lock_drop() :: else -> skip fi }
  d_step { daemon_end[d] = 0 }
#endif
  d_step { /* exit_notify */
    life[d] = ZOMBIE;
    phase[d] = NEW; killed[d] = 0; committed[d] = 0; counts[d] = 0;
    fails = 0
  }
}

/* ==== lbhc/launch.cpp, lbhc/health_check.cpp: start ==== */

/* launch_daemon; rc: 0 it runs, 1 failed, 2 a daemon runs already. */
inline launch(for_recover) {
  atomic { /* socketpair and fork */
    d_step {
      launcher_end[me] = 1; daemon_end[me] = 1;
      life[me] = ALIVE; phase[me] = NEW
    }
    run Daemon(me, for_recover, 0)
  }
  if /* await_start: receive */
  :: d_step { to_launcher[me] == R -> to_launcher[me] = 0 }
     lock_acquire(1); /* take_note */
     if
#ifdef MUTATE_NO_TAKE_NOTE_CHECK
     :: true ->
#else
     :: !ENDED(me) -> /* Child::alive: poll of the pidfd */
#endif
#ifndef MUTATE_NO_TAKE_NOTE_LOCK_CHECK
        is_alive(yes);
#else
        yes = 1;
#endif
        rc = (yes -> 0 : 1);
        yes = 0;
        if
        :: rc == 0 && for_recover ->
#ifndef MUTATE_RECOVER_NO_STATE_CHECK
           if :: state == ISP -> skip :: else -> rc = 1 fi /* require_in_service */
#else
           skip
#endif
        :: rc == 0 && !for_recover -> /* StateFile::write(ISP) */
           d_step { state_new = 1 }
           d_step {
             state = ISP; state_new = 0;
             assert(!cleaned[me]) /* never ISP for what a remove has taken out */
           }
        :: else -> skip
        fi;
        if
        :: rc == 0 -> /* send_message(C) */
           d_step { if :: daemon_end[me] -> counts[me] = 1 :: else -> rc = 1 fi }
        :: else -> skip
        fi
#ifndef MUTATE_NO_TAKE_NOTE_CHECK
     :: else -> rc = 1
#endif
     fi;
     lock_close()
  :: d_step { to_launcher[me] == A -> to_launcher[me] = 0; rc = 2 }
  :: d_step { to_launcher[me] == F -> to_launcher[me] = 0; rc = 1 }
  :: d_step { to_launcher[me] == 0 && !daemon_end[me] -> rc = 1 }
  :: d_step { to_launcher[me] == 0 && daemon_end[me] && hung[me] -> rc = 1 } /* the deadline */
  :: d_step { to_launcher[me] == 0 && daemon_end[me] && crashes > 0 && !at_rest -> crashes--; rc = 1 }
  fi;
  d_step { launcher_end[me] = 0; to_launcher[me] = 0 } /* close, or our exit: C stays readable */
  if
  :: rc == 0 -> skip
  :: else -> /* Child::end */
     if
     :: ENDED(me) -> skip
     :: d_step { !ENDED(me) && hung[me] -> if :: life[me] == ALIVE -> killed[me] = 1 :: else -> skip fi }
     :: d_step { !ENDED(me) && crashes > 0 && !at_rest -> crashes--;
                 if :: life[me] == ALIVE -> killed[me] = 1 :: else -> skip fi }
     fi;
     d_step { ENDED(me) -> if :: life[me] == ZOMBIE -> life[me] = GONE :: else -> skip fi } /* waitpid */
     if
     :: rc == 1 -> clean_up_if_dead(0); clean = 0
     :: else -> skip
     fi
  fi
}

/* HealthCheck::already_running; rc: 0 or 1, 3 when it threw. */
inline already_running() {
#ifndef ALREADY_OK
  rc = 1
#else
  do
  :: is_started(yes);
     if :: yes -> yes = 0 :: else -> rc = 1; break fi;
     ask_status();
     if
     :: asked == 0 -> rc = 3; break
     :: asked != 0 && told_phase == STARTING -> asked = 0 /* poll, again */
     :: asked != 0 && told_phase == STARTING -> asked = 0; rc = 1; break /* the deadline */
     :: asked != 0 && told_phase == SERVING ->
        lock_acquire(1);
        is_alive(yes);
#ifndef MUTATE_OK_FOR_ANY_DAEMON
        if
        :: yes -> d_step { yes = (pid_name != 0 && pid_record[pid_name] == asked) }
        :: else -> skip
        fi;
#endif
        if
        :: !yes -> lock_close(); rc = 1; asked = 0; break
        :: else ->
           yes = 0; asked = 0;
           d_step { state_new = 1 } /* StateFile::write(ISP) */
           d_step { state = ISP; state_new = 0 }
           d_step {
             if :: pid_name != 0 && pid_held[pid_name] != 0 -> promised[pid_held[pid_name] - 1] = 1
             :: else -> skip
             fi;
             rc = 0
           }
           lock_close();
           break
        fi
     fi
  od
#endif
}

inline action_dies() { /* SIGKILL: ID.lock has the highest descriptor */
  d_step {
    if :: lk != 0 -> lock_drop() :: else -> skip fi;
    pid_close()
  }
}

proctype Restore(byte me) { /* HealthCheck::restore */
  byte lk, pf, i, rc, yes, clean, asked, told_phase;
  bit told_no_probe;
  d_step {
      me == 0 || me >= LAUNCHERS || begun[me - 1] -> begun[me % (ACTIONS + 1)] = 1;
      restores_running++;
      must_be_down = 0;
      for (i : 0 .. REMOVES) { lone[i] = 0 }
      i = 0;
      if :: me < LAUNCHERS -> action_runs[me] = 1 :: else -> skip fi
  }
  {
    is_started(yes);
    if
    :: yes -> yes = 0; already_running()
    :: else ->
       launch(0);
       if
       :: rc == 2 -> already_running(); if :: rc == 3 -> rc = 1 :: else -> skip fi
       :: rc == 1 -> rc = 3
       :: else -> skip
       fi
    fi;
    if
    :: rc == 3 -> record_failed_start(); rc = 1
    :: else -> skip
    fi
  } unless { me < LAUNCHERS && action_killed[me] };
  action_dies();
  d_step { launcher_end[me] = 0 }
  d_step {
    restores_running--;
    last_result = rc;
    unfinished--;
    if :: me < LAUNCHERS -> action_runs[me] = 0; action_killed[me] = 0 :: else -> skip fi;
    to_launcher[me] = 0;
    rc = 0; yes = 0; clean = 0; asked = 0; told_phase = 0; told_no_probe = 0
  }
}

proctype Recover(byte me) { /* HealthCheck::recover */
  byte lk, pf, i, rc, yes, clean, asked, told_phase, found;
  bit told_no_probe, stranger;
  d_step { me == RESTORES || begun[me - 1] -> begun[me] = 1; action_runs[me] = 1 }
  {
    if
    :: state != ISP -> rc = 1 /* StateFile::read */
    :: else ->
       is_started(yes);
       if
       :: yes ->
          d_step { told_no_probe = 0; yes = (flag == 0) } /* flag_is_up */
          ask_status();
          d_step { yes = (yes && asked != 0 && !told_no_probe); asked = 0; told_phase = 0; told_no_probe = 0 }
       :: else -> skip
       fi;
       if
       :: yes -> rc = 0
       :: else ->
          stop_daemon();
          launch(1);
          if :: rc == 2 -> rc = 1 :: else -> skip fi
       fi
    fi
  } unless { action_killed[me] };
  action_dies();
  d_step { launcher_end[me] = 0 }
  d_step {
    unfinished--;
    action_runs[me] = 0; action_killed[me] = 0;
    to_launcher[me] = 0;
    rc = 0; yes = 0; clean = 0; asked = 0; told_phase = 0; told_no_probe = 0; found = 0; stranger = 0
  }
}

proctype Remove(byte me) { /* HealthCheck::remove, remove_by_id; me: ACTIONS for the one at the end */
  byte lk, pf, i, rc, yes, clean, found;
  bit stranger;
  d_step {
    me == LAUNCHERS || me == ACTIONS || begun[me - 1] -> begun[me] = 1;
    lone[me - LAUNCHERS] = (restores_running == 0);
    action_runs[me] = 1;
    rc = 1
  }
  {
    do
    :: stop_daemon();
       clean_up_if_dead(1);
#ifdef MUTATE_REMOVE_YIELDS
       break
#else
       if :: clean -> break :: else -> skip fi
#endif
    od;
    rc = 0
  } unless { me < ACTIONS && action_killed[me] };
  action_dies();
  d_step {
    if :: rc == 0 && lone[me - LAUNCHERS] -> must_be_down = 1 :: else -> skip fi;
    unfinished--;
    last_result = rc;
    action_runs[me] = 0; action_killed[me] = 0; lone[me - LAUNCHERS] = 0;
    rc = 0; yes = 0; clean = 0; found = 0; stranger = 0
  }
}

proctype QuickCheck(byte me) { /* HealthCheck::quick_check; me: 1 for the one at the end */
  byte pf, rc, yes, asked, told_phase;
  bit told_no_probe, flag_seen;
  d_step { /* StateFile::read, with the ghosts of the beginning */
    check_runs[me] = 1;
    check_live[me] = SOMEBODY_LISTENS;
    check_clear[me] = (flag == 0);
    yes = (state == ISP)
  }
  if
  :: !yes -> rc = 0
  :: else ->
#ifdef MUTATE_CHECK_TRUSTS_PID /* kill(PID, 0) and no question */
     d_step { rc = !(pid_name != 0 && pid_record[pid_name] != 0 && life[pid_record[pid_name] - 1] != GONE) }
#else
     is_alive(yes);
     if
     :: !yes -> rc = 1
     :: else ->
        d_step { flag_seen = (flag != 0) } /* flag_is_up */
#ifdef MUTATE_CHECK_NO_QUESTION
        d_step { rc = flag_seen }
#else
        ask_status();
#ifdef MUTATE_CHECK_NO_FLAG
        d_step { rc = (asked == 0) }
#else
        d_step { rc = (asked == 0 || flag_seen || told_no_probe) } /* judge, is_failure */
#endif
#endif
     fi;
#endif
     assert(rc != 0 || check_live[me]);  /* never healthy for a daemon dead or hung all the while */
     assert(rc != 0 || check_clear[me])  /* nor with the flag up all the while */
  fi;
  d_step {
    unfinished--;
    last_result = rc;
    check_runs[me] = 0; check_live[me] = 0; check_clear[me] = 0;
    rc = 0; yes = 0; asked = 0; told_phase = 0; told_no_probe = 0; flag_seen = 0
  }
}

/* ==== what goes wrong ==== */

#define KILL_ACTION(n) \
  :: d_step { n < ACTIONS && !at_rest && crashes > 0 && action_runs[n] && !action_killed[n] -> \
              crashes--; action_killed[n] = 1 }
#define KILL_DAEMON(n) \
  :: d_step { !at_rest && crashes > 0 && life[n] == ALIVE && !killed[n] -> crashes--; killed[n] = 1 }
#define HANG_DAEMON(n) \
  :: d_step { !at_rest && hangs > 0 && life[n] == ALIVE && !killed[n] && \
              (phase[n] == STARTING || phase[n] == SERVING) -> hangs--; hung[n] = 1 }
/* init reaps the dead child of a dead launcher; and the pid is used again. */
#define REAP(n) \
  :: d_step { life[n] == ZOMBIE && REAPABLE(n) -> life[n] = GONE }
#define REUSE(n) \
  :: d_step { !at_rest && strangers > 0 && life[n] == GONE -> strangers--; life[n] = STRANGER }
#define REAPABLE(n) (strangers > 0 && !at_rest && (n >= LAUNCHERS || !action_runs[n]))

proctype Fate() {
end_fate:
  do
#if ACTIONS > 0
  KILL_ACTION(0)
#endif
#if ACTIONS > 1
  KILL_ACTION(1)
#endif
#if ACTIONS > 2
  KILL_ACTION(2)
#endif
#if ACTIONS > 3
  KILL_ACTION(3)
#endif
  KILL_DAEMON(0)
  HANG_DAEMON(0)
  REAP(0)
  REUSE(0)
#if SLOTS > 2
  KILL_DAEMON(1)
  HANG_DAEMON(1)
  REAP(1)
  REUSE(1)
#endif
#if SLOTS > 3
  KILL_DAEMON(2)
  HANG_DAEMON(2)
  REAP(2)
  REUSE(2)
#endif
#if SLOTS > 4
  KILL_DAEMON(3)
  HANG_DAEMON(3)
  REAP(3)
  REUSE(3)
#endif
  :: at_rest -> break
  od
}

/* ==== the whole ==== */

#define AT_REST(n) (life[n] == UNBORN || ENDED(n) || \
  (life[n] == ALIVE && !killed[n] && \
   (hung[n] || (phase[n] == SERVING && committed[n] && !term[n] && !counts[n] && \
                !no_probe[n] && flag != n + 1))))
#define UP(n) (life[n] == ALIVE && !hung[n])

init {
  byte n, up;
  atomic {
    d_step {
      if
      :: INITIAL ->
         life[FIRST] = ALIVE; phase[FIRST] = SERVING; committed[FIRST] = 1;
         port[FIRST] = 1; control[FIRST] = 1;
         lock_name = 1;
         pid_name = 1; pid_opens[1] = 1; pid_held[1] = FIRST + 1; pid_record[1] = FIRST + 1;
         sock = FIRST + 1; state = ISP
      :: else -> skip
      fi
    }
    if :: INITIAL -> run Daemon(FIRST, 0, 1) :: else -> skip fi;
    n = 0;
    do :: n < RESTORES -> run Restore(n); n++ :: else -> break od;
    do :: n < LAUNCHERS -> run Recover(n); n++ :: else -> break od;
    do :: n < ACTIONS -> run Remove(n); n++ :: else -> break od;
    if :: CHECKS > 0 -> run QuickCheck(0) :: else -> skip fi;
    run Fate();
    n = 0
  }
  /* All actions have ended and every daemon has ended, serves, or hangs. */
  d_step {
    unfinished == 0 && ALL_AT_REST ->
    at_rest = 1;
    up = 0;
    for (n : 0 .. SLOTS - 1) { up = up + UP(n) }
    n = 0;
    assert(up <= 1);                                   /* never two daemons */
    assert(up == 0 || state == ISP);                   /* none that nobody took note of */
    assert(!must_be_down || (up == 0 && state != ISP)); /* a remove's 0 holds until a restore */
    crashes = 0; hangs = 0; strangers = 0; flags = 0; must_be_down = 0;
    for (n : 0 .. SLOTS - 1) { cleaned[n] = 0; promised[n] = 0 }
    for (n : 0 .. ACTIONS) { begun[n] = 0 }
    n = 0
  }
  /* A quickCheck tells exactly. */
  atomic { unfinished = 1; run QuickCheck(1) }
  d_step { unfinished == 0 -> assert(last_result == (state == ISP && (up == 0 || flag != 0))) ; up = 0 }
  /* A remove alone ends everything and leaves nothing. */
  atomic { unfinished = 1; run Remove(ACTIONS) }
  d_step {
    unfinished == 0 ->
    assert(last_result == 0);
    for (n : 0 .. SLOTS - 1) { assert(life[n] != ALIVE && life[n] != DYING) }
    n = 0;
    assert(lock_name == 0 && pid_name == 0 && flag == 0 && sock == 0 && state == OSU);
    assert(!flag_new && !state_new)
  }
  /* And a restore after it brings the resource up. */
  atomic { unfinished = 1; run Restore(LAST) }
  d_step {
    unfinished == 0 ->
    assert(last_result == 0);
    for (n : 0 .. SLOTS - 1) { assert((n == LAST) == (life[n] == ALIVE)) }
    n = 0;
    assert(port[LAST] && control[LAST] && state == ISP && flag == 0)
  }
  atomic { unfinished = 1; run QuickCheck(1) }
  d_step { unfinished == 0 -> assert(last_result == 0) }
}
