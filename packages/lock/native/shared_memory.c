#include "shared_memory.h"

#include "system.h"

enum { IPC_PRIVATE = 0, IPC_RMID = 0, IPC_CREAT = 01000, for_user = 0600 };

int shmget(int key, size_t size, int flags);
int shmctl(int id, int command, void *buffer);

static napi_value try_shared_memory(napi_env env, napi_callback_info info) {
  (void)info;
  int id = shmget(IPC_PRIVATE, 1, IPC_CREAT | for_user);
  int error = id < 0 ? errno : 0;
  if (id >= 0) shmctl(id, IPC_RMID, NULL);
  napi_value result = NULL;
  napi_create_int32(env, -error, &result);
  return result;
}

void export_shared_memory(napi_env env, napi_value exports) {
  napi_value value;
  napi_create_function(env, "trySharedMemory", NAPI_AUTO_LENGTH, try_shared_memory, NULL, &value);
  napi_set_named_property(env, exports, "trySharedMemory", value);
}
