/* A flock(2) that waits in the kernel's queue, in a thread of its own, and that can be cancelled. */
#ifndef WAIT_H
#define WAIT_H

#include "lock_file.h"

struct wait {
  /* Called once in the thread, when the wait is over; never after wait_abandon. */
  void (*done)(struct wait *wait);
  /* Frees the memory when both the thread and the caller have released the wait. */
  void (*destroy)(struct wait *wait);
  /* How it ended: 0 if the lock is held, EINTR after a cancellation, ESTALE if the file has to be opened anew. */
  int error;

  /* What follows is wait.c's own. */
  int gate;
  int lock;
  int operation;
  int state;
  int references;
  pthread_t thread;
  char path[];
};

/*
 * Starts to wait: first for `gate`, exclusively, unless it is -1; then for `lock`, the file at `path`; then the gate is
 * closed. If the file was replaced, `lock` becomes the new one, and the wait goes on for that.
 *
 * Nobody else may close `lock` until the wait is over, or `gate` at all. Returns 0, or an errno if no thread can be had; then the caller keeps everything.
 */
int wait_begin(struct wait *wait, int gate, int lock, int operation);

/* Ends a wait soon. `lock` then leads to nothing that could be locked. `done` is still called. */
void wait_cancel(struct wait *wait);

/* Waits a tenth of a second, if need be, until the thread of a cancelled wait has called `done`. Whether it has. */
bool wait_settle(struct wait *wait);

/* Settles a cancelled wait, and forbids `done` and closes `lock` if it was not called until then. Whether it was called. */
bool wait_abandon(struct wait *wait);

/* Lets the next one wait for the lock, unless the thread has done that: lest the holder still seems to wait. */
void wait_leave_gate(struct wait *wait);

void wait_release(struct wait *wait);

#endif
