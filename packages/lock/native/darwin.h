/* The part of system.h that holds for macOS. */

#define EAGAIN 35
#define ENAMETOOLONG 63
#define ESTALE 70
#define O_NONBLOCK 0x4
#define O_NOFOLLOW 0x100
#define O_CREAT 0x200
#define O_CLOEXEC 0x1000000
#define F_SETFD 2
#define FD_CLOEXEC 1
#define F_DUPFD_CLOEXEC 67
#define SIG_SETMASK 3

int *__error(void);
#define errno (*__error())
int dup2(int from, int to);
int socket(int domain, int type, int protocol);

typedef uint32_t sigset_t;
struct sigaction {
  void (*handler)(int);
  sigset_t mask;
  int flags;
};

/* The signal that may be taken: by default SIGIO is ignored, see signal(3). */
static inline int first_signal(void) {
  return 23;
}
static inline int last_signal(void) {
  return 23;
}

static const sigset_t all_signals = ~UINT32_C(0);
static inline void allow_signal(sigset_t *blocked, int signal) {
  *blocked &= ~(UINT32_C(1) << (signal - 1));
}

/* flock(2) says ENOTSUP to a socket. */
static inline int open_nowhere(void) {
  enum { AF_UNIX = 1, SOCK_STREAM = 1 };
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}
static inline void replace_descriptor(int fd, int by) {
  dup2(by, fd);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* With inodes of 64 bits, see stat(2). */
struct stat {
  int32_t dev;
  uint16_t mode;
  uint16_t nlink;
  uint64_t ino;
  uint64_t others[16];
};

#if defined(__x86_64__)
#define WITH_64_BITS(name) __asm("_" name "$INODE64")
#else
#define WITH_64_BITS(name) __asm("_" name)
#endif
int fstat(int fd, struct stat *result) WITH_64_BITS("fstat");
int stat(const char *path, struct stat *result) WITH_64_BITS("stat");
int lstat(const char *path, struct stat *result) WITH_64_BITS("lstat");

static inline int stat_of_descriptor(int fd, struct stat *result) {
  return fstat(fd, result);
}
static inline int stat_of_path(const char *path, bool follow, struct stat *result) {
  return follow ? stat(path, result) : lstat(path, result);
}

int renamex_np(const char *from, const char *to, unsigned int flags);
static inline int exchange_paths(const char *one, const char *other) {
  enum { RENAME_SWAP = 2 };
  return renamex_np(one, other, RENAME_SWAP);
}

/* A terminated worker thread closes its addons, and a thread that waits may still run in this one. */
struct dl_info {
  const char *file;
  void *others[3];
};
int dladdr(const void *address, struct dl_info *info);
void *dlopen(const char *file, int mode);
static inline void stay_loaded(const void *here) {
  enum { RTLD_NOW = 0x2, RTLD_NODELETE = 0x80 };
  struct dl_info info;
  if (dladdr(here, &info) != 0) dlopen(info.file, RTLD_NOW | RTLD_NODELETE);
}

/* What C++'s std::atomic::wait is made of in Apple's library. */
int __ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t microseconds);
int __ulock_wake(uint32_t operation, void *address, uint64_t value);
enum { UL_COMPARE_AND_WAIT = 1 };

/* Blocks while the word is 0, or until a signal. */
static inline void sleep_while_zero(int *word) {
  __ulock_wait(UL_COMPARE_AND_WAIT, word, 0, 0);
}
static inline void wake_sleeper(int *word) {
  __ulock_wake(UL_COMPARE_AND_WAIT, word, 0);
}
