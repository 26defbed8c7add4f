import { lstatSync } from 'node:fs'
import { dirname, isAbsolute, parse, resolve } from 'node:path'
import { unusablePaths, unsupported } from './errors.ts'

/** The files by which one subject is coordinated. All paths are absolute. */
export interface Paths {
  /** A file, or the subject's own directory. It is locked exclusively, and briefly, to change the subject. */
  readonly change: string
  /** A file that is made and removed with the subject. Every user locks it for as long as it uses the subject. */
  readonly use: string
  /** A file or directory, preferably inside the subject. A watchdog locks it for as long as it runs. */
  readonly watchdog: string
  /**
   * A file or directory, preferably inside the subject. The server locks it exclusively, by a descriptor that it and all its
   * children inherit. So the kernel tells whether a server lives, even if its processes cannot be seen.
   */
  readonly server: string
  /** A small text file that names the running server. Beside it `<record>.new` appears for an instant. */
  readonly record: string
  /** If this process is root: the uid of the watchdog and the server. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** How the watchdog removes the subject, if the subject may be thrown away. */
  readonly throwAway?: ThrowAway | undefined
  /** The POSIX shell that launches the server and runs the watchdog; `/bin/sh` unless told otherwise. */
  readonly shell?: string | undefined
}

/** How a watchdog removes a subject that was made to be thrown away, as the subject's own `destroy` does. */
export interface ThrowAway {
  /** If this file exists, the subject is destroyed after its last user. It is written when the subject is created. */
  readonly mark: string
  /** The directory that is removed with its content. A mount point is only emptied. */
  readonly directory: string
  /** A marker file, directly in the directory. It is written before anything is removed; a directory with it is a wreck. */
  readonly wreck: string
  /** The file, directly in the directory, by which the subject exists. It is removed first. */
  readonly last: string
  /**
   * A file that begins with a line with the server's pid (a `postmaster.pid`). While that process lives, nothing is removed, so that a server started by somebody else keeps its directory.
   */
  readonly pidFile?: string | undefined
}

/** Throws if the paths would coordinate or remove the wrong thing. */
export function checkPaths(paths: Paths): void {
  if (process.platform === 'win32') throw unsupported()
  const { change, use, watchdog, server, record, throwAway, shell } = paths
  const named = { change, use, watchdog, server, record, shell: shell ?? '/bin/sh', ...throwAway }
  for (const [name, path] of Object.entries(named)) checkPath(name, path)
  if (new Set([change, use, watchdog, server, record]).size < 5) {
    throw unusablePaths('change, use, watchdog, server and record must be five different paths')
  }
  if (throwAway === undefined) return
  const directory = resolve(throwAway.directory)
  if (directory === parse(directory).root) {
    throw unusablePaths(`${directory} cannot be thrown away; name the subject's own directory`)
  }
  for (const name of ['mark', 'wreck', 'last'] as const) {
    if (dirname(resolve(throwAway[name])) !== directory) {
      throw unusablePaths(
        `throwAway.${name} must lie directly in ${directory}, and is ${throwAway[name]}`,
      )
    }
  }
}

/** Whether the subject is marked to be destroyed after its last user. */
export function isThrowAway(paths: Paths): boolean {
  if (paths.throwAway === undefined) return false
  return lstatSync(paths.throwAway.mark, { throwIfNoEntry: false }) !== undefined
}

/** The user of a child process: that of the paths if this process is root, else unchanged. */
export function childUser({ uid, gid }: Paths): Pick<Paths, 'uid' | 'gid'> {
  return process.getuid?.() === 0 ? { uid, gid } : {}
}

function checkPath(name: string, path: unknown): void {
  if (typeof path !== 'string' || !isAbsolute(path) || path.includes('\0')) {
    throw unusablePaths(`${name} must be an absolute path, and is ${JSON.stringify(path)}`)
  }
}
