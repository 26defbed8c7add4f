import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { oddFiles, plantOddFile } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { Project, type Result } from './project.ts'

/** A directory that has all that a stopped cluster has, as far as howdah looks. */
function plantCluster(path: string): void {
  mkdirSync(`${path}/global`, { recursive: true, mode: 0o700 })
  writeFileSync(`${path}/PG_VERSION`, '18\n')
  writeFileSync(`${path}/howdah.json`, '{"superuser":"me","created":true}')
}

/** Runs a command that must come to an end by itself. */
async function ends(project: Project, args: readonly string[], state: string): Promise<Result> {
  const running = project.start(args, { env: { HOWDAH_STATE_DIR: state } })
  const hung = setTimeout(() => running.kill('SIGKILL'), 20_000)
  const result = await running.result
  clearTimeout(hung)
  return result
}

const inCluster = [
  'PG_VERSION',
  'postmaster.pid',
  'howdah.json',
  'howdah.run',
  'howdah.password',
  'howdah.throwaway',
  'postmaster.log',
  '.s.PGSQL.1.lock',
]

it.each(oddFiles)('ls and doctor end if clusters have %s instead of a file', async (kind) => {
  await using project = new Project()
  const state = project.file('state')
  mkdirSync(`${state}/clusters`, { recursive: true, mode: 0o700 })
  for (const [index, name] of inCluster.entries()) {
    const path = project.file('planted', String(index))
    plantCluster(path)
    plantOddFile(kind, `${path}/${name}`)
    symlinkSync(path, `${state}/clusters/${index + 1}`)
  }
  const list = await ends(project, ['ls'], state)
  expect(list).toMatchObject({ status: 0 })
  expect(list.stdout).toContain(project.file('planted', '2'))
  const { status, stdout } = await ends(project, ['doctor'], state)
  expect(status).toBe(1)
  expect(stdout).toContain(project.file('planted', '0', 'PG_VERSION'))
  expect(stdout).toContain(project.file('planted', '1', 'postmaster.pid'))
})

it.each(inCluster)('start, status, stop and logs end if %s is a FIFO', async (name) => {
  await using project = new Project()
  const state = project.file('state')
  const path = project.file('planted')
  plantCluster(path)
  plantOddFile('a FIFO', `${path}/${name}`)
  for (const command of ['start', 'status', 'stop', 'logs']) {
    const { status } = await ends(project, [command, '-D', path], state)
    expect(status, `${command} was killed because it hung`).not.toBeNull()
  }
})

it('ls and doctor end if the table of what servers write is a FIFO', async () => {
  await using project = new Project()
  const state = project.file('state')
  mkdirSync(state, { mode: 0o700 })
  plantOddFile('a FIFO', `${state}/registry.json`)
  const list = await ends(project, ['ls'], state)
  expect(list.status).toBe(0)
  expect(list.stderr).toContain('it is not a plain file')
  expect((await ends(project, ['doctor'], state)).status).not.toBeNull()
})

it.each(['howdah-backups.json', 'data.0000000001/howdah.backup', 'wal/00000002.history'])(
  'verify and restore end if %s is a FIFO among the backups',
  async (name) => {
    await using project = new Project()
    const state = project.file('state')
    const backups = project.file('backups')
    mkdirSync(`${backups}/wal`, { recursive: true })
    mkdirSync(`${backups}/data.0000000001`)
    writeFileSync(`${backups}/howdah-backups.json`, '{"format":1,"systemIdentifier":"7"}\n')
    const record = {
      format: 1,
      number: 1,
      systemIdentifier: '7',
      walSegmentSize: 2 ** 24,
      files: [],
    }
    writeFileSync(
      `${backups}/data.0000000001/howdah.backup`,
      JSON.stringify({ ...record, version: '18.1', startLsn: '0/1000000', stopLsn: '0/1000100' }),
    )
    copyFileSync('/dev/null', `${backups}/wal/000000010000000000000001`)
    plantOddFile('a FIFO', `${backups}/${name}`)
    expect((await ends(project, ['verify', backups], state)).status).toBe(1)
    const restore = ['restore', '--from', backups, '--to', project.file('restored')]
    expect((await ends(project, restore, state)).status).toBe(1)
  },
)
