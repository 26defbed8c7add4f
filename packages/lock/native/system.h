/*
 * What the addon uses of the C library, declared here rather than included.
 *
 * One binary has to serve glibc and musl, so it may use only functions that both have under the same name, and only
 * structures that both lay out alike. Without the system's headers it is also the same binary wherever it is built, and
 * macOS's needs no SDK of Apple's. The layouts hold for 64-bit x86 and ARM.
 */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "the layouts below hold for 64-bit x86 and ARM"
#endif

#define ENOENT 2
#define EINTR 4
#define ENOMEM 12
#define F_OK 0
#define F_GETFL 3
#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8
#define O_RDONLY 0
#define O_RDWR 2
#define O_ACCMODE 3
#define S_IFMT 0170000
#define S_IFDIR 0040000

int access(const char *path, int mode);
int close(int fd);
int fcntl(int fd, int command, ...);
int flock(int fd, int operation);
int open(const char *path, int flags, ...);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);
void free(void *memory);
int memcmp(const void *one, const void *other, size_t size);
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
#include "linux.h"
#elif defined(__APPLE__)
#include "darwin.h"
#else
#error "unknown system"
#endif

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int sigaction(int signal, const struct sigaction *action, struct sigaction *old);

#endif
