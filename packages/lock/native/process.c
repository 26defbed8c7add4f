#include "process.h"

#if defined(__APPLE__)

/* Facts from XNU's bsd/sys/proc_info.h, bsd/sys/sysctl.h and bsd/sys/proc.h; sizes and places are those of 64 bits. */
enum { ESRCH = 3, SZOMB = 5, PROC_PIDTBSDINFO = 3, PROC_PIDVNODEPATHINFO = 9, path_limit = 4096 };
enum { CTL_KERN = 1, KERN_PROC = 14, KERN_PROC_PID = 1, KERN_PROCARGS2 = 49 };

/* struct proc_bsdinfo */
struct process_info {
  uint32_t flags, status, exit_status, pid, parent, uid;
  uint32_t others[24];
  uint64_t seconds, microseconds;
};
_Static_assert(sizeof(struct process_info) == 136, "the size of struct proc_bsdinfo");

/* struct proc_vnodepathinfo, of which the working directory's struct vinfo_stat is the first part. */
struct directory_info {
  uint32_t device;
  uint16_t mode, links;
  uint64_t inode;
  char others[2336];
};
_Static_assert(sizeof(struct directory_info) == 2352, "the size of struct proc_vnodepathinfo");

/* struct kinfo_proc */
struct public_info {
  int64_t seconds;
  int32_t microseconds;
  char before_state[24];
  char state;
  char before_uid[383];
  uint32_t uid;
  char before_parent[136];
  int32_t parent;
  char others[84];
};
_Static_assert(sizeof(struct public_info) == 648, "the size of struct kinfo_proc");
_Static_assert(offsetof(struct public_info, state) == 36, "where p_stat is");
_Static_assert(offsetof(struct public_info, uid) == 420, "where e_ucred.cr_uid is");
_Static_assert(offsetof(struct public_info, parent) == 560, "where e_ppid is");

int proc_pidinfo(int pid, int flavor, uint64_t argument, void *buffer, int size);
int proc_pidpath(int pid, void *buffer, uint32_t size);
int proc_listallpids(void *buffer, int size);
int sysctl(int *name, unsigned count, void *old, size_t *old_size, void *new, size_t new_size);
int sysctlbyname(const char *name, void *old, size_t *old_size, void *new, size_t new_size);
int gethostuuid(uint8_t *id, const struct timespec *wait);

/* What is asked of every process. */
struct seen {
  uint64_t seconds, microseconds;
  uint32_t uid, parent;
  bool zombie;
};

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value text(napi_env env, const char *characters, size_t length) {
  napi_value result = NULL;
  napi_create_string_utf8(env, characters, length, &result);
  return result;
}

static napi_value nothing(napi_env env) {
  napi_value result = NULL;
  napi_get_null(env, &result);
  return result;
}

/* Writes a number and gives where it ends; with at least so many digits. */
static char *write_number(char *to, uint64_t value, int digits) {
  char reversed[20];
  int count = 0;
  do reversed[count++] = (char)('0' + value % 10);
  while ((value /= 10) != 0 || count < digits);
  while (count > 0) *to++ = reversed[--count];
  return to;
}

/* What every user may ask of every process. 0 or an errno. */
static int see_public(int pid, struct seen *seen) {
  struct public_info info;
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
  size_t size = sizeof info;
  if (sysctl(name, 4, &info, &size, NULL, 0) != 0) return errno;
  if (size < sizeof info) return ESRCH;
  *seen = (struct seen){(uint64_t)info.seconds, (uint64_t)info.microseconds, info.uid, (uint32_t)info.parent,
                        info.state == SZOMB};
  return 0;
}

/* 0 or an errno. With the argument 1 zombies are found, too. */
static int see(int pid, struct seen *seen) {
  struct process_info info;
  if (proc_pidinfo(pid, PROC_PIDTBSDINFO, 1, &info, sizeof info) != sizeof info) return see_public(pid, seen);
  *seen = (struct seen){info.seconds, info.microseconds, info.uid, info.parent, info.status == SZOMB};
  return 0;
}

static napi_value start_of(napi_env env, const struct seen *seen) {
  char started[48];
  char *end = write_number(started, seen->seconds, 1);
  *end++ = '.';
  end = write_number(end, seen->microseconds, 6);
  return text(env, started, (size_t)(end - started));
}

static napi_value program_of(napi_env env, int pid) {
  char path[path_limit];
  int length = proc_pidpath(pid, path, sizeof path);
  return length > 0 ? text(env, path, (size_t)length) : nothing(env);
}

