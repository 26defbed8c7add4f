#!/usr/bin/env node
import { createRequire } from 'node:module'
import { main } from '@howdah/cli'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
const { argv, stdin, stdout, stderr, env } = process
process.exitCode = await main(argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  signals: process,
  from: import.meta.url,
  version,
  exit: (status) => process.exit(status),
})
