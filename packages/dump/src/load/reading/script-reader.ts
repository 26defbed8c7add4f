import { countLines, endOfData, isEndOfData } from './copy-data.ts'
import { type ScannedStatement, StatementScanner } from './statement-scanner.ts'

/**
 * Reads a script of SQL, with the data of `COPY … FROM stdin` in it, in bounded memory.
 *
 * Bytes are read as Latin-1, which keeps each byte; everything that structures SQL is ASCII.
 */
export class ScriptReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #scanner = new StatementScanner()
  /** The text that was read but not examined. */
  #ahead: Buffer | null = null

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]()
  }

  /** The next statement; `null` at the end. */
  async next(): Promise<ScannedStatement | null> {
    for (let isAtEnd = false; ; isAtEnd = this.#scanner.isWhole) {
      const found = this.#scanner.next()
      if (found !== null)
        return { ...found, text: Buffer.from(found.text, 'latin1').toString('utf8') }
      if (isAtEnd) return null
      await this.#addMore()
    }
  }

  /** The lines after the last statement, up to `\.` or the end. Read them to the end before the next statement. */
  async *data(): AsyncGenerator<Buffer> {
    // It begins with a line.
    let part = await this.#firstData()
    for (;;) {
      const mark = endOfData(part)
      if (mark !== null) {
        if (mark.begin > 0) {
          const data = part.subarray(0, mark.begin)
          this.#scanner.passLines(countLines(data))
          yield data
        }
        this.#scanner.passLines(1)
        this.#ahead = part.subarray(mark.end)
        return
      }
      // The last line may be incomplete.
      const end = part.lastIndexOf(10) + 1
      if (end > 0) {
        const data = part.subarray(0, end)
        this.#scanner.passLines(countLines(data))
        yield data
      }
      const rest = await this.#read()
      if (rest === null) {
        const last = part.subarray(end)
        if (last.length > 0 && !isEndOfData(last)) yield last
        return
      }
      part = end === part.length ? rest : Buffer.concat([part.subarray(end), rest])
    }
  }

  /** The line of what comes next, from 1. */
  get line(): number {
    return this.#scanner.line
  }

  async #firstData(): Promise<Buffer> {
    for (;;) {
      const data = this.#scanner.takeData()
      if (data !== null) return Buffer.from(data, 'latin1')
      await this.#addMore()
    }
  }

  async #addMore(): Promise<void> {
    const chunk = await this.#read()
    if (chunk === null) this.#scanner.end()
    else this.#scanner.add(chunk.toString('latin1'))
  }

  async #read(): Promise<Buffer | null> {
    const ahead = this.#ahead
    this.#ahead = null
    if (ahead !== null && ahead.length > 0) return ahead
    const { value, done } = await this.#chunks.next()
    return done === true ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
}
