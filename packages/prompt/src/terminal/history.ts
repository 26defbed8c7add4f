import { constants } from 'node:fs'
import { open, rename, writeFile } from 'node:fs/promises'
import type { Shell } from '../state/shell.ts'

/**
 * What was typed, in a file with a line for each, the oldest first, of mode 0600. Each line is added when it is typed, so that it
 * outlives a killed process, and so that several shells can write at once.
 *
 * HISTSIZE says how many are kept, HISTCONTROL which are not, and HISTFILE another file.
 */
export class History {
  readonly #shell: Shell
  readonly #path: string | null
  /** The oldest first. */
  readonly lines: string[]

  private constructor(shell: Shell, path: string | null, lines: string[]) {
    this.#shell = shell
    this.#path = path
    this.lines = lines
  }

  static async open(shell: Shell): Promise<History> {
    const named = shell.variables.get('HISTFILE') ?? shell.env['PSQL_HISTORY']
    const path = named === undefined ? await shell.host.historyFile() : shell.fullPath(named)
    const lines = path === null ? [] : await readLines(path)
    const kept = lines.slice(-sizeOf(shell))
    if (path !== null && lines.length > 2 * kept.length) await replace(path, kept)
    return new History(shell, path, kept)
  }

  /** Adds a line, unless HISTCONTROL leaves it out. Returns whether it was added. */
  async add(line: string): Promise<boolean> {
    const control = this.#shell.variables.get('HISTCONTROL') ?? 'none'
    if (line.trim() === '' || sizeOf(this.#shell) === 0) return false
    if (/^ignore(?:space|both)$/.test(control) && line.startsWith(' ')) return false
    if (/^ignore(?:dups|both)$/.test(control) && line === this.lines.at(-1)) return false
    this.lines.push(line)
    if (this.#path !== null) await append(this.#path, `${line}\n`)
    return true
  }
}

function sizeOf({ variables }: Shell): number {
  return Math.max(0, Number(variables.get('HISTSIZE')))
}

/** Another's link in the place of the file is not followed. */
const flags = constants.O_NOFOLLOW | constants.O_NONBLOCK

async function readLines(path: string): Promise<string[]> {
  try {
    const handle = await open(path, constants.O_RDONLY | flags)
    try {
      if (!(await handle.stat()).isFile()) return []
      return (await handle.readFile('utf8')).split('\n').filter(Boolean)
    } finally {
      await handle.close()
    }
  } catch {
    // There is none yet.
    return []
  }
}

/** A history that cannot be kept is no reason to trouble somebody who types. */
async function append(path: string, text: string): Promise<void> {
  try {
    const handle = await open(
      path,
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | flags,
      0o600,
    )
    try {
      await handle.appendFile(text)
    } finally {
      await handle.close()
    }
  } catch {
    // It is kept for this shell.
  }
}

/** Forgets the oldest lines. */
async function replace(path: string, lines: readonly string[]): Promise<void> {
  const temporary = `${path}.${process.pid}`
  try {
    await writeFile(temporary, lines.map((line) => `${line}\n`).join(''), {
      mode: 0o600,
      flag: 'wx',
    })
    await rename(temporary, path)
  } catch {
    // They are forgotten another time.
  }
}
