/*
 * What flock.c uses of the C library, declared here rather than included.
 *
 * One binary has to serve glibc and musl, so it may use only functions that both have under the same name, and only
 * structures that both lay out alike. Without the system's headers it is also the same binary wherever it is built, and
 * macOS's can be built without Apple's SDK. The layouts hold for 64-bit x86 and ARM.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "the layouts below hold for 64-bit x86 and ARM"
#endif

#define ENOENT 2
#define EINTR 4
#define F_OK 0
#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
#define O_RDONLY 0

int access(const char *path, int mode);
int close(int fd);
int fcntl(int fd, int command, ...);
int flock(int fd, int operation);
int open(const char *path, int flags, ...);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *memory, int byte, size_t size);

/* pthread_t is a number or a pointer; pthread_attr_t has 56 or 64 bytes. */
typedef struct thread *pthread_t;
typedef struct {
  long space[16];
} pthread_attr_t;

int pthread_attr_init(pthread_attr_t *attributes);
int pthread_attr_destroy(pthread_attr_t *attributes);
int pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size);
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);
int pthread_detach(pthread_t thread);
int pthread_kill(pthread_t thread, int signal);
pthread_t pthread_self(void);

struct timespec {
  long seconds;
  long nanoseconds;
};
int nanosleep(const struct timespec *duration, struct timespec *left);

#if defined(__linux__)

#define EAGAIN 11
#define ENAMETOOLONG 36
#define O_CREAT 0100
#define O_CLOEXEC 02000000
#define O_NONBLOCK 04000
#define O_PATH 010000000
#if defined(__x86_64__)
#define O_NOFOLLOW 0400000
#define SYS_fstat 5
#define SYS_lstat_at 262
#define SYS_futex 202
#else
#define O_NOFOLLOW 0100000
#define SYS_fstat 80
#define SYS_lstat_at 79
#define SYS_futex 98
#endif
#define F_DUPFD_CLOEXEC 1030
#define SIG_SETMASK 2

int *__errno_location(void);
#define errno (*__errno_location())
int dup3(int from, int to, int flags);
int __libc_current_sigrtmin(void);
int __libc_current_sigrtmax(void);
#define first_signal __libc_current_sigrtmin
#define last_signal __libc_current_sigrtmax
long syscall(long number, ...);

typedef struct {
  uint64_t bits[16];
} sigset_t;
struct sigaction {
  void (*handler)(int);
  sigset_t mask;
  int flags;
  void (*restorer)(void);
};

/* All signals but those by which glibc and musl talk to their threads. */
static const sigset_t all_signals = {{~(UINT64_C(7) << 31), ~UINT64_C(0)}};
static inline void allow_signal(sigset_t *blocked, int signal) {
  blocked->bits[0] &= ~(UINT64_C(1) << (signal - 1));
}

/* flock(2) says EBADF to what was opened by O_PATH. */
static inline int open_nowhere(void) {
  return open("/", O_PATH | O_CLOEXEC);
}
static inline void replace_descriptor(int fd, int by) {
  dup3(by, fd, O_CLOEXEC);
}

struct stat {
  uint64_t dev;
  uint64_t ino;
  uint64_t others[16];
};

/* glibc exports fstat and lstat since 2.33 only, so the system calls are made directly. */
static inline int stat_of_descriptor(int fd, struct stat *result) {
  return (int)syscall(SYS_fstat, fd, result);
}
static inline int stat_of_path(const char *path, struct stat *result) {
  enum { AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100 };
  return (int)syscall(SYS_lstat_at, AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}

/* Blocks while the word is 0, or until a signal. */
static inline void sleep_while_zero(int *word) {
  enum { FUTEX_WAIT_PRIVATE = 128 };
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL);
}
static inline void wake_sleeper(int *word) {
  enum { FUTEX_WAKE_PRIVATE = 129 };
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
}

#else
#error "unknown system"
#endif

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int sigaction(int signal, const struct sigaction *action, struct sigaction *old);

#endif
