import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Administrator } from '../server/administrator.ts'
import { templateName } from '../server/names.ts'
import type { Migration, TestDatabasesOptions } from '../options.ts'
import { hashOf } from './hash-of.ts'
import { findFiles } from './key-files.ts'
import { projectName } from './project.ts'

/** How to make a template, and everything that it depends on. */
export interface Recipe {
  readonly name: string
  readonly project: string
  /** The template that it starts from. */
  readonly from: Recipe | null
  /** A hash of everything except the files. */
  readonly base: string
  /** For each file, a hash of it and of the files before it. */
  readonly chain: readonly string[]
  /** Whether it may start from the template of its first files. */
  readonly isIncremental: boolean
  readonly extensions: readonly string[]
  /**
   * Whether later servers may have it. For a function or command only if there is a key, because its own source does not say
   * what it depends on.
   */
  readonly isLasting: boolean
  /** Makes it from a copy that already has the first `done` files. */
  fill(migration: Migration, done: number): Promise<void>
}

/** To be incremented when templates are made in another way. */
const format = 1

/** Reads the files of the options, and gives the recipe of the template for tests. */
export async function readRecipe(
  options: TestDatabasesOptions,
  { facts }: Pick<Administrator, 'facts'>,
): Promise<Recipe> {
  const root = resolve(options.root ?? '.')
  const { migrate, key = [], extensions = [], seed, saveTemplates = true } = options
  const project = options.name ?? (await projectName(root))
  const patterns = key.filter((part) => typeof part === 'string')
  const migrations = typeof migrate === 'string' ? await findFiles([migrate], root) : []
  const files = [...new Set([...(await findFiles(patterns, root)), ...migrations])]
  // With further files in the key, each migration may depend on them, so it is not incremental by default.
  const isIncremental =
    typeof migrate === 'string' ? patterns.length === 0 : (options.incremental ?? false)
  const common = [format, facts.version, facts.role, project]
  const base = hashOf([...common, key, extensions, sourceOf(migrate), isIncremental])
  const chain = await chainOf(files, root)
  const isDescribed = (action: unknown) =>
    saveTemplates && (key.length > 0 || typeof action === 'string')
  const migrated: Recipe = {
    name: templateName(hashOf([base, chain]), facts.place),
    project,
    from: null,
    base,
    chain,
    isIncremental,
    extensions,
    isLasting: isDescribed(migrate),
    async fill(migration, done) {
      if (typeof migrate === 'function') await migrate(migration)
      else if (typeof migrate === 'object') {
        const [command, ...args] = migrate.exec
        await migration.exec(command, args)
      } else if (migrations.length > done) await migration.sql(migrations.slice(done).map(literal))
    },
  }
  if (seed === undefined) return migrated
  const seeds = typeof seed === 'string' ? await findFiles([seed], root) : []
  const seedBase = hashOf([...common, migrated.name, sourceOf(seed)])
  const seedChain = await chainOf(seeds, root)
  return {
    name: templateName(hashOf([seedBase, seedChain]), facts.place),
    project,
    from: migrated,
    base: seedBase,
    chain: seedChain,
    isIncremental: false,
    extensions: [],
    isLasting: isDescribed(seed) && (migrate === undefined || isDescribed(migrate)),
    async fill(migration) {
      if (typeof seed === 'function') await seed(migration)
      else await migration.sql(seeds.map(literal))
    },
  }
}

async function chainOf(files: readonly string[], root: string): Promise<string[]> {
  const chain: string[] = []
  for (const file of files) {
    const content = await readFile(join(root, file))
    const digest = createHash('sha256').update(content).digest('hex')
    chain.push(hashOf([chain.at(-1) ?? '', file, digest]).slice(0, 12))
  }
  return chain
}

function sourceOf(action: unknown): unknown {
  return typeof action === 'function' ? action.toString() : (action ?? null)
}

/** A pattern that matches exactly a file's name. */
function literal(file: string): string {
  return file.replaceAll(/[\\*?[\](){}!+@|]/g, String.raw`\$&`)
}
