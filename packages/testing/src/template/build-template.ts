import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { escapeIdentifier } from 'pg'
import { TestingError } from '../errors.ts'
import type { Administrator } from '../server/administrator.ts'
import { connectPatiently } from '../server/connect-patiently.ts'
import { isState, thisProcess } from '../server/connect.ts'
import {
  connectionsTo,
  copyDatabase,
  dropByForce,
  dropTemplate,
} from '../server/database-statements.ts'
import type { Label } from '../server/label.ts'
import type { Workplace } from '../workplace.ts'
import { migrationOf } from './migration.ts'
import type { Recipe } from './recipe.ts'
import { cureOf, sharedObjects, warningOf } from './shared-objects.ts'

/** How long the connections of a migration may take to close, in ms. */
const patience = 2000

/**
 * Makes a template that the caller owns. The unfinished template of a killed process is dropped first. If the migration
 * fails, its message is written into the database's label for waiting processes, and this rejects with `ERR_TESTING_MIGRATE`.
 */
export async function buildTemplate(
  place: Workplace,
  recipe: Recipe,
  root?: string,
): Promise<void> {
  const { administrator, maker, notice, server } = place
  const { version } = administrator.facts
  const { name, project } = recipe
  const label: Label = { howdah: 1, kind: 'building', project, user: thisProcess() }
  const source = await sourceOf(place, recipe)
  await maker.run(async (client) => {
    await dropTemplate(client, name, version)
    await create(client, name, source?.name ?? 'template1', administrator)
  })
  await administrator.label(name, label)
  let isLasting = recipe.isLasting && server.isOwn
  try {
    const client = await connectPatiently(place, name)
    try {
      if (recipe.from === null && source === null) await createExtensions(client, recipe.extensions)
      const before = await sharedObjects(administrator)
      await recipe.fill(migrationOf(server, name, client, root), source?.done ?? 0)
      const warning = warningOf(before, await sharedObjects(administrator), project)
      if (warning !== null && server.isShared) notice(warning)
      isLasting &&= warning === null && !(await hasUnlogged(client))
    } finally {
      await client.end().catch(() => undefined)
    }
    await maker.run(async (connection) => await waitUntilAlone(connection, name))
  } catch (error) {
    throw await noteFailure(place, name, label, error)
  }
  const { base, chain } = recipe
  await administrator.label(name, { ...label, kind: 'template', base, chain, isLasting })
  await administrator.query(
    `ALTER DATABASE ${escapeIdentifier(name)} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`,
  )
  if (isLasting) server.saveTemplates()
}

/** Whether a database has unlogged tables, whose rows a copy of a running server does not have. */
async function hasUnlogged(client: pg.Client): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_class WHERE relpersistence = 'u' LIMIT 1`,
  )
  return rowCount !== 0
}

/** The template to start from, and how many of the recipe's files it already has. */
async function sourceOf(
  { administrator }: Workplace,
  recipe: Recipe,
): Promise<{ readonly name: string; readonly done: number } | null> {
  if (recipe.from !== null) return { name: recipe.from.name, done: 0 }
  if (!recipe.isIncremental) return null
  const known = (await administrator.list()).flatMap(({ name, isFinished, label }) => {
    const chain = label?.chain ?? []
    const done = chain.length
    const isPrefix =
      done > 0 && done < recipe.chain.length && recipe.chain[done - 1] === chain.at(-1)
    return isFinished && label?.base === recipe.base && isPrefix ? [{ name, done }] : []
  })
  return known.toSorted((one, other) => other.done - one.done)[0] ?? null
}

async function create(
  client: pg.Client,
  name: string,
  source: string,
  administrator: Administrator,
): Promise<void> {
  // We check the connections ourselves, because PostgreSQL waits 5 s for them to end, and then does not name them.
  const others = await connectionsTo(client, source)
  if (others.length > 0) {
    const who = others.map(({ application, pid }) => `${application || 'a client'} (pid ${pid})`)
    throw new TestingError(
      'ERR_TESTING_TEMPLATE_IN_USE',
      `${source} cannot be copied while somebody is connected to it: ${who.join(', ')}; end these connections`,
    )
  }
  const properties = administrator.propertiesOf(source)
  await copyDatabase(client, name, source, administrator.facts, properties)
}

async function createExtensions(client: pg.Client, extensions: readonly string[]): Promise<void> {
  for (const extension of extensions) {
    try {
      await client.query(`CREATE EXTENSION IF NOT EXISTS ${escapeIdentifier(extension)} CASCADE`)
    } catch (cause) {
      const { message } = cause as Error
      const cure = isState(cause, '42501')
        ? 'have a superuser create it in template1'
        : 'install it for this PostgreSQL, or leave it out'
      throw new TestingError(
        'ERR_TESTING_MIGRATE',
        `the extension ${extension} cannot be created: ${message}; ${cure}`,
        { cause },
      )
    }
  }
}

async function waitUntilAlone(client: pg.Client, name: string): Promise<void> {
  const deadline = performance.now() + patience
  for (let pause = 2; ; pause = Math.min(pause * 2, 100)) {
    const others = await connectionsTo(client, name)
    if (others.length === 0) return
    if (performance.now() > deadline) {
      const who = others.map(({ application, pid }) => `${application || 'a client'} (pid ${pid})`)
      throw new TestingError(
        'ERR_TESTING_TEMPLATE_IN_USE',
        `migrate has left connections open: ${who.join(', ')}; end its clients and pools before it returns`,
      )
    }
    await sleep(pause)
  }
}

/** Writes down the failure for processes that wait for the template. */
async function noteFailure(
  { administrator, maker }: Workplace,
  name: string,
  label: Label,
  cause: unknown,
): Promise<TestingError> {
  const words = cause instanceof Error ? cause.message : String(cause)
  const failure = `the template for ${label.project} cannot be made: ${words}${cureOf(words)}`
  const code = cause instanceof TestingError ? cause.code : 'ERR_TESTING_MIGRATE'
  try {
    const [row] = await administrator.query<{ transaction: string }>(
      'SELECT txid_current()::text AS transaction',
    )
    const transaction = row?.transaction ?? '0'
    await administrator.label(name, { ...label, kind: 'failed', failure, transaction })
  } catch {
    // If this fails, the waiting processes try the migration themselves.
    await maker
      .run(async (client) => await dropByForce(client, name, administrator.facts.version))
      .catch(() => undefined)
  }
  return new TestingError(code, failure, { cause })
}
