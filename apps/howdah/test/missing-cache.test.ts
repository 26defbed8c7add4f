import { symlinkSync, writeFileSync } from 'node:fs'
import { linuxOnly, SmallDisk } from '@howdah/fixtures'
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

/** What is said, in one line, if there is no cache. */
const without = (cache: string) => ({
  status: 0,
  stdout: '',
  stderr: expect.stringMatching(
    new RegExp(`^howdah: new clusters take longer without a cache of templates: .*${cache}.*\\n$`),
  ),
})

/** What is said if temporary clusters cannot lie there: why, and what to do. */
const refusal = (temporary: string) => ({
  status: 125,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^howdah: .*${temporary}.*; [^;]+\\n$`)),
})

const withProc = linuxOnly('/proc, in which no directory can be made')
test.each(places)('a cache %s is done without, in one line', withProc, async (_, make) => {
  await using project = new Project()
  const cache = make(project)
  expect(await makeCluster(project, { HOWDAH_CACHE_DIR: cache })).toEqual(without(cache))
})

test.each(places)(
  'temporary clusters %s are refused at once, with a cure',
  withProc,
  async (_, make) => {
    await using project = new Project()
    const temporary = make(project)
    const result = await makeCluster(project, { HOWDAH_TEMPORARY_DIR: temporary })
    expect(result).toEqual(refusal(temporary))
  },
)

test.skipIf(whyNot !== null).each([
  ['full', (disk: SmallDisk) => disk.leave(0)],
  ['read-only', (disk: SmallDisk) => disk.makeReadOnly()],
])(
  `on a %s disk, a cache is done without, and temporary clusters are refused (${whyNot ?? 'mounted for this test'})`,
  async (_, spoil) => {
    await using project = new Project()
    using disk = SmallDisk.mount(64)
    spoil(disk)
    const [cache, temporary] = [disk.file('cache'), disk.file('temporary')]
    expect(await makeCluster(project, { HOWDAH_CACHE_DIR: cache })).toEqual(without(cache))
    const result = await makeCluster(project, { HOWDAH_TEMPORARY_DIR: temporary })
    expect(result).toEqual(refusal(temporary))
  },
)
