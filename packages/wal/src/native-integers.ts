import { endianness } from 'node:os'

/** Reads and writes integers of 64, 32 and 16 bits in the byte order of the machine, as PostgreSQL does. */
export const integers =
  endianness() === 'LE'
    ? {
        /** Reads 64 bits. */
        read: (bytes: Buffer, at: number) => bytes.readBigUInt64LE(at),
        /** Reads 32 bits. */
        readHalf: (bytes: Buffer, at: number) => bytes.readUInt32LE(at),
        /** Reads 16 bits. */
        readShort: (bytes: Buffer, at: number) => bytes.readUInt16LE(at),
        /** Writes 64 bits. */
        write: (bytes: Buffer, value: bigint, at: number) => bytes.writeBigUInt64LE(value, at),
        /** Writes 32 bits. */
        writeHalf: (bytes: Buffer, value: number, at: number) => bytes.writeUInt32LE(value, at),
      }
    : {
        read: (bytes: Buffer, at: number) => bytes.readBigUInt64BE(at),
        readHalf: (bytes: Buffer, at: number) => bytes.readUInt32BE(at),
        readShort: (bytes: Buffer, at: number) => bytes.readUInt16BE(at),
        write: (bytes: Buffer, value: bigint, at: number) => bytes.writeBigUInt64BE(value, at),
        writeHalf: (bytes: Buffer, value: number, at: number) => bytes.writeUInt32BE(value, at),
      }
