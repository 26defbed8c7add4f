import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { postgresPackage, temporaryDirectory } from '@howdah/fixtures'
import { afterAll, bench, describe } from 'vitest'
import { bundled, defaultStrategy, onPath, version } from '../src/index.ts'

// What `howdah exec` pays on every run: choosing a runtime, cold and warm.

const scratch = temporaryDirectory()
const cacheDir = scratch.file('cache')
const packages = [postgresPackage(18) ?? '']
const serverUser = { uid: 65_534, gid: 65_534 }
const debian = '/usr/lib/postgresql/15/bin'
const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url))
const settings = { iterations: 20, time: 500, warmupIterations: 2, warmupTime: 0 }

afterAll(() => scratch[Symbol.dispose]())

const forget = () => rmSync(cacheDir, { recursive: true, force: true })
const chooseBundled = async () =>
  void (await bundled({ packages, cacheDir, serverUser }).fallback())
const chooseDebian = async () => void (await onPath([debian], { cacheDir }).select(version(15)))
const chooseDefault = async (major: number) =>
  void (await defaultStrategy({ packages, cacheDir, serverUser }).select(version(major)))
const run = (code: string) =>
  void spawnSync(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' })

describe.skipIf(packages[0] === '')('bundled', () => {
  bench(
    'cold: the tree is made (and the last one removed)',
    async () => {
      forget()
      await chooseBundled()
    },
    settings,
  )
  bench('warm', chooseBundled, settings)
})

describe.skipIf(!existsSync(debian))("the system's own", () => {
  bench(
    'cold: the server is asked (and the cache removed)',
    async () => {
      forget()
      await chooseDebian()
    },
    settings,
  )
  bench('warm: its version is cached on disk', chooseDebian, settings)
})

describe('the default strategy, warm', () => {
  bench.skipIf(!existsSync(debian))(
    'found on PATH or the platform',
    () => chooseDefault(15),
    settings,
  )
  bench.skipIf(packages[0] === '')(
    'found in the bundle, at the end',
    () => chooseDefault(18),
    settings,
  )
})

describe.skipIf(packages[0] === '')('a process of its own', () => {
  const few = { ...settings, iterations: 5 }
  const chosen = `await bundled(${JSON.stringify({ packages, cacheDir, serverUser })}).fallback()`
  bench('node alone', () => run(''), few)
  bench(
    'with execa imported',
    () => run(`import ${JSON.stringify(import.meta.resolve('execa'))}`),
    few,
  )
  bench('with the package imported', () => run(`import ${JSON.stringify(entry)}`), few)
  bench(
    'and a bundled runtime chosen, warm',
    () => run(`import { bundled } from ${JSON.stringify(entry)}; ${chosen}`),
    few,
  )
})
