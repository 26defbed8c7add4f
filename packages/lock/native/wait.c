#include "wait.h"

enum { most_threads = 256, stack_size = 256 * 1024, patience = 2000 };

/*
 * WAITING   -> FINISHING    the kernel has answered
 * WAITING   -> CANCELLING -> CANCELLED -> FINISHING    the same, after a cancellation
 * CANCELLED -> ABANDONED    the answer came too late
 *
 * The thread exists, and has its descriptors, until it has left WAITING or CANCELLED by itself.
 */
enum { WAITING, CANCELLING, CANCELLED, FINISHING, ABANDONED };

static int threads;

/* What a cancellation needs, made at the first wait, and then kept. */
enum { MISSING, PREPARING, READY };
static struct {
  int state;
  /* The signal that ends a blocked flock. */
  int signal;
  /* A descriptor that cannot be locked. */
  int nowhere;
} cancelling;

static void do_nothing(int signal) {
  (void)signal;
}

static void pause_briefly(void) {
  struct timespec duration = {0, 50000};
  nanosleep(&duration, NULL);
}

static int become(struct wait *wait, int from, int to) {
  return __atomic_compare_exchange_n(&wait->state, &from, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Takes a signal that nobody else handles. The handler is without SA_RESTART, so that the signal ends system calls. */
static int take_signal(void) {
  for (int signal = last_signal(); signal >= first_signal(); signal--) {
    struct sigaction action;
    if (sigaction(signal, NULL, &action) != 0 || action.handler != NULL) continue;
    memset(&action, 0, sizeof action);
    action.handler = do_nothing;
    if (sigaction(signal, &action, NULL) == 0) return signal;
  }
  return 0;
}

static int prepare(void) {
  for (;;) {
    int state = MISSING;
    if (__atomic_compare_exchange_n(&cancelling.state, &state, PREPARING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      if (cancelling.signal == 0) cancelling.signal = take_signal();
      cancelling.nowhere = cancelling.signal == 0 ? -1 : open_nowhere();
      state = cancelling.nowhere < 0 ? MISSING : READY;
      __atomic_store_n(&cancelling.state, state, __ATOMIC_SEQ_CST);
      return state == READY;
    }
    if (state == READY) return 1;
    pause_briefly();
  }
}

/* Blocks until locked, or until the wait is cancelled. 0 or an errno. */
static int lock_blocking(struct wait *wait, int fd, int operation) {
  while (flock(fd, operation) != 0) {
    int error = errno;
    if (error != EINTR || __atomic_load_n(&wait->state, __ATOMIC_SEQ_CST) != WAITING) return error;
  }
  return 0;
}

static void close_both(struct wait *wait) {
  if (wait->gate >= 0) close(wait->gate);
  close(wait->lock);
}

static void *run(void *argument) {
  struct wait *wait = argument;
  if (wait->gate >= 0) lock_blocking(wait, wait->gate, LOCK_EX);
  wait->error = lock_blocking(wait, wait->lock, wait->operation);
  if (wait->gate >= 0) flock(wait->gate, LOCK_UN);

  while (!become(wait, WAITING, FINISHING) && !become(wait, CANCELLED, FINISHING)) {
    if (__atomic_load_n(&wait->state, __ATOMIC_SEQ_CST) == ABANDONED) break;
    pause_briefly();
  }
  close_both(wait);
  __atomic_sub_fetch(&threads, 1, __ATOMIC_SEQ_CST);
  if (wait->state == FINISHING) wait->done(wait);
  wait_release(wait);
  return NULL;
}

/* Starts the thread with all signals blocked but the one that wakes it: the process's own are none of its business. */
static int start_thread(struct wait *wait) {
  sigset_t mask = all_signals, old;
  pthread_attr_t attributes;
  allow_signal(&mask, cancelling.signal);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_size);
  pthread_sigmask(SIG_SETMASK, &mask, &old);
  int error = pthread_create(&wait->thread, &attributes, run, wait);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attributes);
  if (error == 0) pthread_detach(wait->thread);
  return error;
}

int wait_begin(struct wait *wait, int gate, int lock, int operation) {
  if (!prepare()) return EAGAIN;
  wait->gate = gate < 0 ? -1 : fcntl(gate, F_DUPFD_CLOEXEC, 0);
  wait->lock = fcntl(lock, F_DUPFD_CLOEXEC, 0);
  wait->operation = operation;
  wait->state = WAITING;
  wait->references = 2;
  int error = EAGAIN;
  if (__atomic_add_fetch(&threads, 1, __ATOMIC_SEQ_CST) <= most_threads && wait->lock >= 0) {
    error = start_thread(wait);
  }
  if (error != 0) {
    __atomic_sub_fetch(&threads, 1, __ATOMIC_SEQ_CST);
    close_both(wait);
  }
  return error;
}

void wait_cancel(struct wait *wait) {
  if (!become(wait, WAITING, CANCELLING)) return;
  // First the descriptors, then the signal: a thread that was not yet blocked finds nothing that it could block on.
  if (wait->gate >= 0) replace_descriptor(wait->gate, cancelling.nowhere);
  replace_descriptor(wait->lock, cancelling.nowhere);
  pthread_kill(wait->thread, cancelling.signal);
  become(wait, CANCELLING, CANCELLED);
}

int wait_settle(struct wait *wait) {
  for (int times = 0; times < patience; times++) {
    if (__atomic_load_n(&wait->references, __ATOMIC_SEQ_CST) == 1) return 1;
    pause_briefly();
  }
  return 0;
}

int wait_abandon(struct wait *wait) {
  while (!wait_settle(wait)) {
    if (become(wait, CANCELLED, ABANDONED)) return 0;
  }
  return 1;
}

void wait_release(struct wait *wait) {
  if (__atomic_sub_fetch(&wait->references, 1, __ATOMIC_SEQ_CST) == 0) free(wait);
}
