import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, readFileSync, readlinkSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { Guard } from '@howdah/coordinate'
import { isOpenToOthers, linuxOnly, needsProgram, onlyIf, until } from '@howdah/fixtures'
import { seeProcess, spawnedAs } from '@howdah/lock'
import { Arena } from './arena.ts'
import { isLinux, numberOfUsers, told as toldNumber } from './locks-in-use.ts'

const user = fileURLToPath(new URL('server/user.mjs', import.meta.url))

describe('what a server and a watchdog inherit', () => {
  const told = linuxOnly('/proc, which tells what a process has inherited')
  const toldOfBash = { skip: told.skip || needsProgram('bash').skip }

  test.for(['sh', 'node'])(
    'is nothing of the caller: a pipe that it leaves behind ends with it (%s)',
    toldOfBash,
    async (watchdog) => {
      await using arena = new Arena()
      // Descriptor 99 is beyond those that Node marks by itself.
      const script = 'exec 99>&1; exec "$0" "$@" <&3'
      const args = [
        '-c',
        script,
        process.execPath,
        user,
        arena.directory,
        JSON.stringify({ watchdog }),
      ]
      const child = spawn('bash', args, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] })
      if (child.stdout === null) throw new Error('no stdout')
      const output = text(child.stdout)
      await until('it has joined', () => arena.has('server') && arena.subject.running())
      const [server, dog] = [arena.pid('server'), arena.pid('watchdog')]
      // The control: the user itself has it.
      expect(readlinkSync(`/proc/${child.pid}/fd/99`)).toMatch(/^(pipe|socket):/)
      expect(readlinkSync(`/proc/${server}/fd/99`)).toBe('/dev/null')
      expect(readlinkSync(`/proc/${dog}/fd/99`)).toBe('/dev/null')
      expect(environmentOf(server)).toEqual([])
      expect(environmentOf(dog)).toEqual(['PATH'])
      // Another user keeps the server, so that it is not its end that closes the pipe.
      const guard = await Guard.join(arena.subject, arena.paths, { start: {} })
      child.kill('SIGKILL')
      expect(await output).toMatch(/^(joined modified\n)?$/)
      expect(await arena.subject.running()).toBe(true)
      await guard.leave()
      await arena.deserted()
    },
  )

  test('the server gets exactly the environment that it was given', told, async () => {
    await using arena = new Arena()
    const env = { ONE: '1', PWD: '/elsewhere', 'QUOTED "$HOME"': 'x', TWO: 'a b\n$c' }
    await using guard = await Guard.join(arena.subject, arena.paths, { start: { env } })
    expect(guard.started).toBe('modified')
    expect(environmentOf(arena.pid('server'))).toEqual(['ONE', 'PWD', 'TWO'])
  })
})

describe('who may coordinate', () => {
  test('worker threads, and several copies of the library in one process', async () => {
    await using arena = new Arena()
    const copy = (await import(/* @vite-ignore */ `${libraryUrl()}?copy`)) as {
      Guard: typeof Guard
    }
    expect(copy.Guard).not.toBe(Guard)
    const first = await copy.Guard.join(arena.subject, arena.paths, { start: {} })
    const worker = new Worker(
      `import { parentPort } from 'node:worker_threads'
      const { Guard } = await import(${JSON.stringify(libraryUrl())})
      const { pathsOf, subjectIn } = await import(${JSON.stringify(new URL('server/directory-subject.mjs', import.meta.url).href)})
      const directory = ${JSON.stringify(arena.directory)}
      const guard = await Guard.join(subjectIn(directory), pathsOf(directory), { start: {} })
      parentPort.postMessage(guard.started)
      parentPort.once('message', async () => parentPort.postMessage(await guard.leave()))`,
      { eval: true, type: 'module' } as object,
    )
    expect(await once(worker, 'message')).toEqual(['unmodified'])
    expect(await first.leave()).toBe('in-use')
    worker.postMessage('leave', [])
    expect(await once(worker, 'message')).toEqual(['stopped'])
    await worker.terminate()
    await arena.deserted()
  })

  // Another user has to be able to run code from this checkout.
  const others = process.getuid?.() === 0 && isOpenToOthers(import.meta.url)
  const needed = onlyIf(others, 'a test needs root, and a checkout that is open to others')
  // The second is what macOS calls -2: spawn wants it with a sign, and chown without one.
  test.for([65_534, 4_294_967_294])('root and the owner, user %i, at once', needed, async (id) => {
    const nobody = { uid: id, gid: id }
    await using arena = new Arena(nobody)
    await arena.subject.prepare?.()
    chownSync(arena.directory, nobody.uid, nobody.gid)
    chownSync(arena.beside('.'), nobody.uid, nobody.gid)
    await using root = await Guard.join(arena.subject, arena.paths, { start: {} })
    expect(root.started).toBe('modified')
    expect(userOf(arena.pid('server'))).toBe(nobody.uid)
    expect(userOf(arena.pid('watchdog'))).toBe(nobody.uid)
    const child = spawn(process.execPath, [user, arena.directory, '{}'], {
      ...spawnedAs(nobody),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    expect(line.toString()).toBe('joined unmodified\n')
    expect(await numberOfUsers(arena.paths)).toBe(toldNumber(2))
    expect(await root.leave()).toBe('in-use')
    child.kill('SIGKILL')
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })

  test.skipIf(process.getuid?.() !== 0)('a user who cannot come so far is told so', async () => {
    await using arena = new Arena({ uid: 65_534, gid: 65_534 })
    await arena.subject.prepare?.()
    chmodSync(arena.directory, 0o700)
    await expect(Guard.join(arena.subject, arena.paths, { start: {} })).rejects.toMatchObject({
      code: 'ERR_COORDINATE_WATCHDOG',
      message: expect.stringMatching(/Permission denied.*as user 65534.*EXISTS/s),
    })
    await arena.deserted()
    expect(arena.count('start')).toBe(0)
  })
})

function libraryUrl(): string {
  return new URL('../dist/index.js', import.meta.url).href
}

function environmentOf(pid: number): string[] {
  const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .map((entry) => entry.split('=')[0] ?? '')
  return names.filter((name) => name !== '' && name !== '_' && name !== 'SHLVL').toSorted()
}

function userOf(pid: number): number {
  if (!isLinux) {
    const seen = seeProcess(pid)
    return typeof seen === 'object' && seen !== null ? seen.uid : -1
  }
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}
