import { createHash, randomBytes } from 'node:crypto'
import type { LockMode } from '../lock-mode.ts'

/** What the name of a ticket's file says. */
export interface TicketName {
  /** The name of the file. In the order of these names tickets are served. */
  readonly file: string
  readonly order: number
  readonly mode: LockMode
  /** What stands for the name of the lock. */
  readonly key: string
}

/** The number of the first ticket in an empty directory. There is as much room before it as after it. */
const middle = 5e15

/** 16 digits: so the order of the names is that of the numbers. */
const pattern = /^(\d{16})-(exclusive|shared)-([0-9a-f]{32})-[0-9a-f]{16}-\w{0,32}$/

/**
 * Stands for the name of a lock in file names, which know neither every character nor every length nor, everywhere, upper and
 * lower case. It is a hash of the code units, so that lone surrogates are told apart, too.
 */
function keyOf(name: string): string {
  return createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('hex').slice(0, 32)
}

/** A new name behind all of those that are there, or before them. No other ticket ever has it. */
export function nextName(
  all: readonly TicketName[],
  place: 'last' | 'first',
  name: string,
  mode: LockMode,
): TicketName {
  const [first, last] = [all[0]?.order ?? middle, all.at(-1)?.order ?? middle]
  const order = place === 'last' ? last + 1 : first - 1
  const key = keyOf(name)
  // For people who look into the directory.
  const readable = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 32)
  const random = randomBytes(8).toString('hex')
  const file = `${String(order).padStart(16, '0')}-${mode}-${key}-${random}-${readable}`
  return { file, order, mode, key }
}

/** Reads the name of a file; `null` if it is not that of a ticket. */
export function parseTicketName(file: string): TicketName | null {
  const [, order, mode, key] = pattern.exec(file) ?? []
  if (key === undefined) return null
  return { file, order: Number(order), mode: mode as LockMode, key }
}

/** Whether the later one of two tickets for a name has to wait until the earlier one is gone. */
export function conflict(one: TicketName, other: TicketName): boolean {
  return one.key === other.key && (one.mode === 'exclusive' || other.mode === 'exclusive')
}
