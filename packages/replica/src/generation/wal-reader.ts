import { ReplicaError } from '../errors.ts'

const headerSize = 32
const frameHeaderSize = 24
const magic = 0x377f_0682

/** A page in a WAL, verified. */
export interface WalFrame {
  readonly page: number
  /** If this frame ends a transaction, the size of the database after it, in pages; otherwise 0. */
  readonly commit: number
  readonly data: Buffer
  /** The end of the frame in the WAL, in bytes. */
  readonly end: number
}

/**
 * Reads the frames of a WAL (sqlite.org/fileformat2.html, "The Write-Ahead Log") from chunks of it.
 *
 * SQLite stops silently at the first frame with a wrong salt or checksum, because remains of an older WAL may follow. A
 * replica contains no such remains. Such a frame is therefore damage, and throws `ERR_REPLICA_DAMAGED` with the path of the
 * segment.
 */
export class WalReader {
  #rest: Buffer = Buffer.alloc(0)
  #wal: WalHeader | null = null
  #at = 0

  /** The number of bytes of the WAL that were read. */
  get size(): number {
    return this.#at + this.#rest.length
  }

  /** The frames that this chunk of a segment completes. */
  *push(chunk: Buffer, path: string): Generator<WalFrame, void, void> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (this.#wal === null && this.#rest.length >= headerSize) {
      this.#wal = readHeader(this.#take(headerSize), path)
    }
    if (this.#wal === null) return
    const size = frameHeaderSize + this.#wal.pageSize
    while (this.#rest.length >= size) {
      const at = this.#at
      yield readFrame(this.#wal, this.#take(size), at, path)
    }
  }

  /** Throws `ERR_REPLICA_DAMAGED` if a segment ends within the header or a frame. */
  endSegment(path: string): void {
    if (this.#rest.length > 0) throw damaged(path, `ends within a frame, at byte ${this.size}`)
  }

  #take(size: number): Buffer {
    const taken = this.#rest.subarray(0, size)
    this.#rest = this.#rest.subarray(size)
    this.#at += size
    return taken
  }
}

interface WalHeader {
  readonly pageSize: number
  readonly salts: Buffer
  readonly littleEndian: boolean
  checksum: readonly [number, number]
}

function readHeader(bytes: Buffer, path: string): WalHeader {
  const found = bytes.readUInt32BE(0)
  if ((found & ~1) >>> 0 !== magic) throw damaged(path, 'does not start as a WAL does')
  const littleEndian = (found & 1) === 0
  const checksum = walChecksum([0, 0], bytes.subarray(0, 24), littleEndian)
  if (!matches(checksum, bytes, 24)) throw damaged(path, 'has a damaged header')
  const pageSize = bytes.readUInt32BE(8)
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    throw damaged(path, `has the page size ${pageSize}`)
  }
  return { pageSize, salts: Buffer.from(bytes.subarray(16, 24)), littleEndian, checksum }
}

function readFrame(wal: WalHeader, bytes: Buffer, at: number, path: string): WalFrame {
  const data = bytes.subarray(frameHeaderSize)
  const header = walChecksum(wal.checksum, bytes.subarray(0, 8), wal.littleEndian)
  wal.checksum = walChecksum(header, data, wal.littleEndian)
  const page = bytes.readUInt32BE(0)
  const sound = wal.salts.equals(bytes.subarray(8, 16)) && matches(wal.checksum, bytes, 16)
  if (!sound || page === 0) throw damaged(path, `has a damaged frame at byte ${at}`)
  return { page, commit: bytes.readUInt32BE(4), data, end: at + bytes.length }
}

function walChecksum(
  start: readonly [number, number],
  data: Buffer,
  littleEndian: boolean,
): [number, number] {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  let [one, other] = start
  for (let at = 0; at < data.length; at += 8) {
    one = (one + view.getUint32(at, littleEndian) + other) | 0
    other = (other + view.getUint32(at + 4, littleEndian) + one) | 0
  }
  return [one, other]
}

function matches(checksum: readonly [number, number], bytes: Buffer, at: number): boolean {
  return (
    checksum[0] >>> 0 === bytes.readUInt32BE(at) && checksum[1] >>> 0 === bytes.readUInt32BE(at + 4)
  )
}

function damaged(path: string, why: string): ReplicaError {
  return new ReplicaError('ERR_REPLICA_DAMAGED', `the WAL ${path} ${why}`, { path })
}
