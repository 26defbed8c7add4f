/*
 * flock(2) for Node: trying, and waiting without blocking the event loop or libuv's pool.
 *
 *   flock(fd, operation)                    tries, or unlocks
 *   take(path, flags, operation, polite)    opens and locks a file that nobody has, in one call
 *   isCurrent(fd, path)                     whether the path leads to the open file: 1 or 0
 *   drop(fd, unlock)                        closes what `take` has opened
 *   wait(gate, fd, operation, callback)     waits in a thread of its own; gives a number to cancel it by
 *   cancel(number, settle)                  ends a wait soon, or, to settle it, before it returns
 *
 * No function throws. What fails gives a negative errno, 0 or a positive number is success. The callback gets 0 if the
 * lock is held.
 */
#include <node_api.h>

#include "wait.h"

/* What belongs to one environment, that is, to one JavaScript thread. */
struct environment {
  /* Carries the ends of waits to the JavaScript thread. It keeps the event loop alive while there is a wait. */
  napi_threadsafe_function ends;
  struct call *calls;
  int32_t last_number;
  /* A bit for each descriptor that `take` has opened: a terminated worker must not leave any. */
  uint64_t *taken;
  int taken_words;
};

/* A wait that JavaScript has asked for. */
struct call {
  struct wait wait;
  struct environment *environment;
  napi_threadsafe_function ends;
  struct call *next;
  int32_t number;
  napi_ref callback;
};

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

/* Whether somebody has the gate, which is named as the lock is, with an ending. Mostly there is none. */
static bool somebody_waits(const char *gate) {
  if (access(gate, F_OK) != 0) return false;
  int fd = open(gate, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  bool waits = flock(fd, LOCK_SH | LOCK_NB) != 0;
  close(fd);
  return waits;
}

/* Whether the path leads to the open file. */
static bool is_current(int fd, const char *path) {
  struct stat opened, named;
  return stat_of_descriptor(fd, &opened) == 0 && stat_of_path(path, &named) == 0 && opened.dev == named.dev &&
         opened.ino == named.ino;
}

static napi_value take(napi_env env, napi_callback_info info) {
  static const char ending[] = ".gate";
  char path[4096];
  size_t length = 0;
  napi_value arguments[4];
  struct environment *environment = begin_call(env, info, 4, arguments);
  napi_get_value_string_utf8(env, arguments[0], path, sizeof path, &length);
  if (length + sizeof ending >= sizeof path) return give(env, -ENAMETOOLONG);

  int flags = to_number(env, arguments[1]) | O_CLOEXEC;
  // Mostly the file is there, and to open it is quicker if it need not be made.
  int fd = open(path, flags & ~O_CREAT);
  if (fd < 0 && errno == ENOENT) fd = open(path, flags, 0666);
  if (fd < 0) return give(env, -errno);
  int error = 0;
  if (to_boolean(env, arguments[3])) {
    memcpy(path + length, ending, sizeof ending);
    if (somebody_waits(path)) error = EAGAIN;
    path[length] = 0;
  }
  if (error == 0 && flock(fd, to_number(env, arguments[2]) | LOCK_NB) != 0) error = errno;
  if (error == 0 && !is_current(fd, path)) error = EAGAIN;
  if (error == 0 && !remember(environment, fd)) error = EAGAIN;
  if (error != 0) close(fd);
  return give(env, error == 0 ? fd : -error);
}

static napi_value is_current_file(napi_env env, napi_callback_info info) {
  char path[4096];
  size_t length = 0;
  napi_value arguments[2];
  begin_call(env, info, 2, arguments);
  napi_get_value_string_utf8(env, arguments[1], path, sizeof path, &length);
  if (length + 1 >= sizeof path) return give(env, -ENAMETOOLONG);
  return give(env, is_current(to_number(env, arguments[0]), path));
}

static napi_value drop(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct environment *environment = begin_call(env, info, 2, arguments);
  int fd = to_number(env, arguments[0]);
  environment->taken[fd / 64] &= ~(UINT64_C(1) << fd % 64);
  // Explicitly, since another process may have the descriptor, too.
  if (to_boolean(env, arguments[1])) flock(fd, LOCK_UN);
  close(fd);
  return give(env, 0);
}

/* In the thread of a wait. */
static void send_end(struct wait *wait) {
  struct call *call = (struct call *)wait;
  napi_call_threadsafe_function(call->ends, call, napi_tsfn_nonblocking);
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
  napi_value arguments[4];
  struct environment *environment = begin_call(env, info, 4, arguments);
  struct call *call = calloc(1, sizeof *call);
  if (call == NULL) return give(env, -EAGAIN);
  call->environment = environment;
  call->ends = environment->ends;
  call->wait.done = send_end;
  napi_create_reference(env, arguments[3], 1, &call->callback);
  int error = wait_begin(&call->wait, to_number(env, arguments[0]), to_number(env, arguments[1]),
                         to_number(env, arguments[2]));
  if (error != 0) {
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

/* Gives how the wait ended if it is to be settled: 0 if the lock is held, else a negative errno. */
static napi_value cancel(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct environment *environment = begin_call(env, info, 2, arguments);
  int32_t number = to_number(env, arguments[0]);
  for (struct call *call = environment->calls; call != NULL; call = call->next) {
    if (call->number != number) continue;
    wait_cancel(&call->wait);
    if (to_boolean(env, arguments[1]) && wait_settle(&call->wait)) return give(env, -call->wait.error);
  }
  return give(env, -EAGAIN);
}

/* When the environment ends: a worker was terminated, or the process tidies up. */
static void end_environment(void *data) {
  struct environment *environment = data;
  for (struct call *call = environment->calls; call != NULL; call = call->next) wait_cancel(&call->wait);
  for (struct call *call = environment->calls, *next; call != NULL; call = next) {
    next = call->next;
    call->environment = NULL;
    // What has been sent is released by receive_end.
    if (!wait_abandon(&call->wait)) wait_release(&call->wait);
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
  napi_value name;
  napi_create_string_utf8(env, "@howdah/lock", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, receive_end, &environment->ends);
  napi_unref_threadsafe_function(env, environment->ends);
  // After the function was made, and hooks are called last in, first out: the function outlives what uses it.
  napi_add_env_cleanup_hook(env, end_environment, environment);
  export_function(env, exports, "flock", try_flock, environment);
  export_function(env, exports, "take", take, environment);
  export_function(env, exports, "isCurrent", is_current_file, environment);
  export_function(env, exports, "drop", drop, environment);
  export_function(env, exports, "wait", wait_for, environment);
  export_function(env, exports, "cancel", cancel, environment);
  return exports;
}
