#!/usr/bin/env node
import { createRequire } from 'node:module'
import { main, processIo } from '@howdah/cli'

const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
process.exitCode = await main(process.argv.slice(2), processIo(import.meta.url, version))
