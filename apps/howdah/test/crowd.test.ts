import { fileURLToPath } from 'node:url'
import { times, until } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processesIn, Project, type Running } from './project.ts'

const size = times(20, 50)
const barrier = fileURLToPath(new URL('clients/barrier.mjs', import.meta.url))

let project: Project
beforeEach(() => {
  project = new Project()
})
afterEach(async () => {
  await project[Symbol.asyncDispose]()
})

function gather(...words: string[]): Running[] {
  const command = ['exec', '-d', 'app', process.execPath, barrier, String(size), ...words]
  return Array.from({ length: size }, () => project.start(command, { input: null }))
}

async function together(crowd: readonly Running[]): Promise<void> {
  await until(
    'all are connected',
    () =>
      crowd.every(({ stdout, child }) => stdout.includes('together') || child.exitCode !== null),
    150_000,
  )
}

describe(
  `${size} processes that run howdah exec on a new data directory at the same moment`,
  { timeout: 200_000 },
  () => {
    test('start one server, and all succeed', async () => {
      const crowd = gather()
      await together(crowd)
      const servers = crowd.map(({ stdout }) => stdout)
      for (const { child } of crowd) child.stdin?.end()
      const results = await Promise.all(crowd.map(({ result }) => result))
      expect(results.filter(({ status }) => status !== 0)).toEqual([])
      expect(new Set(servers).size).toBe(1)
      await project.isQuiet()
      expect((await project.howdah(['status'])).stdout).toMatch(/^state +stopped\n/)
    })

    test('all killed at once: the server goes away by itself, and the next one works', async () => {
      const crowd = gather('stay')
      await together(crowd)
      expect(new Set(crowd.map(({ stdout }) => stdout)).size).toBe(1)
      for (const running of crowd) running.kill('SIGKILL')
      await until('the server is gone', () => processesIn(project.dataDir).length === 0, 30_000)
      for (const pid of processesIn(project.path)) process.kill(pid, 'SIGKILL')
      await Promise.all(crowd.map(({ result }) => result))
      expect((await project.howdah(['exec', 'true'])).status).toBe(0)
    })
  },
)
