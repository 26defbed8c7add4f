import { readFileSync } from 'node:fs'
import { linuxOnly, onlyIf, underSeccomp } from '@howdah/fixtures'
import { execFileSync } from 'node:child_process'
import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { trySharedMemory } from '../src/index.ts'

test('shared memory is given, and no segment is left', linuxOnly('/proc/sysvipc/shm'), () => {
  expect(trySharedMemory()).toBe(0)
  const segments = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n').slice(1)
  const makers = segments.map((line) => Number(line.trim().split(/\s+/)[4]))
  expect(makers).not.toContain(process.pid)
})

const canFilter = process.platform === 'linux' && process.geteuid?.() === 0
const filters = onlyIf(canFilter, 'only root on Linux can set a filter of system calls')

test('a refusal is told by its errno', filters, () => {
  const code = `import { trySharedMemory } from '@howdah/lock'; console.log(trySharedMemory())`
  const [command, ...words] = underSeccomp(
    [process.execPath, '--input-type=module', '--eval', code],
    ['shmget'],
  )
  const answer = execFileSync(command, words, { cwd: import.meta.dirname, encoding: 'utf8' })
  expect(answer).toBe(`${constants.errno.EPERM}\n`)
})
