import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { temporaryDirectory, until } from '@howdah/fixtures'
// <example>
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Guard, type Place, type Subject } from '@howdah/coordinate'
import { identifyProcess } from '@howdah/lock'

/** A web server that serves a directory on a socket in it, and writes its pid to a file once it listens. */
function webServer(directory: string, program: string): [Subject<void>, Place] {
  const file = (name: string) => join(directory, name)
  const running = () =>
    existsSync(file('pid')) ? identifyProcess(Number(readFileSync(file('pid'), 'utf8'))) : null

  const subject: Subject<void> = {
    async start(_options, launch) {
      const child = await launch.spawn({
        command: process.execPath,
        args: [program],
        cwd: directory,
        env: {},
        signal: 'SIGTERM',
        stdio: ['ignore', 'ignore', 'ignore'],
      })
      while (running()?.pid !== child.pid) {
        if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
        await sleep(5)
      }
      return 'modified'
    },
    async stop() {
      const server = running()
      if (server === null) return 'unmodified'
      process.kill(server.pid, 'SIGTERM')
      while (running() !== null) await sleep(5)
      return 'modified'
    },
    destroy: () => subject.stop(),
    exists: async () => existsSync(file('use')),
    running: async () => running() !== null,
    process: async () => running(),
  }
  const place = {
    change: file('change'),
    use: file('use'),
    watchdog: file('watchdog'),
    server: file('server'),
    record: file('record'),
  }
  return [subject, place]
}

async function main(directory: string, program: string): Promise<string> {
  // The first process that comes here starts the server, the last one to leave stops it.
  await using guard = await Guard.join(...webServer(directory, program), { start: undefined })
  return guard.started
}
// </example>

const server = `
import { createServer } from 'node:http'
import { rmSync, writeFileSync } from 'node:fs'
createServer((_, response) => response.end('hello')).listen('socket', () => writeFileSync('pid', String(process.pid)))
process.on('SIGTERM', () => {
  rmSync('pid')
  rmSync('socket')
  process.exit(0)
})
`

test('the example of the README starts a server and stops it', async () => {
  using directory = temporaryDirectory()
  const program = directory.file('server.mjs')
  writeFileSync(program, server)
  expect(await main(directory.path, program)).toBe('modified')
  expect(existsSync(directory.file('pid'))).toBe(false)
  expect(existsSync(directory.file('socket'))).toBe(false)
  await until('the watchdog is gone', () => !existsSync(directory.file('record')))
})

test('the README shows exactly this example', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8')
  const example = source.split('// <example>\n')[1]?.split('// </example>')[0]?.trim()
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain(example)
})
