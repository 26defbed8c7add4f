import childProcess, { type SpawnOptions } from 'node:child_process'
import fs, { readlinkSync, realpathSync, type PathLike } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

/**
 * What this process brings to disk, in its order, while it is watched: the calls are made all the same.
 *
 * To be imported before anything that imports `node:fs`. Paths are as the kernel sees them when the call is made, and start
 * below `root`. What is drawn at random in a name is `*`.
 */
export const trace = {
  root: '/',
  /** `sync PATH`, `rename PATH -> PATH`, `remove PATH`, and the programs that sync: `initdb --sync-only`, `sync -f`. */
  calls: [] as string[],
  /** Calls that are to fail. */
  failing: [] as readonly string[],
  /** Called before a call is made. */
  before: (_call: string): void => undefined,
}

/** Forgets what it has seen, and looks below a directory from now on. */
export function watchDisk(root: string): void {
  Object.assign(trace, {
    root: realpathSync(root),
    calls: [],
    failing: [],
    before: () => undefined,
  })
}

function note(call: string): void {
  trace.before(call)
  trace.calls.push(call)
  if (trace.failing.includes(call)) {
    throw Object.assign(new Error(`EIO: ${call} is made to fail`), { code: 'EIO' })
  }
}

function short(path: string): string {
  const below = path.startsWith(`${trace.root}/`) ? path.slice(trace.root.length + 1) : path
  return (path === trace.root ? '.' : below).replaceAll(/\b[0-9a-f]{12,16}\b/g, '*')
}

const named = (path: PathLike): string => {
  const text = String(path)
  return short(join(realpathSync(dirname(text)), basename(text)))
}
const opened = (fd: number): string => short(readlinkSync(`/proc/self/fd/${fd}`))

const { fsync, fsyncSync, renameSync, rmSync } = fs
const { rename, rm } = fs.promises
const { execFile, spawn } = childProcess

Object.assign(fs, {
  fsync: (fd: number, done: (error: Error | null) => void) => {
    try {
      note(`sync ${opened(fd)}`)
    } catch (error) {
      setImmediate(() => done(error as Error))
      return
    }
    fsync(fd, done)
  },
  fsyncSync: (fd: number) => {
    note(`sync ${opened(fd)}`)
    fsyncSync(fd)
  },
  renameSync: (from: PathLike, to: PathLike) => {
    note(`rename ${named(from)} -> ${named(to)}`)
    renameSync(from, to)
  },
  rmSync: (path: PathLike, ...rest: []) => {
    note(`remove ${named(path)}`)
    rmSync(path, ...rest)
  },
})
Object.assign(fs.promises, {
  rename: async (from: PathLike, to: PathLike) => {
    note(`rename ${named(from)} -> ${named(to)}`)
    await rename(from, to)
  },
  rm: async (path: PathLike, ...rest: []) => {
    note(`remove ${named(path)}`)
    await rm(path, ...rest)
  },
})
Object.assign(childProcess, {
  spawn: (command: string, args: string[], options: SpawnOptions) => {
    // A shell may become the program: its third argument.
    const program = command === '/bin/sh' ? (args[2] ?? '') : command
    if (basename(program) !== 'initdb') return spawn(command, args, options)
    const call = ['initdb', ...args.filter((word) => /^--.*sync/.test(word))].join(' ')
    try {
      note(call)
    } catch {
      return spawn('/bin/sh', ['-c', 'echo made to fail >&2; exit 1'], options)
    }
    return spawn(command, args, options)
  },
  execFile: Object.assign((...args: Parameters<typeof execFile>) => execFile(...args), {
    [promisify.custom]: async (command: string, args: string[], options: object) => {
      if (command === 'sync') note('sync -f')
      return await promisify(execFile)(command, args, options)
    },
  }),
})
syncBuiltinESMExports()
