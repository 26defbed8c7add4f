#include "lock_file.h"

static const char ending[] = ".gate";

/* The path of the gate, in `result`; false if it would be too long. */
static bool gate_path(const char *path, char result[path_size]) {
  size_t length = 0;
  while (path[length] != 0) length++;
  if (length + sizeof ending > path_size) return false;
  memcpy(result, path, length);
  memcpy(result + length, ending, sizeof ending);
  return true;
}

static bool is_directory(const struct stat *stat) {
  return (stat->mode & S_IFMT) == S_IFDIR;
}

int open_lock(const char *path, int permissions) {
  // Usually the file is there, and to open it is quicker if it need not be made.
  int fd = open(path, O_RDWR | careful);
  if (fd >= 0 || errno != ENOENT || permissions < 0) return fd;
  return open(path, O_RDWR | O_CREAT | careful, permissions);
}

int open_again(const char *path, int fd) {
  struct stat stat;
  if (stat_of_descriptor(fd, &stat) != 0 || is_directory(&stat)) return -1;
  int opened = open(path, (fcntl(fd, F_GETFL) & O_ACCMODE) | careful);
  if (opened < 0 || (stat_of_descriptor(opened, &stat) == 0 && !is_directory(&stat))) return opened;
  close(opened);
  return -1;
}

bool is_current(int fd, const char *path) {
  struct stat opened, named;
  return stat_of_descriptor(fd, &opened) == 0 && stat_of_path(path, is_directory(&opened), &named) == 0 &&
         opened.dev == named.dev && opened.ino == named.ino;
}

bool somebody_waits(const char *path) {
  char gate[path_size];
  // Usually there is none, and this is the quickest way to tell.
  if (!gate_path(path, gate) || access(gate, F_OK) != 0) return false;
  int fd = open(gate, O_RDONLY | careful);
  if (fd < 0) return false;
  bool waits = flock(fd, LOCK_SH | LOCK_NB) != 0;
  close(fd);
  return waits;
}

int open_gate(const char *path, int fd, int operation) {
  char gate[path_size];
  struct stat lock;
  if (!gate_path(path, gate) || stat_of_descriptor(fd, &lock) != 0 || is_directory(&lock)) return -1;
  // A user who cannot hold the lock must not hold the gate either.
  int access = operation == LOCK_SH ? O_RDONLY : O_RDWR;
  int opened = open(gate, access | O_CREAT | careful, lock.mode & 0666);
  return opened >= 0 ? opened : open(gate, O_RDONLY | careful);
}
