import { readFileSync, writeFileSync } from 'node:fs'

/** A number in a file, which the children increment by a read and a write with nothing in between to protect it. */
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
