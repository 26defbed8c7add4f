import { backUpCluster, restoreCluster } from '../src/index.ts'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { type BackupFinding, verifyBackups } from '../src/index.ts'
import { newest, readRows, Writer } from '@howdah/postgres-fixtures'

const { strategy } = newest
/** In ms: on a busy machine. */
const patience = 120_000

const home = temporaryDirectory()
const into = home.file('backups')
const cluster = new Cluster(home.file('data'), { strategy })
const other = new Cluster(home.file('other'), { strategy })
/** Names of archived segments, oldest first: two backups, and three files of WAL after each. */
let segments: string[] = []

const wal = (name: string) => home.file('backups', 'wal', name)
const backedUp = (number: number, ...names: string[]) =>
  home.file('backups', `data.000000000${number}`, ...names)

beforeAll(async () => {
  for (const one of [cluster, other]) {
    await one.create()
    await backUpCluster(one, { into: one === cluster ? into : home.file('others') })
  }
  await write()
  await backUpCluster(cluster, { into })
  await write()
  segments = readdirSync(home.file('backups', 'wal'))
    .filter((name) => /^[\dA-F]{24}$/.test(name))
    .toSorted()
}, patience)

afterAll(() => home[Symbol.dispose]())

let written = 0
async function write(): Promise<void> {
  await using session = await cluster.run()
  const writer = await Writer.on(session, written + 1)
  for (const name of ['one', 'two', 'three']) {
    await writer.write()
    written += 1
    await session.createRestorePoint(name)
  }
}

/** Does something to a file, says what is found, and mends it. */
async function damaged(
  path: string,
  damage: (path: string) => void,
): Promise<readonly BackupFinding[]> {
  const kept = home.file('kept')
  const exists = basename(path) !== 'extra'
  if (exists) copyFileSync(path, kept)
  damage(path)
  const { findings } = await verifyBackups(into)
  if (exists) copyFileSync(kept, path)
  else rmSync(path)
  return findings
}

const flip = (at: number) => (path: string) => {
  const bytes = readFileSync(path)
  bytes[at]! ^= 0x10
  writeFileSync(path, bytes)
}

