/* The part of system.h that holds for Linux, with glibc and with musl. */

#define EAGAIN 11
#define ENAMETOOLONG 36
#define ESTALE 116
#define O_CREAT 0100
#define O_CLOEXEC 02000000
#define O_NONBLOCK 04000
#define O_PATH 010000000
#if defined(__x86_64__)
#define O_NOFOLLOW 0400000
#define SYS_fstat 5
#define SYS_stat_at 262
#define SYS_futex 202
#define SYS_renameat2 316
#else
#define O_NOFOLLOW 0100000
#define SYS_fstat 80
#define SYS_stat_at 79
#define SYS_futex 98
#define SYS_renameat2 276
#endif
#define F_DUPFD_CLOEXEC 1030
#define SIG_SETMASK 2

int *__errno_location(void);
#define errno (*__errno_location())
int dup3(int from, int to, int flags);
int __libc_current_sigrtmin(void);
int __libc_current_sigrtmax(void);
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

/* The signals of which one may be taken. Others may count on the first ones, and qemu does not deliver the last ones. */
static inline int first_signal(void) {
  return __libc_current_sigrtmin() + 8;
}
static inline int last_signal(void) {
  return __libc_current_sigrtmax() - 3;
}

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

/* As the kernel fills it. */
struct stat {
  uint64_t dev;
  uint64_t ino;
#if defined(__x86_64__)
  uint64_t nlink;
#endif
  uint32_t mode;
  uint32_t others[31];
};

/* glibc exports fstat and lstat since 2.33 only, so the system calls are made directly. */
static inline int stat_of_descriptor(int fd, struct stat *result) {
  return (int)syscall(SYS_fstat, fd, result);
}
static inline int stat_of_path(const char *path, bool follow, struct stat *result) {
  enum { AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100 };
  return (int)syscall(SYS_stat_at, AT_FDCWD, path, result, follow ? 0 : AT_SYMLINK_NOFOLLOW);
}

/* glibc has renameat2 since 2.28, musl since 1.2.6. */
static inline int exchange_paths(const char *one, const char *other) {
  enum { AT_FDCWD = -100, RENAME_EXCHANGE = 2 };
  return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

/* The linker has said so. */
static inline void stay_loaded(const void *here) {
  (void)here;
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