/*
 * The arguments, or what the process has written over them, with a space between any two. The kernel gives their number, the path of
 * the program, null bytes, the arguments, and the environment.
 */
static napi_value command_of(napi_env env, int pid) {
  int name[] = {CTL_KERN, KERN_PROCARGS2, pid};
  size_t size = 0;
  if (sysctl(name, 3, NULL, &size, NULL, 0) != 0 || size < sizeof(int32_t)) return nothing(env);
  char *memory = calloc(size, 1);
  if (memory == NULL) return nothing(env);
  napi_value result = nothing(env);
  if (sysctl(name, 3, memory, &size, NULL, 0) == 0 && size > sizeof(int32_t)) {
    int32_t left;
    memcpy(&left, memory, sizeof left);
    char *end = memory + size, *from = memory + sizeof left;
    while (from < end && *from != 0) from++;
    while (from < end && *from == 0) from++;
    char *to = from;
    for (; to < end && left > 0; to++) {
      if (*to != 0) continue;
      *to = ' ';
      left--;
    }
    result = text(env, from, (size_t)(to - from));
  }
  free(memory);
  return result;
}

static napi_value directory_of(napi_env env, int pid) {
  struct directory_info info;
  if (proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, &info, sizeof info) != sizeof info) return nothing(env);
  char place[48];
  char *end = write_number(place, info.device, 1);
  *end++ = ':';
  end = write_number(end, info.inode, 1);
  return text(env, place, (size_t)(end - place));
}

static napi_value see_process(napi_env env, napi_callback_info callback) {
  size_t count = 1;
  int32_t pid = 0;
  napi_value argument, result, zombie;
  napi_get_cb_info(env, callback, &count, &argument, NULL, NULL);
  napi_get_value_int32(env, argument, &pid);
  struct seen seen;
  int error = see(pid, &seen);
  if (error != 0) return number(env, -error);
  napi_create_object(env, &result);
  napi_get_boolean(env, seen.zombie, &zombie);
  napi_set_named_property(env, result, "started", start_of(env, &seen));
  napi_set_named_property(env, result, "zombie", zombie);
  napi_set_named_property(env, result, "uid", number(env, seen.uid));
  napi_set_named_property(env, result, "parent", number(env, seen.parent));
  napi_set_named_property(env, result, "program", program_of(env, pid));
  napi_set_named_property(env, result, "command", command_of(env, pid));
  napi_set_named_property(env, result, "directory", directory_of(env, pid));
  return result;
}

static napi_value process_ids(napi_env env, napi_callback_info callback) {
  (void)callback;
  int known = proc_listallpids(NULL, 0);
  if (known <= 0) return number(env, -errno);
  // Some may be made meanwhile.
  int room = known + 256;
  int32_t *pids = calloc((size_t)room, sizeof *pids);
  if (pids == NULL) return number(env, -ENOMEM);
  int count = proc_listallpids(pids, room * (int)sizeof *pids);
  napi_value result = number(env, -errno);
  if (count > 0) {
    napi_create_array(env, &result);
    for (int index = 0; index < count; index++) {
      napi_set_element(env, result, (uint32_t)index, number(env, pids[index]));
    }
  }
  free(pids);
  return result;
}

static napi_value host_id(napi_env env, napi_callback_info callback) {
  (void)callback;
  static const char digits[] = "0123456789ABCDEF";
  uint8_t id[16];
  struct timespec wait = {1, 0};
  if (gethostuuid(id, &wait) != 0) return number(env, -errno);
  char name[36], *to = name;
  for (int index = 0; index < 16; index++) {
    if (index == 4 || index == 6 || index == 8 || index == 10) *to++ = '-';
    *to++ = digits[id[index] >> 4];
    *to++ = digits[id[index] & 15];
  }
  return text(env, name, sizeof name);
}

static napi_value boot_id(napi_env env, napi_callback_info callback) {
  (void)callback;
  char name[64];
  size_t size = sizeof name;
  if (sysctlbyname("kern.bootsessionuuid", name, &size, NULL, 0) != 0) return number(env, -errno);
  // With the byte that ends a string.
  return size > 1 ? text(env, name, size - 1) : number(env, -ENOENT);
}

static void export_call(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
  napi_set_named_property(env, exports, name, value);
}

void export_processes(napi_env env, napi_value exports) {
  export_call(env, exports, "seeProcess", see_process);
  export_call(env, exports, "processIds", process_ids);
  export_call(env, exports, "hostId", host_id);
  export_call(env, exports, "bootId", boot_id);
}

#endif
