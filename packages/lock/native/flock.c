/*
 * flock(2) for Node: trying, and waiting without blocking the event loop or libuv's pool.
 *
 *   flock(fd, operation)                                tries, or unlocks
 *   take(path, permissions, operation, polite)          opens a file, and locks it if nobody has it: the descriptor, or, if
 *                                                       somebody has it or is to be let first, -4096 less the descriptor
 *   adopt(fd)                                           a copy of a descriptor, as `take` would have opened it
 *   isCurrent(fd, path)                                 whether the path leads to the open file: 1 or 0
 *   drop(fd, unlock, keep)                              closes what `take` or `adopt` has opened; or keeps it open, if it was
 *                                                       taken last, for the next `take` of the same path
 *   tidy()                                              closes what was kept open
 *   wait(fd, path, operation, fair, callback)           waits in a thread of its own; gives a number to cancel it by
 *   cancel(number, settle)                              ends a wait soon, or, to settle it, before it returns
 *   exchange(one, other)                                swaps what is at two paths, in one step of the kernel
 *
 * What shared_memory.h says is there, too, and on macOS what process.h says.
 *
 * No function throws. What fails gives a negative errno, 0 or a positive number is success. While there is a wait for a
 * descriptor it must not be dropped. The callback gets 0 if it is locked, else a positive errno: see `error` in wait.h.
 */
#include <node_api.h>

#include "process.h"
#include "shared_memory.h"
#include "wait.h"

/* From here downwards `take` gives what is open, but not locked: no errno is as low. */
enum { blocked = -4096 };

/* What belongs to one environment, that is, to one JavaScript thread. */
struct environment {
  /* Carries the ends of waits to the JavaScript thread. It keeps the event loop alive while there is a wait. */
  napi_threadsafe_function ends;
  struct call *calls;
  int32_t last_number;
  /* What was taken last: its path, and whether it is kept open meanwhile, unlocked. -1: nothing. */
  int last;
  bool kept;
  char path[path_size];
  /* A bit for each descriptor that is to be closed by `drop`: a terminated worker must not leave any. */
  uint64_t *taken;
  int taken_words;
};

/* A wait that JavaScript has asked for. */
struct call {
  struct environment *environment;
  napi_threadsafe_function ends;
  struct call *next;
  int32_t number;
  int fd;
  napi_ref callback;
  // The last one, since it ends with the path.
  struct wait wait;
};

static struct call *call_of(struct wait *wait) {
  return (struct call *)((char *)wait - offsetof(struct call, wait));
}

static struct environment *begin_call(napi_env env, napi_callback_info info, size_t count, napi_value *arguments) {
  struct environment *environment = NULL;
  napi_get_cb_info(env, info, &count, arguments, NULL, (void **)&environment);
  return environment;
}

static int32_t to_number(napi_env env, napi_value value) {
  int32_t number = -1;
  napi_get_value_int32(env, value, &number);
  return number;
}

static bool to_boolean(napi_env env, napi_value value) {
  bool boolean = false;
  napi_get_value_bool(env, value, &boolean);
  return boolean;
}

static napi_value give(napi_env env, int32_t number) {
  napi_value value = NULL;
  napi_create_int32(env, number, &value);
  return value;
}

static napi_value try_flock(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  begin_call(env, info, 2, arguments);
  int failed = flock(to_number(env, arguments[0]), to_number(env, arguments[1]) | LOCK_NB);
  return give(env, failed ? -errno : 0);
}

/* Remembers that a descriptor is open. Whether there was memory for that. */
static bool remember(struct environment *environment, int fd) {
  int word = fd / 64;
  if (word >= environment->taken_words) {
    int words = word + 16;
    uint64_t *larger = realloc(environment->taken, (size_t)words * sizeof *larger);
    if (larger == NULL) return false;
    memset(larger + environment->taken_words, 0, (size_t)(words - environment->taken_words) * sizeof *larger);
    environment->taken = larger;
    environment->taken_words = words;
  }
  environment->taken[word] |= UINT64_C(1) << fd % 64;
  return true;
}

static void forget_descriptor(struct environment *environment, int fd) {
  environment->taken[fd / 64] &= ~(UINT64_C(1) << fd % 64);
}

/* Copies a path, and gives how long it is; 0: it is too long. */
static size_t to_path(napi_env env, napi_value value, char *path) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, path, path_size, &length);
  return length + 1 < path_size ? length : 0;
}

