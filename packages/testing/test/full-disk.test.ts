import { SmallDisk } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { type TestDatabase, testDatabases } from '../src/index.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'

ownPlace()

const whyNot = SmallDisk.whyNot()

it(`says that the server's disk is full, and goes on when there is room${whyNot === null ? '' : ` (${whyNot})`}`, async ({
  skip,
}) => {
  skip(whyNot !== null, whyNot ?? '')
  using disk = SmallDisk.mount(160_000)
  process.env['HOWDAH_TEMPORARY_DIR'] = disk.path
  using project = new Project()
  await using databases = testDatabases(project.options({ ahead: 0 }))
  const made: TestDatabase[] = []
  const fill = async () => {
    for (;;) made.push(await databases.create())
  }
  await expect(fill()).rejects.toMatchObject({
    code: 'ERR_TESTING_NO_SPACE',
    message: expect.stringContaining('HOWDAH_TEMPORARY_DIR'),
  })
  expect(made.length).toBeGreaterThan(2)
  const gone = made.splice(0)
  await Promise.all(gone.map(async (db) => await db.release()))
  // They are dropped in the background.
  await expect
    .poll(
      async () => {
        const db = await databases.create().catch(() => null)
        return (await db?.query('SELECT 1 AS n'))?.rows
      },
      { timeout: 20_000 },
    )
    .toEqual([{ n: 1 }])
})
