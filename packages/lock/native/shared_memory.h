/* Whether the system lets this process have System V shared memory, without which no PostgreSQL server starts. */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <node_api.h>

/* Adds `trySharedMemory()` to the addon: makes a segment and removes it; 0 or a negative errno. */
void export_shared_memory(napi_env env, napi_value exports);

#endif
