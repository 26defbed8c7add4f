/** The part of a connection's stream that holds the server back. */
interface Tap {
  pause(): void
  resume(): void
}

/** In bytes: if more wait to be written, the server has to wait. */
const mostWaiting = 2 ** 20

/** Writes the data of a `COPY … TO STDOUT`. The server sends each row as a piece; those that wait are written at once. */
export class CopyOut {
  readonly #write: (data: Buffer) => Promise<void>
  readonly #tap: Tap
  /** What stands before the data. */
  readonly #before: Promise<void>
  #pieces: Buffer[] = []
  #waiting = 0
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
  #failed = false

  constructor(write: (data: Buffer) => Promise<void>, tap: Tap, before: Promise<void>) {
    this.#write = write
    this.#tap = tap
    this.#before = before
  }

  take(piece: Buffer): void {
    if (this.#failed) return
    this.#pieces.push(piece)
    this.#waiting += piece.length
    if (this.#waiting > mostWaiting) this.#tap.pause()
    if (this.#isWriting) return
    this.#isWriting = true
    this.#writing = this.#writeAll()
    // Who waits for the end sees the failure.
    this.#writing.catch(() => undefined)
  }

  /** Resolves when all is written. Rejects if it could not be. */
  async done(): Promise<void> {
    await this.#writing
  }

  /** After a failure, what comes is dropped. */
  async #writeAll(): Promise<void> {
    try {
      await this.#before
      while (this.#pieces.length > 0) {
        const data = Buffer.concat(this.#pieces)
        this.#pieces = []
        this.#waiting = 0
        await this.#write(data)
        this.#tap.resume()
      }
      this.#isWriting = false
    } catch (error) {
      this.#failed = true
      this.#pieces = []
      this.#tap.resume()
      throw error
    }
  }
}
