import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { acquireSync, currentProcess } from '@howdah/lock'
import { expect, it } from 'vitest'
import { readRecord, removeRecord, writeRecord } from '../src/record/record.ts'

const hasProc = process.platform === 'linux' && existsSync('/proc/self/fd')
const record = {
  process: currentProcess(),
  signal: 'SIGTERM',
  stillness: 0,
  worksHere: false,
  host: null,
  since: null,
  pinned: false,
  linger: 0,
  joined: '',
} as const

it.runIf(hasProc)(
  'a record is written and removed in the directory that is locked, whatever lies at its path by then',
  () => {
    using home = temporaryDirectory()
    const [data, moved, victim] = [home.file('data'), home.file('moved'), home.file('victim')]
    const placeAt = (path: string) => ({
      change: path,
      use: `${path}/use`,
      watchdog: `${path}/watchdog`,
      server: `${path}/server`,
      record: `${path}/record`,
    })
    for (const path of [data, victim]) mkdirSync(path)
    using change = acquireSync(data)
    renameSync(data, moved)
    symlinkSync(victim, data)
    writeRecord(placeAt(data), change, record)
    expect(readdirSync(victim)).toEqual([])
    expect(readRecord(placeAt(moved))?.process.pid).toBe(process.pid)
    removeRecord(placeAt(data), change)
    expect(readdirSync(moved)).toEqual([])
  },
)
