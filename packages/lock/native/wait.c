#include "wait.h"

enum { most_waits = 256, most_idle = 4, stack_size = 256 * 1024, patience = 2000 };

/*
 * WAITING   -> FINISHING    the kernel has answered
 * WAITING   -> CANCELLING -> CANCELLED -> FINISHING    the same, after a cancellation
 * CANCELLED -> ABANDONED    the answer came too late
 *
 * The thread deals with this wait, and has its descriptors, until it has left WAITING or CANCELLED by itself.
 */
enum { WAITING, CANCELLING, CANCELLED, FINISHING, ABANDONED };

static int waits;

/* A thread that waits on behalf of others, one wait after the other. */
struct worker {
  pthread_t thread;
  struct wait *wait;
  /* 1 as soon as there is a wait to do. */
  int called;
  struct worker *next;
};

/* Threads that have nothing to do: to start one takes longer than to wake one. */
static struct {
  int locked;
  int count;
  struct worker *first;
} idle;

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
  for (int signal = first_signal(); signal <= last_signal(); signal++) {
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

static bool is_wanted(struct wait *wait) {
  return __atomic_load_n(&wait->state, __ATOMIC_SEQ_CST) == WAITING;
}

/* Blocks until locked, or until the wait is cancelled. 0 or an errno. */
static int lock_blocking(struct wait *wait, int fd, int operation) {
  while (flock(fd, operation) != 0) {
    int error = errno;
    if (error != EINTR || !is_wanted(wait)) return error;
  }
  return 0;
}

/* Locks the file that the path leads to in the end. 0 or an errno. */
static int lock_current(struct wait *wait) {
  for (;;) {
    int error = lock_blocking(wait, wait->lock, wait->operation);
    if (error != 0 || is_current(wait->lock, wait->path)) return error;
    // Unlinked or replaced: a lock on what it was excludes nobody.
    int fd = open_again(wait->path, wait->lock);
    if (fd < 0) return ESTALE;
    replace_descriptor(wait->lock, fd);
    close(fd);
    // After a cancellation the descriptor must lead nowhere, and now it may lead to the new file.
    if (!is_wanted(wait)) return EINTR;
  }
}

/* Waits, and says so. The wait may be gone afterwards. */
static void work(struct wait *wait) {
  if (wait->gate >= 0) lock_blocking(wait, wait->gate, LOCK_EX);
  wait->error = lock_current(wait);
  int state = FINISHING;
  while (!become(wait, WAITING, FINISHING)) {
    wait->error = EINTR;
    if (become(wait, CANCELLED, FINISHING)) break;
    state = __atomic_load_n(&wait->state, __ATOMIC_SEQ_CST);
    if (state == ABANDONED) break;
    pause_briefly();
  }
  __atomic_sub_fetch(&waits, 1, __ATOMIC_SEQ_CST);
  if (state == ABANDONED) close(wait->lock);
  // First, since to let the next one wait for the lock takes longer.
  else wait->done(wait);
  wait_leave_gate(wait);
  wait_release(wait);
}

static void lock_idle(void) {
  while (__atomic_exchange_n(&idle.locked, 1, __ATOMIC_SEQ_CST)) pause_briefly();
}

static void unlock_idle(void) {
  __atomic_store_n(&idle.locked, 0, __ATOMIC_SEQ_CST);
}

/* Waits to be called. 0: there are enough idle threads. */
static int idle_until_called(struct worker *worker) {
  lock_idle();
  int enough = idle.count >= most_idle;
  if (!enough) {
    worker->called = 0;
    worker->next = idle.first;
    idle.first = worker;
    idle.count++;
  }
  unlock_idle();
  if (enough) return 0;
  while (!__atomic_load_n(&worker->called, __ATOMIC_SEQ_CST)) sleep_while_zero(&worker->called);
  return 1;
}

static void *run(void *argument) {
  struct worker *worker = argument;
  worker->thread = pthread_self();
  do work(worker->wait);
  while (idle_until_called(worker));
  free(worker);
  return NULL;
}

/* Gives the wait to an idle thread, if there is one. */
static int call_idle(struct wait *wait) {
  lock_idle();
  struct worker *worker = idle.first;
  if (worker != NULL) {
    idle.first = worker->next;
    idle.count--;
  }
  unlock_idle();
  if (worker == NULL) return 0;
  worker->wait = wait;
  wait->thread = worker->thread;
  __atomic_store_n(&worker->called, 1, __ATOMIC_SEQ_CST);
  wake_sleeper(&worker->called);
  return 1;
}

/* Starts a thread with all signals blocked but the one that wakes it: the process's own are none of its business. */
static int start_thread(struct wait *wait) {
  sigset_t mask = all_signals, old;
  pthread_attr_t attributes;
  struct worker *worker = calloc(1, sizeof *worker);
  if (worker == NULL) return EAGAIN;
  worker->wait = wait;
  allow_signal(&mask, cancelling.signal);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_size);
  pthread_sigmask(SIG_SETMASK, &mask, &old);
  int error = pthread_create(&wait->thread, &attributes, run, worker);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attributes);
  if (error == 0) pthread_detach(wait->thread);
  else free(worker);
  return error;
}

int wait_begin(struct wait *wait, int gate, int lock, int operation) {
  if (!prepare()) return EAGAIN;
  wait->gate = gate;
  wait->lock = lock;
  wait->operation = operation;
  wait->state = WAITING;
  wait->references = 2;
  int error = EAGAIN;
  if (__atomic_add_fetch(&waits, 1, __ATOMIC_SEQ_CST) <= most_waits) error = call_idle(wait) ? 0 : start_thread(wait);
  if (error != 0) __atomic_sub_fetch(&waits, 1, __ATOMIC_SEQ_CST);
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

bool wait_settle(struct wait *wait) {
  for (int times = 0; times < patience; times++) {
    if (__atomic_load_n(&wait->references, __ATOMIC_SEQ_CST) == 1) return true;
    pause_briefly();
  }
  return false;
}

bool wait_abandon(struct wait *wait) {
  while (!wait_settle(wait)) {
    if (become(wait, CANCELLED, ABANDONED)) return false;
  }
  return true;
}

void wait_leave_gate(struct wait *wait) {
  int gate = __atomic_exchange_n(&wait->gate, -1, __ATOMIC_SEQ_CST);
  if (gate >= 0) close(gate);
}

void wait_release(struct wait *wait) {
  if (__atomic_sub_fetch(&wait->references, 1, __ATOMIC_SEQ_CST) == 0) wait->destroy(wait);
}
