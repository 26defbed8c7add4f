// @vitest-environment-options { "alone": "windows/stop-recorded" }
import { currentProcess } from '@howdah/lock'
import { temporaryDirectory } from '@howdah/fixtures'
import { beforeEach, expect, test, vi } from 'vitest'
import type { ServerRecord } from '@howdah/coordinate'
import { stopRecorded } from '../../src/ending/stop-recorded.ts'
import { plainRecord } from '../plain-record.ts'

/** With what a server was ended. */
const ended = vi.hoisted(() => [] as unknown[][])

vi.mock('../../src/ending/end-server.ts', () => ({
  endServer: async (...asked: unknown[]) => {
    ended.push(asked)
    return 'ended'
  },
}))

beforeEach(() => {
  ended.length = 0
})

function recordOf(changes: Partial<ServerRecord>): ServerRecord {
  return { ...plainRecord, signal: 'SIGINT', stillness: 2000, worksHere: true, ...changes }
}

test('a server has 30 s to end in, or for so long as its record says to stand still', async () => {
  const use = `${process.cwd()}/use`
  expect(await stopRecorded({ use }, recordOf({}))).toBe(true)
  const how = { signal: 'SIGINT', stillness: 2000, patience: 30_000 }
  expect(ended).toEqual([[currentProcess(), how]])
})

test('a process that works elsewhere is left alone, unless the server leaves its directory by itself', async () => {
  using directory = temporaryDirectory()
  const paths = { use: directory.file('use') }
  expect(await stopRecorded(paths, recordOf({}))).toBe(false)
  expect(ended).toEqual([])
  expect(await stopRecorded(paths, recordOf({ worksHere: false }))).toBe(true)
  expect(ended).toHaveLength(1)
})

test('a process whose directory was removed is known by its start time alone', async () => {
  using directory = temporaryDirectory()
  expect(await stopRecorded({ use: directory.file('removed', 'use') }, recordOf({}))).toBe(true)
  expect(ended).toHaveLength(1)
})

test('nobody is ended for a record of the dead', async () => {
  const process = { ...currentProcess(), startTime: '1' }
  expect(await stopRecorded({ use: '/use' }, recordOf({ process }))).toBe(true)
  expect(ended).toEqual([])
})
