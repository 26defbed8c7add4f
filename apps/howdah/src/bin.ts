#!/usr/bin/env node
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { compiledDirectory } from './compiled-directory.ts'
import { CompiledLoader } from './compiled-loader.ts'

/** The commands that programs call again and again. */
const frequent = new Set(['exec', 'start', 'status', 'stop', 'url'])

/** Runs the command, which has files of its own, because Node compiles this one anew each time. */
async function run(): Promise<void> {
  const file = join(import.meta.dirname, 'command.cjs')
  const directory = compiledDirectory()
  const name = process.argv[2] ?? ''
  const purpose = frequent.has(name) ? name : 'other'
  const loader = directory === null ? null : new CompiledLoader(directory, purpose)
  const loaded: unknown = loader === null ? createRequire(file)(file) : loader.require(file)
  await (loaded as typeof import('./command.ts')).run()
  loader?.keep()
}

// oxlint-disable-next-line unicorn/prefer-top-level-await -- The build is CommonJS, which has no top-level await.
void run()
