import { countLines, endOfData, isEndOfData } from '@howdah/dump'
import type { Unfinished } from './query-scanner.ts'

/** Given instead of a line after Ctrl-C, which throws away what was typed. */
export const interrupted = Symbol('interrupted')

/** Lines of SQL and commands. */
export interface LineSource {
  /** The name of the file in messages; `null` for a terminal, and for stdin without `-f`. */
  readonly name: string | null
  /** The directory of the file, to which `\ir` is relative; `null` if it is no file. */
  readonly directory: string | null
  /** Whether somebody types the lines. */
  readonly isInteractive: boolean
  /** The number of lines that were given. */
  readonly line: number
  /** The next line without its end; `null` at the end. `unfinished` is what the text so far ends in. */
  next(unfinished: Unfinished): Promise<string | null | typeof interrupted>
  /** The lines up to `\.` or the end, which are data of COPY. Read them to the end before the next line. */
  data(): AsyncIterable<Uint8Array>
}

/** The lines of a file or a stream, in memory that does not depend on its size. */
export class ByteLines implements LineSource {
  name: string | null
  readonly directory: string | null
  readonly isInteractive = false
  readonly #chunks: AsyncIterator<Uint8Array>
  #ahead: Buffer = Buffer.alloc(0)
  #isWhole = false
  #line = 0

  constructor(
    bytes: AsyncIterable<Uint8Array>,
    { name = null, directory = null }: { name?: string | null; directory?: string | null } = {},
  ) {
    this.#chunks = bytes[Symbol.asyncIterator]()
    this.name = name
    this.directory = directory
  }

  get line(): number {
    return this.#line
  }

  async next(): Promise<string | null> {
    const line = await this.#nextLine()
    if (line === null) return null
    this.#line += 1
    const text = line.toString('utf8')
    return this.#line === 1 ? text.replace(/^\uFEFF/, '') : text
  }

  async *data(): AsyncGenerator<Buffer> {
    for (;;) {
      const mark = endOfData(this.#ahead)
      if (mark !== null) {
        const { begin, end } = mark
        const data = this.#ahead.subarray(0, begin)
        this.#line += countLines(data) + 1
        this.#ahead = this.#ahead.subarray(end)
        if (data.length > 0) yield data
        return
      }
      // The last line may not be whole.
      const end = this.#ahead.lastIndexOf(10) + 1
      if (end > 0) {
        const data = this.#ahead.subarray(0, end)
        this.#ahead = this.#ahead.subarray(end)
        this.#line += countLines(data)
        yield data
      }
      if (await this.#readMore()) continue
      const last = this.#ahead
      this.#ahead = Buffer.alloc(0)
      if (last.length > 0 && !isEndOfData(last)) yield last
      return
    }
  }

  async #nextLine(): Promise<Buffer | null> {
    const parts: Buffer[] = []
    for (;;) {
      const end = this.#ahead.indexOf(10)
      if (end !== -1) {
        parts.push(this.#ahead.subarray(0, end))
        this.#ahead = this.#ahead.subarray(end + 1)
        break
      }
      if (this.#ahead.length > 0) parts.push(this.#ahead)
      this.#ahead = Buffer.alloc(0)
      if (!(await this.#readMore())) {
        if (parts.length === 0) return null
        break
      }
    }
    return parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts)
  }

  /** Reads a chunk. Returns whether there was one. */
  async #readMore(): Promise<boolean> {
    if (this.#isWhole) return false
    const { value, done } = await this.#chunks.next()
    if (done === true) {
      this.#isWhole = true
      return false
    }
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    this.#ahead = this.#ahead.length === 0 ? chunk : Buffer.concat([this.#ahead, chunk])
    return true
  }
}
