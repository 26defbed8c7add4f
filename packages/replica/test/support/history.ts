import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs'
import type { PageContent } from '@howdah/ltx'
import sqlite from 'node-sqlite3-wasm'
import type { Random } from '@howdah/fixtures'

const pageSize = 4096
const frameSize = 24 + pageSize

/** What one transaction did to the database file. */
export interface Transaction {
  readonly txid: number
  /** The pages that it wrote, in ascending order. */
  readonly pages: readonly PageContent[]
  /** The database's size in pages after it. */
  readonly commit: number
  /** The WAL that it went to, counted from 0, and what it added to it. */
  readonly wal: { readonly index: number; readonly offset: number; readonly bytes: Buffer }
  /** The whole database file, when this is the first transaction of a WAL: as it was before. */
  readonly before: Buffer | null
}

/** A SQLite database in WAL mode, with tables, indexes and blobs, taken through transactions that do a bit of everything. */
export class History implements Disposable {
  readonly #random: Random
  readonly #path: string
  readonly #database: sqlite.Database
  readonly #state: Buffer[] = []
  #txid = 0
  #wal = { index: 0, offset: 0 }

  constructor(path: string, random: Random) {
    this.#random = random
    this.#path = path
    this.#database = new sqlite.Database(path)
    this.#database.exec('PRAGMA locking_mode = EXCLUSIVE')
    this.#database.exec(`PRAGMA page_size = ${pageSize}`)
    this.#database.exec('PRAGMA auto_vacuum = FULL')
    this.#database.exec('PRAGMA journal_mode = WAL')
    this.#database.exec('PRAGMA wal_autocheckpoint = 0')
    this.#database.exec('PRAGMA synchronous = OFF')
  }

  /** The SHA-256 of the database as it is now. */
  get sha256(): string {
    const hash = createHash('sha256')
    for (const page of this.#state) hash.update(page)
    return hash.digest('hex')
  }

  /** Makes the next transaction. A new WAL is begun when `newWal` says so. */
  next(newWal: boolean): Transaction {
    if (newWal) {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      this.#wal = { index: this.#wal.index + 1, offset: 0 }
    }
    const { index, offset } = this.#wal
    const before = offset === 0 ? readFileSync(this.#path) : null
    if (before !== null && before.length > 0 && this.#txid === 0) this.#load(before)
    this.#database.exec('BEGIN')
    this.#change(this.#txid)
    this.#database.exec('COMMIT')
    const bytes = readFrom(`${this.#path}-wal`, offset)
    this.#wal = { index, offset: offset + bytes.length }
    const { pages, commit } = this.#apply(offset === 0 ? bytes.subarray(32) : bytes)
    return { txid: ++this.#txid, pages, commit, wal: { index, offset, bytes }, before }
  }

  /** All pages, as they are now. */
  snapshot(): PageContent[] {
    return this.#state.map((data, index) => ({ number: index + 1, data }))
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #load(file: Buffer): void {
    for (let at = 0; at < file.length; at += pageSize) {
      this.#state.push(file.subarray(at, at + pageSize))
    }
  }

  #apply(frames: Buffer): { pages: PageContent[]; commit: number } {
    const pages = new Map<number, Buffer>()
    let commit = 0
    for (let at = 0; at < frames.length; at += frameSize) {
      const number = frames.readUInt32BE(at)
      commit = frames.readUInt32BE(at + 4)
      pages.set(number, frames.subarray(at + 24, at + frameSize))
    }
    for (const [number, data] of pages) this.#state[number - 1] = data
    this.#state.length = commit
    const content = [...pages].map(([number, data]) => ({ number, data }))
    return {
      commit,
      pages: content
        .filter((page) => page.number <= commit)
        .toSorted((one, other) => one.number - other.number),
    }
  }

  #change(step: number): void {
    const random = this.#random
    const run = (sql: string, ...values: sqlite.JSValue[]): void =>
      void this.#database.run(sql, values)
    if (step === 0) {
      run('CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)')
      run('CREATE TABLE blobs (id INTEGER PRIMARY KEY, data BLOB)')
      run('CREATE INDEX people_by_name ON people (name)')
    }
    if (step % 97 === 50) run(`CREATE INDEX people_${step} ON people (age, name)`)
    if (step % 97 === 90) run(`DROP INDEX people_${step - 40}`)
    for (let row = random.below(5); row >= 0; row--) {
      const name = `person ${random.below(1_000_000)}`
      run('INSERT INTO people (name, age) VALUES (?, ?)', name, random.below(100))
    }
    run('UPDATE people SET age = age + 1 WHERE id % 50 = ?', random.below(50))
    if (step % 5 === 0)
      run('INSERT INTO blobs (data) VALUES (?)', random.bytes(random.below(20_000)))
    if (step % 40 === 39) run('DELETE FROM blobs WHERE id % 9 = ?', random.below(9))
    if (step % 200 === 199) run('DELETE FROM blobs WHERE id % 3 = 0')
  }
}

/** What SQLite itself says of a database file: `ok` if it is sound. */
export function integrityOf(path: string): string {
  const copy = `${path}.check`
  writeFileSync(copy, readFileSync(path))
  const database = new sqlite.Database(copy)
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    return database
      .all('PRAGMA integrity_check')
      .map((row) => row['integrity_check'] as string)
      .join()
  } finally {
    database.close()
  }
}

function readFrom(path: string, offset: number): Buffer {
  const bytes = Buffer.alloc(statSync(path).size - offset)
  const file = openSync(path, 'r')
  readSync(file, bytes, 0, bytes.length, offset)
  closeSync(file)
  return bytes
}
