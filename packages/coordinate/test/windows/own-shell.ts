import { chmodSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'

/** A shell for `Paths`, which does what a test says when it is to be a watchdog, and is the system's otherwise. */
export class OwnShell implements Disposable {
  readonly path: string
  readonly #directory = temporaryDirectory()

  constructor() {
    this.path = this.#directory.file('shell')
  }

  /** A path beside the shell. */
  beside(name: string): string {
    return this.#directory.file(name)
  }

  /** What it does as a watchdog, with the arguments `-c SCRIPT howdah-watchdog …`. If that returns, it is the system's. */
  asWatchdog(body: string, interpreter = '/bin/sh'): void {
    const text = `#!${interpreter}\nif [ "$3" = howdah-watchdog ]; then\n${body}\nfi\nexec /bin/sh "$@"\n`
    writeFileSync(this.path, text)
    chmodSync(this.path, 0o755)
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]()
  }
}
