import { backUpCluster, cloneCluster, verifyBackups } from '@howdah/backup'
import { open } from 'node:fs/promises'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Cluster, readSystemIdentifier } from '@howdah/cluster'
import { diagnose, isWrong } from '@howdah/doctor'
import { newest } from '@howdah/postgres-fixtures'

const { strategy } = newest

// The file handles of Yarn's Plug'n'Play are like Node's without these.
const missing = [Symbol.asyncDispose, 'sync', 'utimes'] as const
let handles: object
let kept: PropertyDescriptorMap

beforeAll(async () => {
  const file = await open(new URL(import.meta.url), 'r')
  handles = Object.getPrototypeOf(file) as object
  await file.close()
  kept = Object.getOwnPropertyDescriptors(handles)
  for (const name of missing) Reflect.deleteProperty(handles, name)
})

afterAll(() => {
  Object.defineProperties(handles, kept)
})

it('works if file handles cannot be disposed and do not sync', { timeout: 300_000 }, async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy })
  {
    await using session = await cluster.run()
    await session.setMode('fast')
    await session.setMode('safe')
  }
  await backUpCluster(cluster, { into: home.file('backups') })
  for await (const line of cluster.logs({ lines: 1 })) expect(line).toContain('database system')
  expect((await verifyBackups(home.file('backups'))).findings).toEqual([])
  const copy = await cloneCluster(cluster, { to: home.file('copy') })
  expect(await readSystemIdentifier(copy.dataDir)).not.toBe(
    await readSystemIdentifier(cluster.dataDir),
  )
  const findings = await diagnose({ dataDirs: [copy.dataDir], scope: 'clusters', strategy })
  expect(findings.filter(isWrong)).toEqual([])
})