describe('verifying', { timeout: patience }, () => {
  it('finds nothing if nothing is wrong, and changes nothing', async () => {
    const before = readdirSync(into, { recursive: true })
    const phases = new Set<string>()
    const found = await verifyBackups(into, { onProgress: ({ phase }) => phases.add(phase) })
    expect(found).toMatchObject({
      backups: [{ number: 1 }, { number: 2 }],
      findings: [],
    })
    const { startWalFile } = found.backups[0]!
    expect(found.walFiles).toBe(segments.filter((name) => name >= startWalFile).length)
    expect([...phases]).toEqual(['preparing', 'verifying'])
    expect(readdirSync(into, { recursive: true })).toEqual(before)
  })

  it.each([
    ['a file that is missing', 'PG_VERSION', rmSync, /^is missing$/],
    ['a file that has changed', 'postgresql.conf', flip(5), /is not what was backed up/],
    [
      'a file that is cut short',
      'global/pg_control',
      (path: string) => truncateSync(path, 100),
      /has 100 bytes and not/,
    ],
    [
      'a file that was never backed up',
      'extra',
      (path: string) => writeFileSync(path, ''),
      /does not belong here/,
    ],
    ['a record that is missing', 'howdah.backup', rmSync, /cannot be read/],
    [
      'a record that is cut short',
      'howdah.backup',
      (path: string) => truncateSync(path, 100),
      /cannot be read/,
    ],
    [
      'the record of another backup',
      'howdah.backup',
      (path: string) => copyFileSync(backedUp(2, 'howdah.backup'), path),
      /another backup/,
    ],
  ] as const)('finds %s', async (_, name, damage, what) => {
    const path = backedUp(1, name)
    const findings = await damaged(path, damage)
    expect(findings).toEqual([
      { path, what: expect.stringMatching(what), remedy: expect.stringContaining('back up again') },
    ])
  })

  it.each([
    ['a WAL file that is missing', rmSync, /^is missing$/],
    ['a WAL file that has changed', flip(100), /has a damaged record at 0\/[\dA-F]+/],
    [
      'a WAL file that is cut short',
      (path: string) => truncateSync(path, 8192),
      /has 8192 bytes and not 16777216/,
    ],
    [
      'something in the empty part of a WAL file',
      flip(16_000_000),
      /has a damaged page|nothing was written/,
    ],
    [
      'another file of the same WAL',
      (path: string) => copyFileSync(wal(segments.at(-1)!), path),
      /another part of the WAL/,
    ],
    [
      "another cluster's WAL",
      (path: string) =>
        copyFileSync(
          home.file(
            'others',
            'wal',
            readdirSync(home.file('others', 'wal')).find((name) => /^[\dA-F]{24}$/.test(name))!,
          ),
          path,
        ),
      /another cluster, whose system identifier/,
    ],
  ] as const)('finds %s', async (_, damage, what) => {
    const path = wal(segments.at(-3)!)
    expect(await damaged(path, damage)).toEqual([
      { path, what: expect.stringMatching(what), remedy: expect.stringContaining('back up again') },
    ])
  })

  it('finds what is missing of the WAL that a backup needs, though there is none after it', async () => {
    using alone = temporaryDirectory()
    const copy = alone.file('backups')
    await backUpCluster(other, { into: home.file('others') })

    cpSync(home.file('others'), copy, { recursive: true })
    const last = readdirSync(alone.file('backups', 'wal'))
      .filter((name) => /^[\dA-F]{24}$/.test(name))
      .toSorted()
      .at(-1)!
    rmSync(alone.file('backups', 'wal', last))
    expect((await verifyBackups(copy)).findings).toEqual([
      expect.objectContaining({ path: alone.file('backups', 'wal', last), what: 'is missing' }),
    ])
  })

  it('refuses what are no backups', async () => {
    await expect(verifyBackups(home.file('nowhere'))).rejects.toMatchObject({
      code: 'ERR_CLUSTER_NO_BACKUP',
    })
    await expect(verifyBackups(home.path)).rejects.toMatchObject({ code: 'ERR_CLUSTER_NO_BACKUP' })
  })

  it('is done for the WAL that a restore needs, so that damage is not taken for the end', async () => {
    const path = wal(segments.at(-1)!)
    const restored = new Cluster(home.file('restored'), { strategy })
    const bytes = readFileSync(path)
    flip(100)(path)
    for (const target of [{}, { until: { time: new Date('2100-01-01') } }]) {
      await expect(restoreCluster(restored, { from: into, ...target })).rejects.toMatchObject({
        code: 'ERR_CLUSTER_BACKUP_DAMAGED',
        path,
      })
    }
    writeFileSync(path, bytes)
  })

  // At the end, for it leaves the archive damaged.
  it('is not made worse by a backup, which can be restored whatever was wrong before', async () => {
    const [gap, changed] = [segments.at(-2)!, segments.at(-4)!]
    rmSync(wal(gap))
    flip(100)(wal(changed))
    flip(5)(backedUp(1, 'postgresql.conf'))
    const { findings } = await verifyBackups(into)
    expect(new Set(findings.map(({ path }) => path))).toEqual(
      new Set([wal(gap), wal(changed), backedUp(1, 'postgresql.conf')]),
    )
    const restored = new Cluster(home.file('restored'), { strategy })
    await expect(restoreCluster(restored, { from: into })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_NO_BACKUP',
    })
    await backUpCluster(cluster, { into })
    await write()
    expect((await verifyBackups(into)).findings).toEqual(findings)
    await restoreCluster(restored, { from: into })
    await using session = await restored.run()
    expect(await readRows(session)).toEqual(Array.from({ length: written }, (_, at) => at + 1))
  })
})

it.each([
  ['no backup', [], 'has no backup at all'],
  ['no directory for WAL', ['wal'], 'is missing, with all WAL'],
])('finds fault with %s: nothing cannot be restored', async (_, removed, what) => {
  using place = temporaryDirectory()
  mkdirSync(place.file('wal'))
  writeFileSync(place.file('howdah-backups.json'), '{"format":1,"systemIdentifier":"7"}\n')
  for (const name of removed) rmSync(place.file(name), { recursive: true })
  const { findings } = await verifyBackups(place.path)
  expect(findings.map((finding) => finding.what)).toContain(what)
})
