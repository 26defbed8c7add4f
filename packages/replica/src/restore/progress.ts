import type { DatabaseWriter } from './database-writer.ts'
import type { RestoreOptions, RestoreProgress } from './restore-options.ts'

const reportEvery = 4 * 1_048_576

/** Tells the caller how far a restore is, every few megabytes, and stops it when the caller's signal says so. */
export class Progress {
  readonly #options: RestoreOptions
  readonly #writer: DatabaseWriter
  #phase: RestoreProgress['phase'] = 'restoring'
  #file = ''
  #files = 0
  #totalFiles = 0
  #bytes = 0
  #totalBytes = 0
  #reported = 0

  constructor(options: RestoreOptions, writer: DatabaseWriter) {
    this.#options = options
    this.#writer = writer
  }

  /** How much there is to do. */
  total(files: number, bytes: number): void {
    this.#totalFiles = files
    this.#totalBytes = bytes
  }

  phase(phase: RestoreProgress['phase'], file: string): void {
    this.#phase = phase
    this.#file = file
    this.#report()
  }

  /** A file is being read. */
  begin(file: string): void {
    this.#file = file
    this.#report()
  }

  /** So many more bytes of it were read. */
  read(bytes: number): void {
    this.#bytes += bytes
    this.step()
  }

  /** More was written, perhaps. */
  step(): void {
    if (this.#bytes + this.#writer.bytesWritten - this.#reported >= reportEvery) this.#report()
  }

  /** The file was read to its end. */
  end(): void {
    this.#files++
    this.#report()
  }

  #report(): void {
    this.#options.signal?.throwIfAborted()
    this.#reported = this.#bytes + this.#writer.bytesWritten
    this.#options.onProgress?.({
      phase: this.#phase,
      file: this.#file,
      files: this.#files,
      totalFiles: this.#totalFiles,
      bytes: this.#bytes,
      totalBytes: this.#totalBytes,
      bytesWritten: this.#writer.bytesWritten,
    })
  }
}
