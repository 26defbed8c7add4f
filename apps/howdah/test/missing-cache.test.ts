import { symlinkSync, writeFileSync } from 'node:fs'
import { SmallDisk } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { Project } from './project.ts'

const whyNot = SmallDisk.whyNot()

/** Directories that cannot be made, by what is in the way; the disks are mounted by the tests. */
const places: readonly (readonly [what: string, (project: Project) => string])[] = [
  [
    'below a link that leads nowhere',
    (project) => {
      symlinkSync('nowhere', project.file('dangling'))
      return project.file('dangling', 'cache')
    },
  ],
  ['in /proc', () => '/proc/howdah'],
  [
    'in the place of a file',
    (project) => {
      writeFileSync(project.file('file'), '')
      return project.file('file')
    },
  ],
]

/** A command that makes a cluster, and ends by itself. */
async function makeCluster(project: Project, env: NodeJS.ProcessEnv) {
  const running = project.start(['exec', '--temporary', '--', 'true'], { env })
  const hung = setTimeout(() => running.kill('SIGKILL'), 60_000)
  const result = await running.result
  clearTimeout(hung)
  return result
}

async function doesWithout(project: Project, cache: string): Promise<void> {
  const env = { HOWDAH_CACHE_DIR: cache }
  const { status, stderr } = await makeCluster(project, env)
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining(cache) })
  expect(stderr).toMatch(/^howdah: new clusters take longer without a cache of templates: .*\n$/)
}

async function refuses(project: Project, temporary: string): Promise<void> {
  const { status, stderr } = await makeCluster(project, { HOWDAH_TEMPORARY_DIR: temporary })
  expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringContaining(temporary) })
  expect(stderr).toMatch(/^howdah: .*; [^;]+\n$/)
}

test.skipIf(process.platform !== 'linux').each(places)(
  'a cache %s is done without, in one line',
  async (_, make) => {
    await using project = new Project()
    await doesWithout(project, make(project))
  },
)

test.skipIf(process.platform !== 'linux').each(places)(
  'temporary clusters %s are refused at once, with a cure',
  async (_, make) => {
    await using project = new Project()
    await refuses(project, make(project))
  },
)

test.skipIf(whyNot !== null)(
  `a cache on a full disk is done without, and temporary clusters are refused there (${whyNot ?? 'mounted for this test'})`,
  async () => {
    await using project = new Project()
    using disk = SmallDisk.mount(64)
    disk.leave(0)
    await doesWithout(project, disk.file('cache'))
    await refuses(project, disk.file('temporary'))
  },
)

test.skipIf(whyNot !== null)(
  `a cache on a read-only disk is done without, and temporary clusters are refused there (${whyNot ?? 'mounted for this test'})`,
  async () => {
    await using project = new Project()
    using disk = SmallDisk.mount(64)
    disk.makeReadOnly()
    await doesWithout(project, disk.file('cache'))
    await refuses(project, disk.file('temporary'))
  },
)
