import { expect, test } from 'vitest'
import { Project } from './project.ts'

/** All databases, those of commands among them. */
const databases = ['shell', '-q', '-c', 'SELECT datname FROM pg_database']

test('--shadow gives a command an empty database of its own, which is dropped at the end, also if it was killed', async () => {
  await using project = new Project()
  await project.howdah(['start'])
  const print = ['sh', '-c', 'echo "$SHADOW_DATABASE_URL"; echo "$DATABASE_URL"']
  const { status, stdout } = await project.howdah(['exec', '--shadow', '--', ...print])
  const [shadow = '', own = ''] = stdout.split('\n')
  expect([status, shadow === own, shadow]).toEqual([
    0,
    false,
    expect.stringMatching(/\/howdah-shadow-\d+-[\d.]+\?host=/),
  ])
  expect((await project.howdah(databases)).stdout).not.toContain('howdah-shadow')
  const killed = project.start(['exec', '--shadow', '--', 'sh', '-c', 'echo here; exec sleep 600'])
  await killed.says('here')
  process.kill(-killed.child.pid!, 'SIGKILL')
  await killed.result
  expect((await project.howdah(databases)).stdout).toContain('howdah-shadow')
  // As a process on a Mac is called.
  const ofMac = 'CREATE DATABASE "howdah-shadow-2147483647-1796010781.950000"'
  expect(await project.howdah(['shell', '-q', '-c', ofMac])).toMatchObject({ status: 0 })
  await project.howdah(['exec', '--shadow', '--', 'true'])
  expect((await project.howdah(databases)).stdout).not.toContain('howdah-shadow')
  await project.howdah(['stop'])
})
