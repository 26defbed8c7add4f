/** A part of Apple's executable format, as `<mach-o/loader.h>`, `<mach-o/nlist.h>` and `<kern/cs_blobs.h>` lay it out. */
export interface MachO {
  readonly processor: string
  readonly fileType: 'bundle' | 'other'
  /** The oldest macOS that loads it. */
  readonly oldest: string
  readonly libraries: string[]
  /** What it needs of others: by library, or of whatever is loaded (`null`). */
  readonly needs: { readonly symbol: string; readonly library: string | null }[]
  readonly exports: string[]
  readonly signature: Signature | null
}

/** A code directory: the hashes of all pages of the file up to itself. */
interface Signature {
  readonly adHoc: boolean
  readonly pageSize: number
  readonly limit: number
  readonly hashes: string[]
}

const processors = new Map([
  [0x0100_0007, 'x64'],
  [0x0100_000c, 'arm64'],
])

/** Reads a 64-bit file. */
export function readMachO(file: Buffer): MachO {
  if (file.readUInt32LE(0) !== 0xfeed_facf) throw new Error('this is no 64-bit Mach-O file')
  const libraries: string[] = []
  let oldest = ''
  let symbols: Symbols = { needs: [], exports: [] }
  let signature: Signature | null = null
  let place = 32
  for (let command = 0; command < file.readUInt32LE(16); command++) {
    const kind = file.readUInt32LE(place)
    const word = (index: number): number => file.readUInt32LE(place + index * 4)
    if (kind === 0x0c) libraries.push(textAt(file, place + word(2)))
    if (kind === 0x32) oldest = `${word(3) >> 16}.${(word(3) >> 8) & 0xff}`
    if (kind === 0x02) symbols = readSymbols(file, word(2), word(3), word(4))
    if (kind === 0x1d) signature = readSignature(file.subarray(word(2), word(2) + word(3)))
    place += word(1)
  }
  return {
    processor: processors.get(file.readUInt32LE(4)) ?? 'another one',
    fileType: file.readUInt32LE(12) === 8 ? 'bundle' : 'other',
    oldest,
    libraries,
    needs: symbols.needs.map(({ symbol, ordinal }) => ({
      symbol,
      library: libraries[ordinal - 1] ?? null,
    })),
    exports: symbols.exports,
    signature,
  }
}

interface Symbols {
  readonly needs: { readonly symbol: string; readonly ordinal: number }[]
  readonly exports: string[]
}

function readSymbols(file: Buffer, place: number, count: number, texts: number): Symbols {
  const symbols: Symbols = { needs: [], exports: [] }
  for (let index = 0; index < count; index++) {
    const entry = place + index * 16
    const symbol = textAt(file, texts + file.readUInt32LE(entry))
    const type = file.readUInt8(entry + 4)
    if ((type & 0x01) === 0 || (type & 0x10) !== 0) continue
    if ((type & 0x0e) === 0) symbols.needs.push({ symbol, ordinal: file.readUInt8(entry + 7) })
    else symbols.exports.push(symbol)
  }
  return symbols
}

function readSignature(blob: Buffer): Signature | null {
  for (let index = 0; index < blob.readUInt32BE(8); index++) {
    if (blob.readUInt32BE(12 + index * 8) !== 0) continue
    const directory = blob.subarray(blob.readUInt32BE(16 + index * 8))
    const hashes = directory.readUInt32BE(16)
    const size = directory.readUInt8(36)
    return {
      adHoc: (directory.readUInt32BE(12) & 0x2) !== 0,
      pageSize: 2 ** directory.readUInt8(39),
      limit: directory.readUInt32BE(32),
      hashes: Array.from({ length: directory.readUInt32BE(28) }, (_, slot) =>
        directory.toString('hex', hashes + slot * size, hashes + (slot + 1) * size),
      ),
    }
  }
  return null
}

function textAt(file: Buffer, place: number): string {
  return file.toString('latin1', place, file.indexOf(0, place))
}
