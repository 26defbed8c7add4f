// The candidates that are measured. Each makes a document to transform and a collection of entries, below a directory.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LockedDocument, Store } from '@howdah/store'
import Conf from 'conf'
import lockfile from 'proper-lockfile'
import writeFileAtomic from 'write-file-atomic'

/** node:sqlite, if this Node has it. */
const sqlite = await import('node:sqlite').catch(() => null)

export const state = (n) => ({ command: 'psql', since: '2026-01-01T00:00:00Z', how: 'exec', n })

const howdah = {
  name: '@howdah/store',
  fsync: [false, true],
  document(directory, durable) {
    const path = join(directory, 'document.json')
    const document = new LockedDocument(path, { empty: () => ({ items: [] }), durable })
    return { transform: (change) => document.update(change) }
  },
  async entries(directory, durable) {
    const segment = await new Store(directory, { durable }).segment(7)
    return {
      save: (n) => segment.save(state(n)),
      count: () => segment.count(),
      list: async () => {
        let count = 0
        for await (const { error } of segment.all()) count += error === null ? 1 : 0
        return count
      },
    }
  },
}

/** With fsync it syncs the file. `true` also syncs the directory: otherwise a power failure may bring back the old file. */
const atomic = {
  name: 'proper-lockfile + write-file-atomic',
  fsync: [false, 'file', true],
  document(directory, fsync) {
    const path = join(directory, 'document.json')
    if (!existsSync(path)) writeFileSync(path, '{"items":[]}')
    return { transform: (change) => locked(path, () => rewrite(path, change, fsync)) }
  },
  entries(directory, fsync) {
    mkdirSync(join(directory, 'entries'), { recursive: true })
    const path = join(directory, 'entries')
    const names = () => readdirSync(path).filter((name) => name.endsWith('.json'))
    return {
      // Each under its lock would take minutes.
      fill(size) {
        for (let n = 0; n < size; n++)
          writeFileSync(join(path, `${n}.json`), JSON.stringify(state(n)))
      },
      save: (n) =>
        locked(path, () => publish(join(path, `${n}.json`), JSON.stringify(state(n)), fsync)),
      count: () => locked(path, async () => names().length),
      list: () =>
        locked(path, async () => {
          const states = names().map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')))
          return states.length
        }),
    }
  },
}

async function locked(path, action) {
  const release = await lockfile.lock(path, { realpath: false })
  try {
    return await action()
  } finally {
    await release()
  }
}

async function rewrite(path, change, fsync) {
  const document = JSON.parse(readFileSync(path, 'utf8'))
  change(document)
  await publish(path, JSON.stringify(document), fsync)
}

async function publish(path, text, fsync) {
  await writeFileAtomic(path, text, { fsync: fsync !== false })
  if (fsync !== true) return
  const directory = await open(dirname(path))
  await directory.sync()
  await directory.close()
}

const conf = {
  name: 'conf (no lock)',
  fsync: [true],
  document(directory) {
    const store = new Conf({ cwd: directory, configName: 'document', defaults: { items: [] } })
    return {
      transform: async (change) => {
        const document = store.store
        change(document)
        store.store = document
      },
    }
  },
  entries(directory) {
    const store = new Conf({
      cwd: directory,
      configName: 'entries',
      accessPropertiesByDotNotation: false,
    })
    return {
      save: (n) => store.set(String(n), state(n)),
      count: () => store.size,
      list: () => Object.values(store.store).length,
    }
  },
}

const database = {
  name: 'node:sqlite (WAL)',
  fsync: [false, true],
  open(directory, fsync) {
    const db = new sqlite.DatabaseSync(join(directory, 'state.db'))
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${fsync ? 'FULL' : 'OFF'}`)
    return db
  },
  document(directory, fsync) {
    const db = this.open(directory, fsync)
    db.exec('CREATE TABLE IF NOT EXISTS document (text TEXT); DELETE FROM document')
    db.prepare('INSERT INTO document VALUES (?)').run('{"items":[]}')
    const select = db.prepare('SELECT text FROM document')
    const update = db.prepare('UPDATE document SET text = ?')
    return {
      transform: async (change) => {
        db.exec('BEGIN IMMEDIATE')
        const document = JSON.parse(select.get().text)
        change(document)
        update.run(JSON.stringify(document))
        db.exec('COMMIT')
      },
    }
  },
  entries(directory, fsync) {
    const db = this.open(directory, fsync)
    db.exec('CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, text TEXT)')
    const insert = db.prepare('INSERT INTO entries (text) VALUES (?)')
    const count = db.prepare('SELECT count(*) AS n FROM entries')
    const all = db.prepare('SELECT text FROM entries')
    return {
      save: (n) => insert.run(JSON.stringify(state(n))),
      count: () => count.get().n,
      list: () => all.all().map(({ text }) => JSON.parse(text)).length,
    }
  },
}

/** Ours, and the peer that does the same with files. */
export const [ours, peer] = [howdah, atomic]

export const candidates = [howdah, atomic, conf, ...(sqlite ? [database] : [])]

/** Makes so many entries, as fast as the candidate can. */
export async function fill(entries, size) {
  if (entries.fill !== undefined) entries.fill(size)
  else for (let n = 0; n < size; n++) await entries.save(n)
}

/** A document of so many items, which is transformed by changing one of them. Gives what changes the n-th. */
export async function grownDocument(candidate, directory, size) {
  const document = candidate.document(directory, candidate.fsync[0])
  const items = Array.from({ length: size }, (_, n) => state(n))
  await document.transform((value) => void (value.items = items))
  return (n) => document.transform((value) => void (value.items[n % size] = state(-n)))
}

/** All candidates, with and without fsync if they have the choice. */
export const variants = candidates.flatMap((candidate) =>
  candidate.fsync.map((fsync) => ({ candidate, fsync })),
)
