import type { BackupRecord } from '../directory/backup-record.ts'
import { invalidTarget } from '../errors.ts'
import { parseMoment } from '../moment.ts'
import { type Lsn, parseLsn, printLsn } from '@howdah/wal'

/** Up to where a cluster is restored. */
export type RecoveryTarget =
  | {
      /**
       * With all that was committed up to this time by the server's clock; a text as `2026-03-01T12:00:00.123456Z`, or as
       * PostgreSQL prints it, has microseconds and needs a time zone.
       */
      readonly time: Date | string
      /** Leave out what was committed at exactly this time. */
      readonly exclusive?: boolean | undefined
    }
  | {
      /** With this transaction and all that were committed before it; as `txid_current()` tells it, or a row's `xmin`. */
      readonly transaction: bigint | number
      /** Leave out this transaction. */
      readonly exclusive?: boolean | undefined
    }
  | {
      /** As it was when the restore point of that name was made; the latest, if there are several. */
      readonly name: string
    }
  | {
      /** With the first record of the WAL at or after this position, and all before it; as PostgreSQL prints it. */
      readonly lsn: string
      /** Leave out this record. */
      readonly exclusive?: boolean | undefined
    }

/** A target that was understood: how to tell a server, and from which backups it can be reached. */
export interface ParsedTarget {
  /** In words. */
  readonly description: string
  /** Settings of the server that recovers, except for the timeline. */
  readonly settings: Readonly<Record<string, string>>
  /** Why it cannot be reached from a backup; `null` if it can, as far as the backup tells. */
  readonly objection: (record: BackupRecord) => string | null
}

/** The target of a named restore point that was found. */
export function targetAt(name: string, lsn: Lsn): ParsedTarget {
  const target = parsePosition(lsn, false)
  return { ...target, description: `the restore point ${JSON.stringify(name)}` }
}

/** Reads a target that has no name. One that has has to be looked for in the WAL. Throws `ERR_CLUSTER_INVALID_TARGET`. */
export function parseTarget(
  dataDir: string,
  target: Exclude<RecoveryTarget, { name: string }>,
): ParsedTarget {
  const isExclusive = target.exclusive === true
  if ('time' in target) {
    const moment = parseMoment(target.time)
    if (moment !== null) return parseTime(moment, isExclusive)
    const why = `${String(target.time)} is not a time; write it as 2026-03-01T12:00:00Z, or +02:00 instead of Z`
    throw invalidTarget(dataDir, why)
  }
  if ('transaction' in target) {
    const { transaction } = target
    const isInteger = typeof transaction === 'bigint' || Number.isSafeInteger(transaction)
    // The first that PostgreSQL gives to anybody.
    if (isInteger && transaction >= 3 && transaction < 2n ** 64n) {
      return parseTransaction(BigInt(transaction), isExclusive)
    }
    throw invalidTarget(dataDir, `${transaction} is not a transaction id`)
  }
  const lsn = parseLsn(target.lsn)
  if (lsn !== null) return parsePosition(lsn, isExclusive)
  const why = `${target.lsn} is not a position in the WAL; write it as pg_current_wal_lsn() does, such as 16/B374D848`
  throw invalidTarget(dataDir, why)
}

function parseTime(
  { microseconds, text }: { microseconds: bigint; text: string },
  isExclusive: boolean,
): ParsedTarget {
  return {
    description: `${isExclusive ? 'before ' : ''}${text}`,
    settings: settings('time', text, isExclusive),
    // A record has milliseconds.
    objection: ({ endedAt }) =>
      microseconds >= BigInt(endedAt.getTime() + 1) * 1000n
        ? null
        : `ended at ${endedAt.toISOString()}, which is later`,
  }
}

function parseTransaction(transaction: bigint, isExclusive: boolean): ParsedTarget {
  return {
    description: `${isExclusive ? 'before ' : ''}transaction ${transaction}`,
    settings: settings('xid', String(BigInt.asUintN(32, transaction)), isExclusive),
    objection: ({ snapshot }) =>
      hasEnded(transaction, snapshot) ? 'ended when that transaction had ended already' : null,
  }
}

/** Whether a transaction had ended at the time of a snapshot, `xmin:xmax:running`. */
function hasEnded(transaction: bigint, snapshot: string): boolean {
  const [, xmax = '', running = ''] = snapshot.split(':')
  const isBefore = (other: bigint) => distance(other, transaction) > 0n
  const isRunning = running
    .split(',')
    .some((one) => one !== '' && distance(BigInt(one), transaction) === 0n)
  return isBefore(BigInt(xmax)) && !isRunning
}

/**
 * How much later one transaction began than another. Ids of 32 bits, such as a row's `xmin`, begin again after the last
 * one. So they are compared as PostgreSQL does: half of all ids count as earlier, and half as later.
 */
function distance(one: bigint, transaction: bigint): bigint {
  const difference = one - transaction
  return transaction >> 32n === 0n ? BigInt.asIntN(32, difference) : difference
}

function parsePosition(lsn: Lsn, isExclusive: boolean): ParsedTarget {
  const text = printLsn(lsn)
  return {
    description: `${isExclusive ? 'before ' : ''}LSN ${text}`,
    settings: settings('lsn', text, isExclusive),
    objection: ({ stopLsn }) =>
      lsn >= (parseLsn(stopLsn) ?? 0n) ? null : `ended at LSN ${stopLsn}, which is later`,
  }
}

function settings(kind: string, value: string, isExclusive: boolean): Record<string, string> {
  return {
    [`recovery_target_${kind}`]: value,
    recovery_target_inclusive: isExclusive ? 'off' : 'on',
    // Otherwise the server would pause there for somebody to look.
    recovery_target_action: 'promote',
  }
}
