import { createHash } from 'node:crypto'
import { type InitStep, Server } from '@howdah/cluster'
import type { ScriptSource } from '@howdah/project'
import type pg from 'pg'
import type { Asked } from './asked.ts'
import { provide } from './provide.ts'
import { type ProvisionRecord, readRecord, recordName, textOf, writeRecord } from './record.ts'
import { runScripts, type Surroundings } from './run-scripts.ts'
import { readScripts, type Scripts } from './scripts.ts'
import { readWanted, type Wanted } from './wanted.ts'

/** How to read a provision. */
export interface ProvisionOptions extends Surroundings {
  /** Scripts in the place of `init` of the settings. */
  readonly init?: readonly ScriptSource[] | undefined
  /** Whether a new cluster gets the data of `seed`. */
  readonly isSeeded: boolean
}

/** Scripts of the settings that a cluster has not been given as they are now. */
export interface Pending {
  readonly key: 'init' | 'seed'
  /** Whether they have changed since; otherwise they have never run. */
  readonly hasChanged: boolean
}

/** The number of the advisory lock under which one process at a time provides: the first bytes of "howdah" as text. */
const lockNumber = 0x68_6f_77_64

/** What the settings of a project ask of its cluster, besides how it is started. */
export class Provision {
  readonly #asked: Asked
  readonly #wanted: Wanted
  readonly #init: Scripts | null
  readonly #seed: Scripts | null
  readonly #options: ProvisionOptions

  private constructor(
    asked: Asked,
    wanted: Wanted,
    scripts: { readonly init: Scripts | null; readonly seed: Scripts | null },
    options: ProvisionOptions,
  ) {
    this.#asked = asked
    this.#wanted = wanted
    this.#init = scripts.init
    this.#seed = scripts.seed
    this.#options = options
  }

  /**
   * Reads the passwords and scripts now; `null` if the settings ask for nothing of the kind. Throws `ERR_PROVISION_SECRET` and
   * `ERR_PROVISION_SCRIPT`.
   */
  static async read(asked: Asked, options: ProvisionOptions): Promise<Provision | null> {
    const { roles, databases, extensions, init = options.init, seed } = asked.settings
    const any = [roles, databases, extensions, init, seed].some((one) => one !== undefined)
    if (!any) return null
    const read = async (key: 'init' | 'seed', sources = asked.settings[key]) =>
      sources === undefined ? null : await readScripts(asked, key, sources)
    const scripts = { init: await read('init', options.init), seed: await read('seed') }
    return new Provision(asked, readWanted(asked, options.env), scripts, options)
  }

  /**
   * The step that gives it to a cluster that is being made, as `init` of `run`. Without commands the result is kept as a
   * template.
   */
  get step(): InitStep {
    const seed = this.#options.isSeeded ? this.#seed : null
    const scripts = [this.#init, seed].filter((one) => one !== null)
    const record = {
      wanted: this.#wanted.hash,
      init: this.#init?.hash ?? null,
      seed: seed?.hash ?? null,
    }
    const text = textOf(record)
    return {
      key: scripts.every(({ isPlain }) => isPlain)
        ? createHash('sha256').update(text).digest('hex')
        : null,
      record: { name: recordName, text },
      run: async (server) => {
        await server.withAdministrator(async (client) => {
          await provide(server, client, this.#asked, this.#wanted)
        })
        await this.#run(server, scripts)
      },
    }
  }

  /**
   * Makes what an existing cluster does not have yet of the roles, databases and extensions, if the settings have changed since
   * the last time, and gives the scripts that it has not been given. It does not run them.
   */
  async settle(server: Server): Promise<Pending[]> {
    if (readRecord(server.dataDir).wanted !== this.#wanted.hash) {
      await this.#alone(server, async (client, record) => {
        if (record.wanted === this.#wanted.hash) return record
        await provide(server, client, this.#asked, this.#wanted)
        return { ...record, wanted: this.#wanted.hash }
      })
    }
    const record = readRecord(server.dataDir)
    const pending = ([key, scripts]: readonly ['init' | 'seed', Scripts | null]) =>
      scripts === null || scripts.hash === record[key]
        ? []
        : [{ key, hasChanged: record[key] !== null }]
    return [pending(['init', this.#init]), pending(['seed', this.#seed])].flat()
  }

  /**
   * Runs scripts on an existing cluster, whether they have run before or not, and records that; with `isDone` it only records
   * it. Gives the keys of the scripts. Throws `ERR_PROVISION_SCRIPT`; what ran before the error stays.
   */
  async apply(
    server: Server,
    keys: readonly ('init' | 'seed')[],
    { isDone = false }: { readonly isDone?: boolean | undefined } = {},
  ): Promise<string[]> {
    const all = [this.#init, this.#seed].filter((one) => one !== null)
    const chosen = all.filter(({ key }) => (keys as readonly string[]).includes(key))
    await this.#alone(server, async (client, record) => {
      await provide(server, client, this.#asked, this.#wanted)
      const done = new Map<string, string | null>(Object.entries(record))
      done.set('wanted', this.#wanted.hash)
      for (const scripts of chosen) {
        if (!isDone) await this.#run(server, [scripts])
        done.set(scripts.key, scripts.hash)
        await writeRecord(server.dataDir, recordOf(done))
      }
      return recordOf(done)
    })
    return chosen.map(({ key }) => key)
  }

  async #run(server: Server, scripts: readonly Scripts[]): Promise<void> {
    const { dataDir, runtime, address, database } = server
    const [first] = this.#wanted.databases
    const inside = new Server(dataDir, runtime, address, first?.name ?? database)
    for (const one of scripts) await runScripts(inside, this.#asked, one, this.#options)
  }

  /** Changes the record while no other process does. */
  async #alone(
    server: Server,
    change: (client: pg.Client, record: ProvisionRecord) => Promise<ProvisionRecord>,
  ): Promise<void> {
    await server.withAdministrator(async (client) => {
      await client.query('SELECT pg_catalog.pg_advisory_lock($1)', [lockNumber])
      const record = readRecord(server.dataDir)
      const changed = await change(client, record)
      if (textOf(changed) !== textOf(record)) await writeRecord(server.dataDir, changed)
    })
  }
}

function recordOf(hashes: ReadonlyMap<string, string | null>): ProvisionRecord {
  const hash = (key: string) => hashes.get(key) ?? null
  return { wanted: hash('wanted'), init: hash('init'), seed: hash('seed') }
}
