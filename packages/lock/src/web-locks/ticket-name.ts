import { createHash, randomBytes } from 'node:crypto'
import type { LockMode } from '../lock-mode.ts'

/** The parts of the name of a ticket's file. */
export interface TicketName {
  /** The name of the file. Tickets are served in the order of these names. */
  readonly file: string
  readonly order: number
  readonly mode: LockMode
  /** A hash of the lock's name. */
  readonly key: string
}

/** The number of the first ticket in an empty directory. Half of all numbers are before it. */
const middle = 5e15

/** Each number has 16 digits, so the order of the names is the order of the numbers. */
const pattern = /^(\d{16})-(exclusive|shared)-([0-9a-f]{32})-[0-9a-f]{16}-\w{0,32}$/

/**
 * The hash that represents a lock's name in file names, because a file name cannot have every character or length, and some
 * file systems ignore case. The code units are hashed, so that lone surrogates are distinguished, too.
 */
function keyOf(name: string): string {
  return createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('hex').slice(0, 32)
}

/** A new ticket name after all present ones, or before them. No other ticket ever has the same name. */
export function nextName(
  all: readonly TicketName[],
  place: 'last' | 'first',
  name: string,
  mode: LockMode,
): TicketName {
  const [first, last] = [all[0]?.order ?? middle, all.at(-1)?.order ?? middle]
  const order = place === 'last' ? last + 1 : first - 1
  const key = keyOf(name)
  // A readable part, for people who look into the directory.
  const readable = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 32)
  const random = randomBytes(8).toString('hex')
  const file = `${String(order).padStart(16, '0')}-${mode}-${key}-${random}-${readable}`
  return { file, order, mode, key }
}

/** Parses the name of a file; `null` if the file is not a ticket. */
export function parseTicketName(file: string): TicketName | null {
  const [, order, mode, key] = pattern.exec(file) ?? []
  if (key === undefined) return null
  return { file, order: Number(order), mode: mode as LockMode, key }
}

/** Whether two tickets are for the same name and the later one has to wait until the earlier one is gone. */
export function conflict(one: TicketName, other: TicketName): boolean {
  return one.key === other.key && (one.mode === 'exclusive' || other.mode === 'exclusive')
}
