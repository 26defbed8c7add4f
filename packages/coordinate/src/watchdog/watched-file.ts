import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'
import { isDescriptorFree } from '@howdah/lock'

/**
 * The use file that a watchdog watches. It stays open, because its users have its lock even if it is removed or another file
 * takes its path.
 */
export class WatchedFile {
  readonly #path: string
  readonly #fd: number
  readonly #identity: string

  private constructor(path: string, fd: number) {
    this.#path = path
    this.#fd = fd
    this.#identity = descriptorIdentity(fd)
  }

  /** Gives `null` if there is no file at the path. */
  static open(path: string): WatchedFile | null {
    try {
      return new WatchedFile(path, openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
    } catch {
      return null
    }
  }

  /** Whether the path still leads to it. */
  isCurrent(): boolean {
    return fileIdentity(this.#path) === this.#identity
  }

  /** Whether nobody uses it. */
  isFree(): boolean {
    return isDescriptorFree(this.#fd)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

/** Identifies the file at a path; `null` if there is none. */
export function fileIdentity(path: string): string | null {
  const stat = path === '' ? undefined : statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`
}

/** Identifies an open file. */
export function descriptorIdentity(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true })
  return `${dev}:${ino}`
}