static void close_kept(struct environment *environment) {
  if (!environment->kept) return;
  environment->kept = false;
  forget_descriptor(environment, environment->last);
  close(environment->last);
}

/* Opens what is to be taken, unless it was kept open. */
static int open_taken(struct environment *environment, const char *path, size_t length, int permissions) {
  if (environment->kept && memcmp(path, environment->path, length + 1) == 0) {
    environment->kept = false;
    return environment->last;
  }
  close_kept(environment);
  environment->last = -1;
  int fd = open_lock(path, permissions);
  if (fd < 0 || remember(environment, fd)) return fd;
  close(fd);
  errno = ENOMEM;
  return -1;
}

static napi_value take(napi_env env, napi_callback_info info) {
  char path[path_size];
  napi_value arguments[4];
  struct environment *environment = begin_call(env, info, 4, arguments);
  size_t length = to_path(env, arguments[0], path);
  if (length == 0) return give(env, -ENAMETOOLONG);

  int fd = open_taken(environment, path, length, to_number(env, arguments[1]));
  if (fd < 0) return give(env, -errno);
  int error = 0;
  if (to_boolean(env, arguments[3]) && somebody_waits(path)) error = EAGAIN;
  else if (flock(fd, to_number(env, arguments[2]) | LOCK_NB) != 0) error = errno;
  else if (!is_current(fd, path)) error = ESTALE;
  if (error == 0 && fd != environment->last) {
    environment->last = fd;
    memcpy(environment->path, path, length + 1);
  }
  if (error == 0) return give(env, fd);
  environment->last = -1;
  if (error == EAGAIN) return give(env, blocked - fd);
  forget_descriptor(environment, fd);
  close(fd);
  return give(env, -error);
}

