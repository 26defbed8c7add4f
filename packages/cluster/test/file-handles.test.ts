import { open } from 'node:fs/promises'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Cluster, diagnose, isWrong, readSystemIdentifier, verifyBackups } from '../src/index.ts'
import { newest } from './support/postgres.ts'

const { strategy } = newest

// The file handles of Yarn's Plug'n'Play are like Node's without `Symbol.asyncDispose`.
let handles: object
let dispose: PropertyDescriptor

beforeAll(async () => {
  const file = await open(new URL(import.meta.url), 'r')
  handles = Object.getPrototypeOf(file) as object
  await file.close()
  dispose = Object.getOwnPropertyDescriptor(handles, Symbol.asyncDispose)!
  Reflect.deleteProperty(handles, Symbol.asyncDispose)
})

afterAll(() => {
  Object.defineProperty(handles, Symbol.asyncDispose, dispose)
})

it('needs no file handles that can be disposed', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  {
    await using session = await cluster.run()
    await session.setMode('fast')
    await session.setMode('safe')
  }
  await cluster.backup({ into: home.file('backups') })
  for await (const line of cluster.logs({ lines: 1 })) expect(line).toContain('database system')
  expect((await verifyBackups(home.file('backups'))).findings).toEqual([])
  const copy = await cluster.clone({ to: home.file('copy') })
  expect(await readSystemIdentifier(copy.dataDir)).not.toBe(
    await readSystemIdentifier(cluster.dataDir),
  )
  const findings = await diagnose({ dataDirs: [copy.dataDir], scope: 'clusters', strategy })
  expect(findings.filter(isWrong)).toEqual([])
})
