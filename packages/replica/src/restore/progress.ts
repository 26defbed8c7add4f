import type { DatabaseWriter } from './database-writer.ts'
import type { RestoreOptions, RestoreProgress } from './restore-options.ts'

const reportEvery = 4 * 1_048_576

/** Reports the progress of a restore every few megabytes, and stops it if the caller's signal is aborted. */
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

  /** Sets the total number of files and bytes. */
  total(files: number, bytes: number): void {
    this.#totalFiles = files
    this.#totalBytes = bytes
  }

  phase(phase: RestoreProgress['phase'], file: string): void {
    this.#phase = phase
    this.#file = file
    this.#report()
  }

  /** Call this before a file is read. */
  begin(file: string): void {
    this.#file = file
    this.#report()
  }

  /** Call this after each read of the file, with the number of bytes. */
  read(bytes: number): void {
    this.#bytes += bytes
    this.step()
  }

  /** Call this after a write: reports if enough was written since the last report. */
  step(): void {
    if (this.#bytes + this.#writer.bytesWritten - this.#reported >= reportEvery) this.#report()
  }

  /** Call this after the file was read to its end. */
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
