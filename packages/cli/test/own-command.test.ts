import { expect, test } from 'vitest'
import { CliError, type Declaration, main, misused, Option } from '../src/index.ts'
import { fakeIo } from './fake-io.ts'

const greet: Declaration = {
  name: 'greet',
  group: 'Greetings',
  operands: '<name>',
  summary: 'greet somebody',
  options: ['json', 'quiet', new Option('--loud', 'shout')],
  load:
    async () =>
    async (context, [name]) => {
      if (name === '') throw misused('greet: the name is empty')
      const { loud } = context.options as { loud?: boolean }
      await context.output.line(loud === true ? `HELLO ${name}` : `hello ${name}`)
      return 7
    },
}

async function run(...args: string[]) {
  const io = fakeIo()
  const status = await main(args, io, { commands: [greet] })
  return { status, out: io.out(), err: io.err() }
}

test('a command of the caller stands beside the others', async () => {
  expect(await run('greet', 'you', '--loud')).toEqual({ status: 7, out: 'HELLO you\n', err: '' })
  expect((await run('--help')).out).toMatch(
    /Greetings:\n +greet \[options\] <name> +greet somebody/,
  )
  expect((await run('greet', '--help')).out).toContain('--loud')
  expect((await run('completion', 'bash')).out).toContain('greet')
  expect((await run('help', 'status')).status).toBe(0)
})

test('its errors are told as those of the others', async () => {
  expect(await run('greet', '')).toMatchObject({
    status: 2,
    err: 'howdah: greet: the name is empty\n',
  })
  expect(await run('greet', '', '--json')).toMatchObject({
    status: 2,
    err: '{"error":{"code":"ERR_CLI_USAGE","message":"greet: the name is empty","status":2}}\n',
  })
  expect(misused('x')).toBeInstanceOf(CliError)
})

test('a command with a known name takes its place', async () => {
  const io = fakeIo()
  expect(await main(['agents', 'you'], io, { commands: [{ ...greet, name: 'agents' }] })).toBe(7)
})
