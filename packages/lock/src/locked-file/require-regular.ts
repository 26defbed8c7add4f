import { fstatSync } from 'node:fs'
import { fileError } from '../errors.ts'
import type { Lock } from '../lock.ts'

/** Throws a `LockError` if the locked file is a directory or a special file, which has no content to read or replace. */
export function requireRegular({ fd, path }: Lock): void {
  const stats = fstatSync(fd)
  if (stats.isFile()) return
  const code = stats.isDirectory() ? 'EISDIR' : 'ENXIO'
  throw fileError(Object.assign(new Error(`${code}: ${path}`), { code }), path, 'use')
}
