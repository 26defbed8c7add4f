/** A position in the WAL, in bytes from its beginning. PostgreSQL calls it an LSN. */
export type Lsn = bigint

/** Reads an LSN as PostgreSQL prints it, such as `16/B374D848`; `null` for anything else. */
export function parseLsn(text: string): Lsn | null {
  const match = /^([\dA-F]{1,8})\/([\dA-F]{1,8})$/i.exec(text.trim())
  return match === null ? null : (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

/** An LSN as PostgreSQL prints it. */
export function printLsn(lsn: Lsn): string {
  const [high, low] = [lsn >> 32n, lsn & 0xffff_ffffn]
  return `${high.toString(16)}/${low.toString(16)}`.toUpperCase()
}

/** A whole WAL segment, which is a file of fixed size. Source: `XLogFileName` in PostgreSQL's `xlog_internal.h`. */
export interface WalSegment {
  readonly timeline: number
  /** Counted from the beginning of the WAL. */
  readonly number: bigint
}

/** The segment in which a position lies. */
export function segmentOf(lsn: Lsn, segmentSize: number): bigint {
  return lsn / BigInt(segmentSize)
}

/** Where a segment begins. */
export function startOf(number: bigint, segmentSize: number): Lsn {
  return number * BigInt(segmentSize)
}

/** The name of a segment's file: timeline, and the number in two parts, each as 8 hexadecimal digits. */
export function segmentName({ timeline, number }: WalSegment, segmentSize: number): string {
  const inFour = 0x1_0000_0000n / BigInt(segmentSize)
  return [BigInt(timeline), number / inFour, number % inFour]
    .map((part) => part.toString(16).toUpperCase().padStart(8, '0'))
    .join('')
}

/** Parses the name of a segment's file; `null` for any other name. */
export function parseSegmentName(name: string, segmentSize: number): WalSegment | null {
  const match = /^([\dA-F]{8})([\dA-F]{8})([\dA-F]{8})$/.exec(name)
  if (match === null) return null
  const [timeline, high, low] = match.slice(1).map((digits) => BigInt(`0x${digits}`))
  const inFour = 0x1_0000_0000n / BigInt(segmentSize)
  return { timeline: Number(timeline), number: (high ?? 0n) * inFour + (low ?? 0n) }
}
