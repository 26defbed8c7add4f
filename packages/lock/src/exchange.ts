import { getSystemErrorName } from 'node:util'
import { binding } from './binding/load-binding.ts'

/**
 * Swaps two files or directories on one file system. It is one step of the kernel: at any instant each of the two is whole at
 * one of the paths, even if this process is killed. Locks stay with the files.
 *
 * Throws errors of the system: `EBUSY` for a mount point, `EXDEV` for two file systems, and `EINVAL`, `ENOSYS` or `ENOTSUP` if
 * the file system or the kernel cannot do this (see `RENAME_EXCHANGE` in rename(2), `RENAME_SWAP` in renamex_np(2) of macOS).
 * Throws `ENOSYS`, too, if the binding is not our own addon, and as `acquire` does without any binding.
 */
export function exchange(one: string, other: string): void {
  const result = binding(one).native?.exchange(one, other)
  if (result === 0) return
  const code = result === undefined ? 'ENOSYS' : getSystemErrorName(result)
  throw Object.assign(new Error(`${code}: cannot exchange ${one} and ${other}`), {
    code,
    errno: result,
    syscall: 'renameat2',
    path: one,
    dest: other,
  })
}
