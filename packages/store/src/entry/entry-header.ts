import { crc32 } from 'node:zlib'
import { entryDamaged, StoreError, type Failure } from '../errors.ts'

const magic = Buffer.from([0x00, 0xff, 0xca, 0xfe])
const revision = 1

/** The number of bytes that are needed to read the kind: magic, revision, kind and its complement. */
const startSize = 8

/** The size of a whole header in bytes: its start, then body length and checksum, 4 bytes each, big-endian. */
export const headerSize = 16

/** Puts a header before a body. The checksum, a CRC-32, covers the bytes before it and the body. */
export function withHeader(kind: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(headerSize)
  magic.copy(header)
  header.writeUInt16BE(revision, 4)
  header.writeUInt8(kind, 6)
  header.writeUInt8(~kind & 0xff, 7)
  header.writeUInt32BE(body.byteLength, 8)
  header.writeUInt32BE(checksum(header, body), 12)
  return Buffer.concat([header, body])
}

/**
 * Reads the kind from the first {@link startSize} bytes or more.
 *
 * Throws `ERR_STORE_ENTRY_DAMAGED`, and `ERR_STORE_ENTRY_REVISION` if a newer version wrote the file.
 */
export function readKind(bytes: Buffer, failure: Failure): number {
  if (bytes.length === 0) throw entryDamaged('empty', failure, 'its file is empty')
  if (bytes.length < startSize) throw entryDamaged('truncated', failure, endsEarly(bytes))
  if (!bytes.subarray(0, 4).equals(magic)) {
    const start = bytes.toString('hex', 0, 4)
    throw entryDamaged(
      'magic',
      failure,
      `its file begins with ${start}, not ${magic.toString('hex')}`,
    )
  }
  const found = bytes.readUInt16BE(4)
  if (found !== revision) {
    const why = `it has revision ${found}, and this version reads revision ${revision}; update @howdah/store`
    throw new StoreError('ERR_STORE_ENTRY_REVISION', failure, why)
  }
  const kind = bytes.readUInt8(6)
  const complement = bytes.readUInt8(7)
  if ((kind ^ complement) !== 0xff) {
    throw entryDamaged(
      'complement',
      failure,
      `its kind ${kind} and that kind's complement ${complement} disagree`,
    )
  }
  return kind
}

/** Reads the kind and the body of a whole file. Throws as {@link readKind} does. */
export function readBody(bytes: Buffer, failure: Failure): { kind: number; body: Buffer } {
  const kind = readKind(bytes, failure)
  if (bytes.length < headerSize) throw entryDamaged('truncated', failure, endsEarly(bytes))
  const length = bytes.readUInt32BE(8)
  const body = bytes.subarray(headerSize)
  if (body.length !== length) {
    const why = `its body has ${body.length} bytes, and its header says ${length}`
    throw entryDamaged('length', failure, why)
  }
  const wanted = bytes.readUInt32BE(12)
  const found = checksum(bytes, body)
  if (found !== wanted) {
    const why = `its checksum is ${hex(found)}, and its header says ${hex(wanted)}`
    throw entryDamaged('checksum', failure, why)
  }
  return { kind, body }
}

function checksum(header: Buffer, body: Uint8Array): number {
  return crc32(body, crc32(header.subarray(0, 12)))
}

function endsEarly(bytes: Buffer): string {
  return `its file ends after ${bytes.length} of the ${headerSize} bytes of a header`
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
