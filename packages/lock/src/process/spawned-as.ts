/** The ids of a user; what is `undefined` stays as it is. */
interface UserIds {
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/**
 * The ids of a user as `child_process` takes them.
 *
 * Node's `spawn` takes ids as signed numbers of 32 bits, and `chown` and `stat` as unsigned ones: macOS's `nobody` is -2 for one and
 * 4294967294 for the other. We keep them unsigned.
 */
export function spawnedAs({ uid, gid }: UserIds): { uid?: number; gid?: number } {
  return {
    ...(uid !== undefined && { uid: uid | 0 }),
    ...(gid !== undefined && { gid: gid | 0 }),
  }
}
