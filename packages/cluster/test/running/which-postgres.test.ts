import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { expect, it } from 'vitest'
import { Cluster } from '../../src/index.ts'

const { strategy, major } = newest

it('a text or a number will do wherever a constraint does', async () => {
  using directory = temporaryDirectory()
  const runtimeBy = async (runtime: string | number) =>
    await new Cluster(directory.file('data'), { strategy, runtime }).runtime()

  const found = await runtimeBy(String(major))
  expect(found.version.major).toBe(major)
  for (const wanted of [major, found.version.toString(), found.bindir, `${found.bindir}/..`]) {
    expect((await runtimeBy(wanted)).bindir).toBe(found.bindir)
  }
  const refused = { code: 'ERR_RUNTIME_NOT_FOUND', wanted: '9.6' }
  await expect(runtimeBy('9.6')).rejects.toMatchObject(refused)
})
