import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { linuxOnly, needsProgram, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { PidFile, currentProcess } from '../src/index.ts'
import { Child } from './support/child.ts'

describe('a pidfile', () => {
  it('contains the pid and nothing else, so that it parses as one integer', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('pidfile')
    const file = await PidFile.write(path)
    expect(readFileSync(path, 'utf8')).toBe(`${process.pid}`)
    expect(file).toMatchObject({ path, pid: process.pid })
    expect(PidFile.read(path)).toBe(process.pid)
    expect(PidFile.liveness(path)).toBe('alive')
    expect(readdirSync(directory.path)).toEqual(['pidfile'])
  })

  it('replaces what was there, and is gone when it is disposed', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('pidfile')
    writeFileSync(path, 'something long that was there before')
    {
      using file = await PidFile.write(path, { durable: false })
      expect(PidFile.read(file.path)).toBe(process.pid)
    }
    expect(readdirSync(directory.path)).toEqual([])
  })

  it('is removed only while it is ours', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('pidfile')
    const file = await PidFile.write(path)
    writeFileSync(path, '1')
    expect(file.remove()).toBe(false)
    expect(PidFile.read(path)).toBe(1)
    writeFileSync(path, String(process.pid))
    expect(file.remove()).toBe(true)
    expect(file.remove()).toBe(false)
  })

  it.each([
    ['0', '0'],
    ['-1', '-1'],
    ['garbage', 'garbage'],
    ['two numbers', '12 13'],
    ['a fraction', '1.5'],
    ['hexadecimal', '0x10'],
    ['too large a number', '99999999999'],
    ['nothing', ''],
    ['a newline', '\n'],
    ['a NUL byte', `${process.pid}\0`],
    ['a megabyte', `${process.pid}`.padEnd(1_000_000)],
    ['a megabyte of digits', '1'.repeat(1_000_000)],
  ])('that holds %s names nobody', (_, content) => {
    using directory = temporaryDirectory()
    const path = directory.file('pidfile')
    writeFileSync(path, content)
    expect(PidFile.read(path)).toBeNull()
    expect(PidFile.liveness(path)).toBe('dead')
  })

  it('that is missing or a directory names nobody, and is not made by looking', () => {
    using directory = temporaryDirectory()
    expect(PidFile.read(directory.file('missing', 'pidfile'))).toBeNull()
    expect(PidFile.read(directory.file('pidfile'))).toBeNull()
    expect(readdirSync(directory.path)).toEqual([])
    mkdirSync(directory.file('pidfile'))
    expect(PidFile.read(directory.file('pidfile'))).toBeNull()
  })

  it('is read with white space around the pid, as other programs write it', () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('pidfile'), ` ${process.pid}\n`)
    expect(PidFile.read(directory.file('pidfile'))).toBe(process.pid)
  })

  it('that names a recycled pid is recognized if the identity of its writer is known', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('pidfile')
    using file = await PidFile.write(path)
    const earlier = { ...currentProcess(), startTime: '1' }
    expect(PidFile.liveness(file.path)).toBe('alive')
    expect(PidFile.liveness(path, earlier)).toBe('dead')
    expect(PidFile.liveness(path, { ...earlier, pid: 1 })).toBe('alive')
  })

  it('that names a process that has ended names a dead one', async () => {
    using directory = temporaryDirectory()
    await using child = Child.command('true', [])
    await child.ended
    writeFileSync(directory.file('pidfile'), String(child.pid))
    expect(PidFile.liveness(directory.file('pidfile'))).toBe('dead')
  })

  const threads = linuxOnly('ids of threads in the place of pids')

  it('that names the id of a thread names a dead process', threads, () => {
    using directory = temporaryDirectory()
    const path = directory.file('pidfile')
    const thread = readdirSync('/proc/self/task').find((id) => Number(id) !== process.pid)!
    writeFileSync(path, thread)
    expect(PidFile.liveness(path)).toBe('dead')
  })

  it('that names a zombie names a dead process', needsProgram('python3'), async () => {
    using directory = temporaryDirectory()
    const path = directory.file('pidfile')
    await using parent = Child.command('python3', [
      fileURLToPath(new URL('child/zombie.py', import.meta.url)),
    ])
    writeFileSync(path, await parent.line())
    expect(PidFile.liveness(path)).toBe('dead')
  })

  it('that cannot be written is an error that names the path', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('missing', 'pidfile')
    await expect(PidFile.write(path)).rejects.toMatchObject({ code: 'ERR_LOCK_NOT_FOUND', path })
  })
})