static napi_value adopt(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct environment *environment = begin_call(env, info, 1, &argument);
  int fd = fcntl(to_number(env, argument), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return give(env, -errno);
  if (remember(environment, fd)) return give(env, fd);
  close(fd);
  return give(env, -ENOMEM);
}

static napi_value is_current_file(napi_env env, napi_callback_info info) {
  char path[path_size];
  napi_value arguments[2];
  begin_call(env, info, 2, arguments);
  if (to_path(env, arguments[1], path) == 0) return give(env, -ENAMETOOLONG);
  return give(env, is_current(to_number(env, arguments[0]), path));
}

static napi_value drop(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct environment *environment = begin_call(env, info, 3, arguments);
  int fd = to_number(env, arguments[0]);
  // Explicitly, since another process may have the descriptor, too.
  if (to_boolean(env, arguments[1])) flock(fd, LOCK_UN);
  if (fd == environment->last) {
    environment->kept = to_boolean(env, arguments[2]);
    if (environment->kept) return give(env, 0);
    environment->last = -1;
  }
  forget_descriptor(environment, fd);
  close(fd);
  return give(env, 0);
}

static napi_value tidy(napi_env env, napi_callback_info info) {
  close_kept(begin_call(env, info, 0, NULL));
  return give(env, 0);
}

/* In the thread of a wait. */
static void send_end(struct wait *wait) {
  struct call *call = call_of(wait);
  napi_call_threadsafe_function(call->ends, call, napi_tsfn_nonblocking);
}

static void free_call(struct wait *wait) {
  free(call_of(wait));
}

static void forget(napi_env env, struct call *call) {
  struct environment *environment = call->environment;
  struct call **place = &environment->calls;
  while (*place != call) place = &(*place)->next;
  *place = call->next;
  if (environment->calls == NULL) napi_unref_threadsafe_function(env, environment->ends);
  napi_delete_reference(env, call->callback);
}

/* In the JavaScript thread, with what send_end has sent, also after the environment has ended. */
static void receive_end(napi_env env, napi_value unused, void *context, void *data) {
  (void)unused;
  (void)context;
  struct call *call = data;
  wait_leave_gate(&call->wait);
  if (env != NULL && call->environment != NULL) {
    napi_value callback, receiver, argument = give(env, call->wait.error);
    napi_get_reference_value(env, call->callback, &callback);
    napi_get_undefined(env, &receiver);
    forget(env, call);
    napi_call_function(env, receiver, callback, 1, &argument, NULL);
  }
  wait_release(&call->wait);
}

static napi_value wait_for(napi_env env, napi_callback_info info) {
  char path[path_size];
  napi_value arguments[5];
  struct environment *environment = begin_call(env, info, 5, arguments);
  size_t length = to_path(env, arguments[1], path);
  int fd = to_number(env, arguments[0]);
  // Its holder may stay for long.
  if (!is_current(fd, path)) return give(env, -ESTALE);
  struct call *call = length == 0 ? NULL : calloc(1, sizeof *call + length + 1);
  if (call == NULL) return give(env, -EAGAIN);
  call->environment = environment;
  call->ends = environment->ends;
  call->fd = fd;
  call->wait.done = send_end;
  call->wait.destroy = free_call;
  memcpy(call->wait.path, path, length);
  napi_create_reference(env, arguments[4], 1, &call->callback);
  int operation = to_number(env, arguments[2]);
  int gate = to_boolean(env, arguments[3]) ? open_gate(path, fd, operation) : -1;
  int error = wait_begin(&call->wait, gate, fd, operation);
  if (error != 0) {
    if (gate >= 0) close(gate);
    napi_delete_reference(env, call->callback);
    free(call);
    return give(env, -error);
  }
  call->number = environment->last_number = environment->last_number % INT32_MAX + 1;
  if (environment->calls == NULL) napi_ref_threadsafe_function(env, environment->ends);
  call->next = environment->calls;
  environment->calls = call;
  return give(env, call->number);
}

static napi_value cancel(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct environment *environment = begin_call(env, info, 2, arguments);
  int32_t number = to_number(env, arguments[0]);
  for (struct call *call = environment->calls; call != NULL; call = call->next) {
    if (call->number != number) continue;
    wait_cancel(&call->wait);
    if (to_boolean(env, arguments[1])) wait_settle(&call->wait);
    break;
  }
  return give(env, 0);
}

static napi_value exchange(napi_env env, napi_callback_info info) {
  char one[path_size];
  char other[path_size];
  napi_value arguments[2];
  begin_call(env, info, 2, arguments);
  if (to_path(env, arguments[0], one) == 0 || to_path(env, arguments[1], other) == 0) return give(env, -ENAMETOOLONG);
  return give(env, exchange_paths(one, other) != 0 ? -errno : 0);
}

/* When the environment ends: a worker was terminated, or the process tidies up. */
static void end_environment(void *data) {
  struct environment *environment = data;
  for (struct call *call = environment->calls; call != NULL; call = call->next) wait_cancel(&call->wait);
  for (struct call *call = environment->calls, *next; call != NULL; call = next) {
    next = call->next;
    call->environment = NULL;
    if (wait_abandon(&call->wait)) continue;
    // What has been sent is released by receive_end; this is not.
    forget_descriptor(environment, call->fd);
    wait_release(&call->wait);
  }
  for (int fd = 0; fd < environment->taken_words * 64; fd++) {
    if (environment->taken[fd / 64] >> fd % 64 & 1) close(fd);
  }
  free(environment->taken);
  free(environment);
}

static void export_function(napi_env env, napi_value exports, const char *name, napi_callback function, void *data) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, data, &value);
  napi_set_named_property(env, exports, name, value);
}

NAPI_MODULE_INIT() {
  struct environment *environment = calloc(1, sizeof *environment);
  if (environment == NULL) return NULL;
  environment->last = -1;
  stay_loaded(export_function);
  napi_value name;
  napi_create_string_utf8(env, "@howdah/lock", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, receive_end, &environment->ends);
  napi_unref_threadsafe_function(env, environment->ends);
  // After the function was made, and hooks are called last in, first out: the function outlives what uses it.
  napi_add_env_cleanup_hook(env, end_environment, environment);
  export_function(env, exports, "flock", try_flock, environment);
  export_function(env, exports, "take", take, environment);
  export_function(env, exports, "adopt", adopt, environment);
  export_function(env, exports, "isCurrent", is_current_file, environment);
  export_function(env, exports, "drop", drop, environment);
  export_function(env, exports, "tidy", tidy, environment);
  export_function(env, exports, "wait", wait_for, environment);
  export_function(env, exports, "cancel", cancel, environment);
  export_function(env, exports, "exchange", exchange, environment);
  export_processes(env, exports);
  export_shared_memory(env, exports);
  return exports;
}
