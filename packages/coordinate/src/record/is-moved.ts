import { statSync } from 'node:fs'
import { errno } from '@howdah/durable'
import type { ServerRecord } from './server-record.ts'

/**
 * Whether a server's directory is no longer at the path by which the server reaches its files. Such a server must not end in
 * its usual way, because it would write to what lies at that path now. `false` if we may not look.
 */
export function isMoved({ boundTo }: Pick<ServerRecord, 'boundTo'>, directory: string): boolean {
  return boundTo !== null && isElsewhere(boundTo, idOf(directory))
}

/** Whether something other than the file `id` is at a path, or nothing is. */
export function isElsewhere(path: string, id: string | null): boolean {
  try {
    return id !== null && idAt(path) !== id
  } catch (error) {
    return errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR'
  }
}

function idOf(path: string): string | null {
  try {
    return idAt(path)
  } catch {
    return null
  }
}

function idAt(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}
