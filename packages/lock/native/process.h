/* What macOS tells of processes and of itself; on Linux /proc tells that, and nothing is exported. */
#ifndef PROCESS_H
#define PROCESS_H

#include <node_api.h>

#include "system.h"

/*
 * Adds to the addon, on macOS only:
 *
 *   seeProcess(pid)   an object, or a negative errno: { started, zombie, uid, parent, program, command, directory }
 *   processIds()      the ids of all processes, or a negative errno
 *   hostId()          the machine's UUID, or a negative errno
 *   bootId()          the boot's UUID, or a negative errno
 *
 * `started` is in seconds since 1970, with six digits of fractions, as text. `program` is a path, `command` its arguments. `directory` is the device and the
 * inode of the working directory, as `device:inode`. What only the process's user may see is null.
 */
#if defined(__APPLE__)
void export_processes(napi_env env, napi_value exports);
#else
static inline void export_processes(napi_env env, napi_value exports) {
  (void)env;
  (void)exports;
}
#endif

#endif
