import { isUtf8 } from 'node:buffer'
import { readFileSync, statSync } from 'node:fs'
import { workingDirectory } from '@howdah/terminal'
import { misused, type CliError } from '../errors.ts'
import type { Io } from '../io.ts'

/** The character by which Node replaces bytes that are not UTF-8. */
const replacement = '\u{fffd}'

/**
 * Refuses words of the command line, the working directory, and `PGDATA`, if they are not valid UTF-8.
 *
 * Node would decode them wrongly, so that they would name another file, or reach a program changed. A U+FFFD that the user
 * really wrote is accepted, since Linux tells the original bytes. Throws `ERR_CLI_USAGE`.
 */
export function requireUtf8(args: readonly string[], io: Pick<Io, 'cwd' | 'env'>): void {
  for (const [index, word] of args.entries()) {
    if (!word.includes(replacement) || isWritten(word, wordsOf('cmdline').at(index - args.length)))
      continue
    throw refusal(word)
  }
  const cwd = workingDirectory(io) ?? ''
  if (cwd.includes(replacement) && !isHere(cwd)) throw refusal(cwd, 'the path of this directory, ')
  const dataDirectory = io.env['PGDATA'] ?? ''
  if (!dataDirectory.includes(replacement)) return
  const variable = `PGDATA=${dataDirectory}`
  if (!wordsOf('environ').some((bytes) => isWritten(variable, bytes)))
    throw refusal(dataDirectory, 'PGDATA, ')
}

function refusal(text: string, what = ''): CliError {
  return misused(
    `${what}${JSON.stringify(text)}${what && ','} is not valid UTF-8, so that it cannot be told here which file is meant; ` +
      'rename it, or make a symbolic link with another name and give that',
  )
}

/** The undecoded words of this process's command line or environment; empty if the system does not tell them. */
function wordsOf(list: 'cmdline' | 'environ'): Buffer[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(`/proc/self/${list}`)
  } catch {
    return []
  }
  const words: Buffer[] = []
  for (let start = 0, end = 0; (end = bytes.indexOf(0, start)) >= 0; start = end + 1)
    words.push(bytes.subarray(start, end))
  return words
}

function isWritten(text: string, bytes: Buffer | undefined): boolean {
  return bytes !== undefined && isUtf8(bytes) && bytes.toString() === text
}

/** Whether a path leads to the working directory. */
function isHere(path: string): boolean {
  try {
    const [there, here] = [statSync(path, { bigint: true }), statSync('.', { bigint: true })]
    return there.dev === here.dev && there.ino === here.ino
  } catch {
    return false
  }
}
