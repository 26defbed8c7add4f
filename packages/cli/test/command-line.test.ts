import { describe, expect, test } from 'vitest'
import { readCommandLine } from '../src/program/command-line.ts'
import { declarations } from '../src/program/declarations.ts'
import { fakeIo } from './fake-io.ts'

function read(...args: string[]) {
  const found = readCommandLine(args, fakeIo(), declarations)
  if ('status' in found) return found
  return { command: found.declaration.name, options: found.options, operands: found.operands }
}

describe('a command line', () => {
  test.each([
    [[], 'shell', {}, []],
    [['-d', 'app'], 'shell', { database: 'app' }, []],
    [['-c', 'stop'], 'shell', { scripts: [{ kind: 'command', sql: 'stop' }] }, []],
    [
      ['-q', '-c', 'a', '-f', 'b', '-c', 'z'],
      'shell',
      {
        quiet: true,
        scripts: [
          { kind: 'command', sql: 'a' },
          { kind: 'file', path: 'b' },
          { kind: 'command', sql: 'z' },
        ],
      },
      [],
    ],
    [['-c', '-h'], 'shell', { scripts: [{ kind: 'command', sql: '-h' }] }, []],
    [['--', '-A', '-t'], 'shell', {}, ['-A', '-t']],
    [['-D', 'x', '--', 'stop'], 'shell', { datadir: 'x' }, ['stop']],
    [
      ['shell', '-c', 'x', '--', '-A', '--', 'y'],
      'shell',
      { scripts: [{ kind: 'command', sql: 'x' }] },
      ['-A', '--', 'y'],
    ],
    [['exec', 'true'], 'exec', {}, ['true']],
    [['exec', '--', 'true'], 'exec', {}, ['true']],
    [['exec', '--', '--odd'], 'exec', {}, ['--odd']],
    [
      ['exec', '-D', 'x', 'psql', '-D', 'y', '--tcp', '5', '--', '-z'],
      'exec',
      { datadir: 'x' },
      ['psql', '-D', 'y', '--tcp', '5', '--', '-z'],
    ],
    [['exec', 'psql', '--help'], 'exec', {}, ['psql', '--help']],
    [
      ['-D', 'x', 'exec', '-d', 'app', 'sh', '-c', 'exit 3'],
      'exec',
      { datadir: 'x', database: 'app' },
      ['sh', '-c', 'exit 3'],
    ],
    [['exec', '--tcp', 'psql'], 'exec', { tcp: true }, ['psql']],
    [['exec', '--tcp', '5544', 'psql'], 'exec', { tcp: 5544 }, ['psql']],
    [['exec', '--tcp=5544', 'psql'], 'exec', { tcp: 5544 }, ['psql']],
    [['--tcp', 'exec', 'psql'], 'exec', { tcp: true }, ['psql']],
    [['--tcp', '5544', 'start'], 'start', { tcp: 5544 }, []],
    [['start', '--tcp', '-q'], 'start', { tcp: true, quiet: true }, []],
    [
      ['exec', '--set', 'a.b=1=2', '--set', 'c=', 'x'],
      'exec',
      { set: { 'a.b': '1=2', c: '' } },
      ['x'],
    ],
    [
      ['--set', 'a=1', 'start', '--set', 'b=2', '--set', 'a=3'],
      'start',
      { set: { a: '3', b: '2' } },
      [],
    ],
    [['config', 'set', 'a', '-1'], 'config', {}, ['set', 'a', '-1']],
    [['--mode', 'fast', 'exec', 'x'], 'exec', { mode: 'fast' }, ['x']],
    [['config', 'reset', '--all'], 'config', { all: true }, ['reset']],
    [['-D', 'x', 'stop', '-D', 'y'], 'stop', { datadir: 'y' }, []],
    [['-qD', 'x', 'exec', 'y'], 'exec', { quiet: true, datadir: 'x' }, ['y']],
    [['-Dx', 'url', '--datadir=y'], 'url', { datadir: 'y' }, []],
    [
      ['exec', '--linger', '1.5', '--timeout', '3', '--destroy', 'x'],
      'exec',
      { linger: 1500, timeout: 3000, destroy: true },
      ['x'],
    ],
    [['--force', 'stop'], 'stop', { force: true }, []],
    [['--json', 'runtimes', 'install', '16'], 'runtimes', { json: true }, ['install', '16']],
    [['logs', '-f', '-n', '5'], 'logs', { follow: true, lines: 5 }, []],
    [['createdb', '--', '--odd'], 'createdb', {}, ['--odd']],
    [['psql', '-d', 'app'], 'shell', { database: 'app' }, []],
    [['lock', 'f', 'ls', '-l', '--json'], 'lock', {}, ['f', 'ls', '-l', '--json']],
    [['lock', 'f', '--', 'ls', '-l'], 'lock', {}, ['f', 'ls', '-l']],
    [['lock', '-n', 'f', '-s', 'ls'], 'lock', { nonblock: true, shared: true }, ['f', 'ls']],
    [['lock', 'f', '-c', 'exit 3'], 'lock', { command: 'exit 3' }, ['f']],
    [['lock', '-w', '2', 'f'], 'lock', { wait: 2000 }, ['f']],
    [
      ['start', '--run-as', 'me', '--install', '--runtime', '16'],
      'start',
      { runAs: 'me', install: true, runtime: '16' },
      [],
    ],
  ])('%j', (args, command, options, operands) => {
    expect(read(...args)).toEqual({ command, options, operands })
  })

  test.each([
    [
      ['statsu'],
      /^howdah: unknown command 'statsu'\n\(Did you mean status\?\)\nsee "howdah --help"\n$/,
    ],
    [['--frobnicate'], /^howdah: unknown option '--frobnicate'\nsee "howdah shell --help"\n$/],
    [['url', 'x'], /too many arguments for 'url'/],
    [['exec'], /missing required argument 'command'/],
    [['exec', '--'], /missing required argument 'command'/],
    [['createdb'], /missing required argument 'name'/],
    [['start', '--tcp', '0'], /'0' is invalid.*It is not a port: 1 to 65535\./],
    [['start', '--tcp', 'abc'], /too many arguments for 'start'/],
    [['start', '--set', 'x'], /Write it as NAME=VALUE\./],
    [['start', '--set', '1=x'], /Write it as NAME=VALUE\./],
    [['start', '--timeout', '-1'], /It is not a number of seconds\./],
    [['start', '--timeout', 'soon'], /It is not a number of seconds\./],
    [['start', '--mode', 'slow'], /Allowed choices are fast, safe\./],
    [['stop', '--mode', 'fast'], /unknown option '--mode'/],
    [['start', '-D', ''], /It is empty\./],
    [['start', '-D'], /option '-D, --datadir <dir>' argument missing/],
    [['logs', '-n', 'x'], /It is not a number of lines\./],
    [['url', '--linger', '3'], /unknown option '--linger'/],
    [
      ['--linger', '3', 'url'],
      /^howdah: option '--linger' is none of "howdah url"\nsee "howdah url --help"\n$/,
    ],
    [['exec', '--temporary', '-D', 'x', 'y'], /cannot be used with option/],
    [['--destroy', 'start'], /option '--destroy' is none of "howdah start"/],
    [['help', 'nope'], /^howdah: unknown command 'nope'\nsee "howdah --help"\n$/],
    [['help', 'statsu'], /\(Did you mean status\?\)/],
    [['clone'], /required option '--to <path>' not specified/],
    [['restore', '--from', 'x'], /required option '--to <path>' not specified/],
    [['backup'], /required option '--into <dir>' not specified/],
  ])('%j is misused: status 2', (args, message) => {
    expect(read(...args)).toEqual({
      status: 2,
      out: '',
      err: expect.stringMatching(message),
      isJson: false,
    })
  })

  test.each([[['-V']], [['--version']]])('%j prints the version', (args) => {
    expect(read(...args)).toEqual({ status: 0, out: '1.2.3\n', err: '', isJson: false })
  })
})
