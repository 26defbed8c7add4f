/* A flock(2) that waits in the kernel's queue, in a thread of its own, and that can be cancelled. */
#ifndef WAIT_H
#define WAIT_H

#include "system.h"

struct wait {
  /* Called once in the thread, when the wait is over; never after wait_abandon. */
  void (*done)(struct wait *wait);
  /* How it ended: 0 if the lock is held, else an errno. */
  int error;

  /* What follows is wait.c's own. */
  int gate;
  int lock;
  int operation;
  int state;
  int references;
  pthread_t thread;
};

/*
 * Starts to wait: first for `gate`, exclusively, unless it is -1; then for `lock`; then the gate is unlocked.
 *
 * The thread has duplicates of both descriptors, so that the caller may close them meanwhile. The memory is freed when
 * both the thread and the caller have released it. Returns 0, or an errno if there is no thread or descriptor to be had.
 */
int wait_begin(struct wait *wait, int gate, int lock, int operation);

/* Ends a wait soon. `done` is still called, with `error` 0 if the lock was granted just before. */
void wait_cancel(struct wait *wait);

/* Waits a tenth of a second, if need be, until the thread of a cancelled wait has called `done`. Whether it has. */
int wait_settle(struct wait *wait);

/* Settles a cancelled wait, and forbids `done` if it was not called until then. Whether it was called. */
int wait_abandon(struct wait *wait);

void wait_release(struct wait *wait);

#endif
