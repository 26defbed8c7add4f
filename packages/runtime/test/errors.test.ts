import { expect, test } from 'vitest'
import { noRuntime, PartialVersion, Version } from '../src/index.ts'

const found = [{ version: Version.parse('15.18'), bindir: '/usr/lib/postgresql/15/bin' }]

test.each([
  [
    PartialVersion.parse('13'),
    found,
    'no PostgreSQL 13 found: found 15.18 at /usr/lib/postgresql/15/bin; install one with `howdah runtimes install 13`',
  ],
  ['13.4', [], 'no PostgreSQL 13.4 found; install one with `howdah runtimes install 13`'],
  [null, [], 'no PostgreSQL found; install one with `howdah runtimes install 18`'],
  [
    PartialVersion.parse('9.6'),
    [],
    'no PostgreSQL 9.6 found; install one with the package manager of your system',
  ],
  [
    '/opt/*/bin',
    [],
    'no PostgreSQL found at /opt/*/bin; install one with the package manager of your system',
  ],
])('no runtime for %s', (wanted, others, message) => {
  const error = noRuntime(wanted, others)
  expect(error.message).toBe(message)
  expect(error).toMatchObject({
    name: 'RuntimeError',
    code: 'ERR_RUNTIME_NOT_FOUND',
    wanted: wanted?.toString() ?? null,
    found: others,
  })
})
