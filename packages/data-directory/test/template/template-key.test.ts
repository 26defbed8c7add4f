// @vitest-environment-options { "alone": "template/template-key" }
import {
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { temporaryDirectory } from '@howdah/fixtures'
import type * as Lock from '@howdah/lock'
import { Runtime, Version } from '@howdah/runtime'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { templateKey, thisMachine } from '../../src/template/template-key.ts'

/** What tells this machine from others; `null` if nothing does. */
const machine = vi.hoisted(() => ({ id: 'this' as string | null }))

vi.mock('@howdah/lock', async (original) => {
  const real = await original<typeof Lock>()
  return { ...real, currentProcess: () => ({ ...real.currentProcess(), machineId: machine.id }) }
})

beforeEach(() => {
  machine.id = 'this'
})

describe('the key of a template', () => {
  it('is the same for the same programs, arguments and user', async () => {
    using home = temporaryDirectory()
    const runtime = await runtimeIn(home.path)
    const [one, other] = [await key(runtime), await key(runtime)]
    expect(one).toBe(other)
  })

  it.each([
    ['arguments', ['--locale=C', '-k'], 1000],
    ['their order', ['-k', '--locale=C'], 1000],
    ['the user, who could have put anything into it', ['--locale=C'], 1001],
    ['no user', ['--locale=C'], undefined],
    ['arguments that are joined otherwise', ['--locale=C', ''], 1000],
  ])('changes with %s', async (_what, args, uid) => {
    using home = temporaryDirectory()
    const runtime = await runtimeIn(home.path)
    const { name } = await templateKey(runtime, args, uid)
    expect(name).not.toBe(await key(runtime))
  })

  describe.each(['postgres', 'initdb'])('changes when %s was upgraded', (program) => {
    it.each<[string, (path: string) => void]>([
      ['in its place', (path) => writeFileSync(path, 'x'.repeat(statSync(path).size))],
      ['by another file', replace],
      ['by another file behind a link', (path) => replace(`${path}.real`)],
    ])('%s, by one of the same size and time', async (how, upgrade) => {
      using home = temporaryDirectory()
      const runtime = await runtimeIn(home.path)
      const path = home.file('bin', program)
      if (how.includes('link')) {
        renameSync(path, `${path}.real`)
        symlinkSync(`${path}.real`, path)
      }
      // A package manager sets the time: it is not that of the upgrade.
      const setTime = () => utimesSync(path, 1e9, 1e9)
      setTime()
      const before = await key(runtime)
      upgrade(path)
      setTime()
      expect(await key(runtime)).not.toBe(before)
    })
  })

  it('changes with the machine, for initdb tries out what that bears', async () => {
    using home = temporaryDirectory()
    const runtime = await runtimeIn(home.path)
    const keys = new Set<string>()
    for (const id of ['this', 'another', null]) {
      machine.id = id
      keys.add(await key(runtime))
    }
    expect(keys.size).toBe(3)
    expect(thisMachine()).toBe(hostname())
  })

  it('says of what it is, for people and for programs that tidy up', async () => {
    using home = temporaryDirectory()
    const { about, name } = await templateKey(await runtimeIn(home.path), ['--x y'], 1000)
    expect(about).toEqual({
      version: '18.0',
      bindir: home.file('bin'),
      server: expect.stringContaining(home.file('bin', 'postgres')),
      initdb: expect.stringContaining(home.file('bin', 'initdb')),
      platform: `${process.platform}-${process.arch}`,
      machine: 'this',
      arguments: '["--x y"]',
      user: '1000',
    })
    expect(name).toMatch(/^18\.0-[0-9a-f]{24}$/)
  })

  it('changes with the version', async () => {
    using home = temporaryDirectory()
    const older = await key(await runtimeIn(home.path, '18.0'))
    expect(await key(await runtimeIn(home.path, '18.1'))).not.toBe(older)
  })
})

/** Another file, of the same size. */
function replace(path: string): void {
  const { size } = statSync(path)
  rmSync(path)
  writeFileSync(path, 'y'.repeat(size))
}

async function key(runtime: Runtime): Promise<string> {
  return (await templateKey(runtime, ['--locale=C'], 1000)).name
}

/** A runtime of files that are no programs. */
async function runtimeIn(home: string, version = '18.0'): Promise<Runtime> {
  const bindir = `${home}/bin`
  mkdirSync(bindir, { recursive: true })
  for (const program of ['postgres', 'initdb', 'pg_ctl']) {
    writeFileSync(`${bindir}/${program}`, program, { mode: 0o755 })
  }
  return await Runtime.at(bindir, { version: Version.parse(version) })
}
