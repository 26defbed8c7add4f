/**
 * Assembles the WebAssembly module with which {@link Crc64} computes.
 *
 * WebAssembly has fast 64-bit integers, JavaScript has not. It is twice as fast as the same algorithm on pairs of 32-bit
 * halves (measured in `bench/`). The module has one memory and one function:
 *
 *     update(state: i64, address: i32, length: i32) → i64
 *
 * It takes sixteen bytes at a time ("slicing by 16"): table k, at address k * 2048, holds the CRC of each byte value
 * followed by k zero bytes.
 */
export function crc64Module(memoryPages: number): Uint8Array<ArrayBuffer> {
  const locals = [2, 1, i32, 1, i64]
  const body = code(locals, sixteenAtATime(), oneAtATime(), get(state), end)
  return Uint8Array.from(
    code(
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, [1, 0x60, 3, i64, i32, i32, 1, i64]),
      section(3, [1, 0]),
      section(5, code([1, 0], unsigned(memoryPages))),
      section(7, code(2, name('memory'), [2, 0], name('update'), [0, 0])),
      section(10, code(1, unsigned(body.length), body)),
    ),
  )
}

const i32 = 0x7f
const i64 = 0x7e
const none = 0x40
const block = 0x02
const loop = 0x03
const end = 0x0b
const branch = 0x0c
const branchIf = 0x0d
const i64Load = 0x29
const i32Load8 = 0x2d
const i32AtLeast = 0x4f
const i32Add = 0x6a
const i32And = 0x71
const i32Xor = 0x73
const i32ShiftLeft = 0x74
const i64Xor = 0x85
const i64ShiftRight = 0x88
const i32Wrap = 0xa7

// The parameters and locals of `update`.
const state = 0
const address = 1
const length = 2
const limit = 3
const second = 4

type Code = number | readonly number[]

const code = (...parts: Code[]): number[] => parts.flat()
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const i32Const = (value: number): number[] => [0x41, ...signed(value)]
const i64Const = (value: number): number[] => [0x42, ...signed(value)]
const load = (instruction: number, offset: number): number[] =>
  code(instruction, 0, unsigned(offset))

/** Repeats the body while the address is below the limit. */
const whileBelowLimit = (...body: Code[]): number[] =>
  code(
    [block, none, loop, none],
    code(get(address), get(limit), i32AtLeast, [branchIf, 1]),
    code(...body, [branch, 0], end, end),
  )

const advance = (bytes: number): number[] =>
  code(get(address), i32Const(bytes), i32Add, set(address))

const limitAfter = (mask: number): number[] =>
  code(get(address), get(length), i32Const(mask), i32And, i32Add, set(limit))

/** The table's entry for the lowest byte of the i32 on the stack. */
const lookUp = (table: number): number[] =>
  code(i32Const(0xff), i32And, i32Const(3), i32ShiftLeft, load(i64Load, table * 2048))

/** A byte (0 is the lowest) of an i64 local; higher bits may be set, too. */
const byteOf = (local: number, byte: number): number[] =>
  code(get(local), byte === 0 ? [] : [...i64Const(byte * 8), i64ShiftRight], i32Wrap)

function sixteenAtATime(): number[] {
  const lookUps = Array.from({ length: 16 }, (_, byte) =>
    code(byteOf(byte < 8 ? state : second, byte % 8), lookUp(15 - byte), byte === 0 ? [] : i64Xor),
  )
  return code(
    limitAfter(-16),
    whileBelowLimit(
      code(get(state), get(address), load(i64Load, 0), i64Xor, set(state)),
      code(get(address), load(i64Load, 8), set(second)),
      code(...lookUps, set(state)),
      advance(16),
    ),
  )
}

function oneAtATime(): number[] {
  return code(
    limitAfter(15),
    whileBelowLimit(
      code(byteOf(state, 0), get(address), load(i32Load8, 0), i32Xor, lookUp(0)),
      code(get(state), i64Const(8), i64ShiftRight, i64Xor, set(state)),
      advance(1),
    ),
  )
}

function section(id: number, content: number[]): number[] {
  return code(id, unsigned(content.length), content)
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)]
}

/** Encodes an integer as LEB128, the form in which WebAssembly has integers. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  if (value >= -0x40 && value < 0x40) return [value & 0x7f]
  return [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}
