import { postgresPackage, temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { bundled, defaultStrategy, NoRuntimeError, parseConstraint } from '../src/index.ts'

// The README's example, between the marks.

test.skipIf(postgresPackage(16) === null)('the example in the README', async () => {
  using scratch = temporaryDirectory()
  const options = { packages: [postgresPackage(16) ?? ''], cacheDir: scratch.file('cache') }
  expect(bundled(options).name).toBe('bundled')

  // README >
  const strategy = defaultStrategy(options)
  const runtime = await strategy.select(parseConstraint('16'))
  if (runtime === null) throw new NoRuntimeError('16', await strategy.runtimes())

  runtime.version.toString() // '16.14'
  runtime.has('psql') // false: the bundled ones have only the server's programs
  const { stdout } = await runtime.execute('initdb', ['--version'])
  await runtime.command('sh', ['-c', 'postgres --version']) // the runtime's, first on PATH
  // < README

  expect(stdout).toBe(`initdb (PostgreSQL) ${runtime.version.toString()}`)
})
