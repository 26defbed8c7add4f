import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { nothing, onPath, type Strategy } from '@howdah/runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { diagnose, type Finding } from '../src/index.ts'
import { newest } from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
let bindir: string
let strategy: Strategy

// A copy of a real one, to be damaged.
beforeEach(async () => {
  home = temporaryDirectory()
  const runtime = await newest.strategy.fallback()
  if (runtime === null) throw new Error('there is no PostgreSQL')
  bindir = home.file('pg', 'bin')
  mkdirSync(bindir, { recursive: true })
  for (const name of ['postgres', 'initdb']) cpSync(runtime.program(name), join(bindir, name))
  const root = dirname(runtime.bindir)
  for (const part of readdirSync(root)) {
    if (part !== 'bin') symlinkSync(realpathSync(join(root, part)), home.file('pg', part))
  }
  strategy = onPath([bindir], { cacheDir: home.file('cache') })
})

afterEach(() => home[Symbol.dispose]())

const look = async (): Promise<Finding[]> =>
  await diagnose({ scope: 'clusters', checks: ['runtimes'], strategy, fix: true })

/** Makes a program need a library that nobody has, at the place of one that it needs. */
function spoil(program: string): void {
  const path = join(bindir, program)
  const content = readFileSync(path)
  const at = content.indexOf('libm.so.6\0')
  content.write('libx', at)
  writeFileSync(path, content)
}

describe('a PostgreSQL', linuxOnly('programs that need libm.so.6'), () => {
  it('that runs is not complained about', async () => {
    expect(await look()).toEqual([])
  })

  it("that misses a library is named in the loader's words, also if it ran before", async () => {
    expect(await strategy.runtimes()).toHaveLength(1)
    spoil('postgres')
    expect(await look()).toContainEqual({
      check: 'runtimes',
      severity: 'error',
      subject: { path: bindir },
      what: expect.stringContaining(
        'error while loading shared libraries: libx.so.6: cannot open shared object file',
      ),
      cure: 'install the package with that library, or install this PostgreSQL anew',
      fixable: false,
      fixed: false,
      obstacle: null,
    })
  })

  it('whose initdb misses a library is named, although its server runs', async () => {
    spoil('initdb')
    expect(await look()).toMatchObject([
      {
        severity: 'warning',
        subject: { path: join(bindir, 'initdb') },
        what: expect.stringContaining('does not run: '),
      },
    ])
  })

  it('for another processor is named', async () => {
    const postgres = join(bindir, 'postgres')
    const content = readFileSync(postgres)
    // e_machine: s390, which no Node runs on any more.
    content.writeUInt16LE(22, 18)
    writeFileSync(postgres, content)
    expect(await look()).toContainEqual(
      expect.objectContaining({
        what: expect.stringContaining('built for another system or processor'),
        cure: `remove it, and install one for ${process.platform} on ${process.arch}`,
      }),
    )
  })

  it('that may not be executed is named', async () => {
    chmodSync(join(bindir, 'postgres'), 0o644)
    expect(await look()).toContainEqual(
      expect.objectContaining({ cure: `let everybody run it: chmod a+rx '${bindir}/postgres'` }),
    )
  })

  it.runIf(process.getuid?.() === 0)('on a mount without programs is named', async (context) => {
    const options = ['-t', 'tmpfs', '-o', 'noexec', 'tmpfs', bindir]
    const kept = readFileSync(join(bindir, 'postgres'))
    if (spawnSync('mount', options).status !== 0) context.skip('may not mount')
    try {
      writeFileSync(join(bindir, 'postgres'), kept, { mode: 0o755 })
      expect(await look()).toContainEqual(
        expect.objectContaining({
          what: expect.stringContaining(`(${bindir} is mounted noexec)`),
          cure: expect.stringContaining(`mount ${bindir} without noexec`),
        }),
      )
    } finally {
      spawnSync('umount', [bindir])
    }
  })
})

it('that is missing for a cluster is named, with how to get it', async () => {
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.create()
  const found = await diagnose({
    dataDirs: [cluster.dataDir],
    scope: 'clusters',
    checks: ['runtimes'],
    strategy: strategyWithout(newest.strategy),
  })
  expect(found).toMatchObject([
    {
      severity: 'error',
      subject: { path: cluster.dataDir, version: String(newest.major) },
      what: expect.stringContaining('cannot run: no PostgreSQL'),
      cure: `install one with \`howdah runtimes install ${newest.major}\``,
    },
  ])
})

/** The same PostgreSQLs, none of which will do. */
function strategyWithout(other: Strategy): Strategy {
  return {
    name: other.name,
    runtimes: async () => await other.runtimes(),
    select: async () => await other.select(nothing),
    fallback: async () => await other.fallback(),
    diagnose: async () => await other.diagnose(),
  }
}
