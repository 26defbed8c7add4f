import { copyFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { Runtime, Version } from '@howdah/runtime'
import { describe, expect, it } from 'vitest'
import { templateKey } from '../../src/template/template-key.ts'

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

  it.each(['postgres', 'initdb'])('changes when %s was upgraded in its place', async (program) => {
    using home = temporaryDirectory()
    const runtime = await runtimeIn(home.path)
    const before = await key(runtime)
    const path = home.file('bin', program)
    copyFileSync(path, `${path}.new`)
    writeFileSync(path, 'another build')
    // As a package manager sets it: not the time of the upgrade.
    utimesSync(path, new Date(1e12), new Date(1e12))
    expect(await key(runtime)).not.toBe(before)
  })

  it('changes with the version', async () => {
    using home = temporaryDirectory()
    const older = await key(await runtimeIn(home.path, '18.0'))
    expect(await key(await runtimeIn(home.path, '18.1'))).not.toBe(older)
  })
})

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
