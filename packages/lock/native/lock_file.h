/* Lock files and their gates, as src/lock-file.ts and src/contend.ts have them. */
#ifndef LOCK_FILE_H
#define LOCK_FILE_H

#include "system.h"

/* The longest path, with what ends it, and with the ending of a gate. */
enum { path_size = 4096 };

enum { careful = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK };

/* Opens the file for reading and writing; makes it, with these permissions, if they are not -1. -1 and errno, or a descriptor. */
int open_lock(const char *path, int permissions);

/* Opens what the path of an open file leads to now. -1: it cannot be opened in the same way, or one of both is a directory. */
int open_again(const char *path, int fd);

/* Whether the path leads to the open file. */
bool is_current(int fd, const char *path);

/* Whether somebody has the gate of the lock. */
bool somebody_waits(const char *path);

/*
 * Opens the gate of an open lock file, and makes it if there is none: for reading if a reader is to wait, so that others
 * can tell what its holder waits for. -1: a directory has none, or it cannot be opened, and then only fairness is lost.
 */
int open_gate(const char *path, int fd, int operation);

#endif
