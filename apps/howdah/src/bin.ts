#!/usr/bin/env node
import { createRequire } from 'node:module'
import { main, processIo } from '@howdah/cli'
import { keepCompiled } from './keep-compiled.ts'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

async function run(): Promise<void> {
  keepCompiled()
  process.exitCode = await main(process.argv.slice(2), processIo(import.meta.url, version))
}

// oxlint-disable-next-line unicorn/prefer-top-level-await -- The build is CommonJS, which has no top-level await.
void run()
