import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { linuxOnly, whereIs } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import {
  currentProcess,
  identifyProcess,
  isSameProcess,
  liveness,
  parseIdentity,
} from '../src/index.ts'
import { Child } from './support/child.ts'

const noPython = whereIs('python3') === null
const zombie = fileURLToPath(new URL('child/zombie.py', import.meta.url))

describe('the identity of a process', () => {
  it('is the same for one process, as plain data', () => {
    const self = currentProcess()
    expect(self.pid).toBe(process.pid)
    expect(identifyProcess(process.pid)).toEqual(self)
    expect(parseIdentity(JSON.stringify(self))).toEqual(self)
    expect(liveness(self)).toBe('alive')
  })

  it('is known in full on Linux', linuxOnly('all that identifies a process'), () => {
    expect(currentProcess()).toEqual({
      pid: process.pid,
      startTime: expect.stringMatching(/^\d+$/),
      bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      pidNamespace: expect.stringMatching(/^pid:\[\d+\]$/),
      machineId: expect.toSatisfy((id) => id === null || typeof id === 'string'),
    })
  })

  it.each([
    '',
    'nonsense',
    '{',
    'null',
    '7',
    '{}',
    '{"pid":0}',
    '{"pid":-1}',
    '{"pid":"7"}',
    '[1]',
  ])('is not read from %j', (text) => {
    expect(parseIdentity(text)).toBeNull()
  })

  it('is read from text with missing fields, which are unknown', () => {
    const unknown = { startTime: null, bootId: null, pidNamespace: null, machineId: null }
    expect(parseIdentity('{"pid":7,"bootId":9}')).toEqual({ pid: 7, ...unknown })
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31, 2 ** 40])('is nobody for the pid %d', (pid) => {
    expect(identifyProcess(pid)).toBeNull()
    expect(liveness({ ...currentProcess(), pid })).toBe('dead')
  })

  it('belongs to nobody when the process has ended', async () => {
    await using child = Child.command('cat', [])
    const identity = identifyProcess(child.pid)!
    expect(liveness(identity)).toBe('alive')
    await child[Symbol.asyncDispose]()
    expect(liveness(identity)).toBe('dead')
    expect(identifyProcess(child.pid)).toBeNull()
  })

  const names = linuxOnly('/proc/self/comm, by which a process names itself')

  it('knows a name with parentheses and spaces in it', names, async ({ skip }) => {
    skip(noPython, 'there is no python3')
    await using child = Child.command('python3', [
      '-c',
      'open("/proc/self/comm", "w").write("a) R 1 (b"); print("named", flush=True); input()',
    ])
    await child.line()
    expect(identifyProcess(child.pid)?.startTime).toMatch(/^\d{3,}$/)
  })
})

describe('two identities', () => {
  const one = { pid: 7, startTime: '1', bootId: 'boot', pidNamespace: null }

  it('are one process if pid, start, boot and pid namespace are the same', () => {
    expect(isSameProcess(one, { ...one, machineId: 'of one only' })).toBe(true)
    for (const other of [{ pid: 8 }, { startTime: '2' }, { bootId: 'x' }, { pidNamespace: 'x' }]) {
      expect(isSameProcess(one, { ...one, ...other })).toBe(false)
    }
  })

  it('are two processes if the start time of one is unknown', () => {
    const unknown = { ...one, startTime: null }
    expect(isSameProcess(unknown, one)).toBe(false)
    expect(isSameProcess(unknown, unknown)).toBe(false)
  })

  it.each([
    ['1795931338.000001', '1795931338.000001', true],
    ['1795931338.000001', '1795931338.000002', false],
    ['1795931338.999999', 'Sun Nov 29 05:48:58 2026', true],
    ['1795931339.000000', 'Sun Nov 29 05:48:58 2026', false],
    ['Sun Nov 29 05:48:58 2026', 'Sun Nov 29 05:48:58 2026', true],
    ['1795931338', 'Sun Nov 29 05:48:58 2026', false],
  ])('which started at %s and at %s: %s', (startTime, other, same) => {
    expect(isSameProcess({ ...one, startTime }, { ...one, startTime: other })).toBe(same)
  })
})

describe('liveness', () => {
  it('sees through a recycled pid: another start time is another process', () => {
    expect(liveness({ ...currentProcess(), startTime: '1' })).toBe('dead')
  })

  const namespaces = linuxOnly('pid namespaces')

  it('is unknown for another pid namespace, where the process may live', namespaces, () => {
    expect(liveness({ ...currentProcess(), pidNamespace: 'pid:[1]' })).toBe('unknown')
  })

  it('tells a reboot of this machine from another machine', () => {
    const earlier = { ...currentProcess(), bootId: 'of an earlier boot' }
    expect(liveness({ ...earlier, machineId: 'of another machine' })).toBe('unknown')
    expect(liveness({ ...earlier, machineId: null })).toBe('unknown')
    expect(liveness(earlier)).toBe(earlier.machineId === null ? 'unknown' : 'dead')
  })

  it('counts a process known only by its pid as alive if the pid is in use', () => {
    const bare = { startTime: null, bootId: null, pidNamespace: null }
    expect(liveness({ pid: process.pid, ...bare })).toBe('alive')
  })

  it('counts a zombie as dead, although it answers to kill 0', async ({ skip }) => {
    skip(noPython, 'there is no python3')
    await using parent = Child.command('python3', [zombie])
    const pid = Number(await parent.line())
    expect(process.kill(pid, 0)).toBe(true)
    expect(identifyProcess(pid)).toBeNull()
    expect(liveness({ ...currentProcess(), pid, startTime: null })).toBe('dead')
  })

  const threads = linuxOnly('ids of threads in the place of pids')

  it('counts the id of a thread as dead, although it answers to kill 0', threads, () => {
    const thread = readdirSync('/proc/self/task')
      .map(Number)
      .find((id) => id !== process.pid)!
    expect(process.kill(thread, 0)).toBe(true)
    expect(identifyProcess(thread)).toBeNull()
    expect(liveness({ ...currentProcess(), pid: thread, startTime: null })).toBe('dead')
  })

  it.runIf(process.getuid?.() === 0)('counts EPERM as alive', async () => {
    const source = `
      process.setgid(65534); process.setuid(65534)
      let refused; try { process.kill(1, 0) } catch (error) { refused = error.code }
      console.log(refused, lock.liveness(lock.identifyProcess(1)))`
    await using child = Child.script(source)
    expect(await child.line()).toBe('EPERM alive')
  })
})
