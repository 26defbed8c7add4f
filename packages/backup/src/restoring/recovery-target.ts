import type { BackupRecord } from '../directory/backup-record.ts'
import { invalidTarget } from '../errors.ts'
import { parseMoment } from '../moment.ts'
import { type Lsn, parseLsn, printLsn } from '@howdah/wal'

/** The point up to which a cluster is restored. */
export type RecoveryTarget =
  | {
      /**
       * Include everything that was committed up to this time, by the server's clock. A text such as
       * `2026-03-01T12:00:00.123456Z`, or as PostgreSQL prints it, may have microseconds and needs a time zone.
       */
      readonly time: Date | string
      /** Leave out transactions that were committed at exactly this time. */
      readonly exclusive?: boolean | undefined
    }
  | {
      /**
       * Include this transaction and all that were committed before it. Give the result of `txid_current()`, or a row's
       * `xmin`.
       */
      readonly transaction: bigint | number
      /** Leave out this transaction. */
      readonly exclusive?: boolean | undefined
    }
  | {
      /** Restore the state at the restore point with this name; if there are several, the latest. */
      readonly name: string
    }
  | {
      /** Include the first WAL record at or after this position, and all before it. In the form that PostgreSQL prints. */
      readonly lsn: string
      /** Leave out this record. */
      readonly exclusive?: boolean | undefined
    }

/** A parsed target: the settings for a server, and the backups from which it can be reached. */
export interface ParsedTarget {
  /** A description for messages. */
  readonly description: string
  /** Settings of the server that recovers, except for the timeline. */
  readonly settings: Readonly<Record<string, string>>
  /** Why it cannot be reached from a backup; `null` if the backup's record does not exclude it. */
  readonly objection: (record: BackupRecord) => string | null
}

/** The target of a named restore point that was found. */
export function targetAt(name: string, lsn: Lsn): ParsedTarget {
  const target = parsePosition(lsn, false)
  return { ...target, description: `the restore point ${JSON.stringify(name)}` }
}

/** Parses a target that is not a name; a name has to be looked for in the WAL. Throws `ERR_CLUSTER_INVALID_TARGET`. */
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
    // PostgreSQL's first normal transaction id.
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
    // Otherwise the server would pause at the target and wait for an operator.
    recovery_target_action: 'promote',
  }
}
