import { spawn } from 'node:child_process'
import { fchmodSync, fchownSync, type Stats } from 'node:fs'

const groupBits = 0o070

/**
 * Gives a new, open file the owner, group and mode of the file that it will replace.
 *
 * Only root can give a file to another owner. Without root, this user becomes the owner, and nobody gets more rights than
 * before: set-id bits are dropped, and if the group cannot be kept, the new group keeps only the rights that others had.
 * Throws the system's error if the mode is refused.
 */
export function keepAttributes(fd: number, old: Stats): void {
  const permissions = old.mode & 0o7777
  if (attempt(() => fchownSync(fd, old.uid, old.gid))) return fchmodSync(fd, permissions)
  const plain = permissions & 0o1777
  const group = attempt(() => fchownSync(fd, process.geteuid?.() ?? old.uid, old.gid))
  const asOthers = (permissions & 0o007) << 3
  fchmodSync(fd, group ? plain : (plain & ~groupBits) | (plain & groupBits & asOthers))
}

/**
 * Copies the extended attributes and the access control list from one open file to another, as far as this user may.
 *
 * Node has no call for this, so GNU cp does it, in some milliseconds. Without GNU cp, as with BusyBox or on macOS, nothing is
 * copied. Call it before {@link keepAttributes}.
 */
export async function keepExtendedAttributes(fd: number, old: number): Promise<void> {
  if (process.platform !== 'linux') return
  const args = ['--attributes-only', '--preserve=mode,xattr', '/proc/self/fd/3', '/proc/self/fd/4']
  await new Promise<void>((resolve) => {
    const child = spawn('cp', args, { stdio: ['ignore', 'ignore', 'ignore', old, fd] })
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
}

function attempt(action: () => void): boolean {
  try {
    action()
    return true
  } catch {
    return false
  }
}
