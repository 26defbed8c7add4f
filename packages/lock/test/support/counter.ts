import { readFileSync, writeFileSync } from 'node:fs'

/** A number in a file, which the children increment by an unprotected read and write. */
export class Counter {
  readonly path: string

  constructor(path: string) {
    this.path = path
    writeFileSync(path, '0'.padStart(8))
  }

  get value(): number {
    return Number(readFileSync(this.path, 'utf8'))
  }
}
